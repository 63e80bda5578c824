"""Facts on disk: found by content or by name in microseconds, never all of them in memory.

One SQLite database per workspace, in the user's cache folder. It holds nothing that cannot be made
again: a damaged, read-only or full one is replaced, at worst by one in memory, without a word.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qwen_lsp.index import tables
from qwen_lsp.index.codec import decode, definition, fingerprint
from qwen_lsp.index.tables import Scanned
from qwen_lsp.syntax.facts import Definition, FileFacts
from qwen_lsp.workspace.paths import RelPath, user_folder

_DECODED_FILES = 256
_SPARE_FACTS = 2000
_OLD_INDEX_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the manifest: what a path held when it was last read."""

    size: int
    mtime_ns: int
    digest: str
    language: str | None
    skip: str | None
    definitions: int
    references: int


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's cache folder for this program."""
    return user_folder("XDG_CACHE_HOME", ".cache", environ)


class Cache:
    """The index of one workspace. Every method may be called from any thread; none raises on bad disks."""

    def __init__(self, database: Path | None) -> None:
        self.database = database
        """None: in memory."""
        self.broken = False
        """Something could not be read or written; `heal` replaces the database."""
        self._local = threading.local()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._connections: list[sqlite3.Connection] = []
        self._users = 0
        self._unused = threading.Condition()
        self._decoded: OrderedDict[tuple[str, str], FileFacts] = OrderedDict()
        self._counted: dict[str, int] = {}
        self._pending: dict[str, int] = {}
        self._shared: sqlite3.Connection | None = None
        self._closed = False
        self._file: int | None = None
        """Which file the database is; another process may put another one in its place."""
        if database is None:
            self._shared = tables.connect(None)

    @classmethod
    def open(cls, root: Path, folder: Path | None = None) -> Cache:
        """The index of `root`: made when missing, replaced when damaged, in memory at worst."""
        where = tables.folder_of(root, folder or default_folder()) / f"index-{fingerprint()}.sqlite"
        self = cls(where)
        if self._connection() is None:
            self.heal()
        return self

    def facts(self, digest: str, language: str) -> FileFacts | None:
        key = (digest, language)
        with self._lock:
            found = self._decoded.get(key)
            if found is not None:
                self._decoded.move_to_end(key)
                return found
        rows = self._read("select data from facts where digest = ? and language = ?", key)
        if not rows:
            return None
        try:
            found = decode(rows[0][0], language)
        except ValueError:
            self.broken = True
            return None
        with self._lock:
            self._decoded[key] = found
            if len(self._decoded) > _DECODED_FILES:
                self._decoded.popitem(last=False)
        return found

    def definitions(self, name: str) -> list[tuple[str, str, int, Definition]]:
        """Digest, language, position and definition, for every content that defines `name`."""
        rows = self._read(
            "select f.digest, f.language, d.position, d.name, d.kind, d.line, d.name_line, d.col,"
            " d.header_end, d.end_line, d.parent"
            " from definitions d join facts f on f.id = d.facts where d.name = ?",
            (name,),
        )
        return [(row[0], row[1], row[2], definition(row[3:])) for row in rows]

    def using(self, name: str) -> list[tuple[str, str]]:
        """Digest and language of every content that refers to `name`."""
        return self._read(
            "select f.digest, f.language from uses u join facts f on f.id = u.facts where u.name = ?", (name,)
        )

    def importing(self, words: Iterable[str]) -> list[tuple[str, str]]:
        """Digest and language of every content with one of the words in an import."""
        return self._read(
            "select distinct f.digest, f.language from imports i join facts f on f.id = i.facts"
            " where i.word in (select value from json_each(?))",
            (json.dumps(list(words)),),
        )

    def names(self, like: str, limit: int) -> list[str]:
        """Names of definitions that match a LIKE pattern (escape character: backslash), each once."""
        rows = self._read(
            "select distinct name from definitions where name like ? escape '\\' limit ?", (like, limit)
        )
        return [row[0] for row in rows]

    def tokens(self, digest: str) -> int | None:
        known = self._counted.get(digest)
        if known is None:
            rows = self._read("select tokens from tokens where digest = ?", (digest,))
            if rows:
                known = self._counted[digest] = rows[0][0]
        return known

    def keep_tokens(self, digest: str, tokens: int) -> None:
        """Remember a count; it reaches the disk with the next `flush`."""
        self._counted[digest] = self._pending[digest] = tokens

    def flush(self) -> None:
        """Write the token counts that were kept back."""
        with self._lock:
            pending, self._pending = self._pending, {}

        def insert(connection: sqlite3.Connection) -> None:
            with tables.Transaction(connection):
                connection.executemany("insert or replace into tokens values (?, ?)", list(pending.items()))

        if pending:
            self._change(insert)

    def manifest(self, among: Sequence[RelPath] = ()) -> dict[RelPath, Kept]:
        """The rows of these paths, or all of them."""
        some = " where path in (select value from json_each(?))" if among else ""
        rows = self._read(f"select * from manifest{some}", (json.dumps(among),) if among else ())  # noqa: S608
        return {RelPath(row[0]): Kept(*row[1:]) for row in rows}

    def known(self, digest: str, language: str) -> tuple[int, int] | None:
        """Counts of definitions and references of content that the index has."""
        rows = self._read(
            "select definitions, refs from facts where digest = ? and language = ?", (digest, language)
        )
        return rows[0] if rows else None

    def write(self, files: Sequence[Scanned]) -> None:
        self._change(lambda connection: tables.write(connection, files))

    def forget(self, paths: Iterable[RelPath]) -> None:
        """Take paths out of the manifest; what they contained stays until garbage is collected."""

        def delete(connection: sqlite3.Connection) -> None:
            with tables.Transaction(connection):
                connection.executemany("delete from manifest where path = ?", [(path,) for path in paths])

        self._change(delete)

    def collect_garbage(self, live: int) -> None:
        """Drop facts of no file when there are many, and indexes of versions long gone."""

        def collect(connection: sqlite3.Connection) -> None:
            total = connection.execute("select count(*) from facts").fetchone()[0]
            if total > _SPARE_FACTS + 2 * live:
                tables.collect_garbage(connection, spare=live)

        self._change(collect)
        if self.database is not None:
            with suppress(OSError):
                for other in self.database.parent.glob("index-*.sqlite"):
                    if other != self.database and time.time() - other.stat().st_mtime > _OLD_INDEX_SECONDS:
                        tables.remove(other)

    def heal(self) -> None:
        """Replace a database that failed: by a new one on disk, else by one in memory."""
        self._disconnect()
        self.broken = False
        if self.database is not None:
            with suppress(OSError):
                if self._file in (None, self.database.stat().st_ino):  # else another process has
                    tables.remove(self.database)
            self._file = None
            self._change(tables.probe)
            if not self.broken:
                return
            self._disconnect()
            self.broken = False
        self.database = None
        self._shared = tables.connect(None)

    def close(self) -> None:
        """Write what is pending and let go of the files; later questions are answered with nothing."""
        if not self._closed:
            self.flush()
            self._closed = True
            self._disconnect()

    def _disconnect(self) -> None:
        """Close every connection once no thread works with one: closing it under a query is a crash."""
        with self._lock:
            connections, self._connections = self._connections, []
            self._local = threading.local()
            self._decoded.clear()
            self._counted.clear()
        if self._shared is not None:
            connections.append(self._shared)
            self._shared = None
        with self._unused:
            for connection in connections if self._users else ():
                connection.interrupt()
            if not self._unused.wait_for(lambda: self._users == 0, timeout=5.0):
                return  # better never closed than closed under somebody
        for connection in connections:
            with suppress(sqlite3.Error):
                connection.close()

    def _enter(self) -> sqlite3.Connection | None:
        with self._unused:
            self._users += 1
        return self._connection()

    def _leave(self) -> None:
        with self._unused:
            self._users -= 1
            self._unused.notify_all()

    def _connection(self) -> sqlite3.Connection | None:
        """This thread's connection; None after `close` or when the database cannot be opened."""
        if self._shared is not None or self._closed or self.database is None:
            return self._shared
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None and not self.broken:
            try:
                connection = tables.connect(self.database)
                number = self.database.stat().st_ino
            except (sqlite3.Error, OSError):
                self.broken = True
                return None
            if self._file is None:
                self._file = number
            elif self._file != number:  # the rows of one and the names of the other are no index
                self.broken = True
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    def _read(self, sql: str, values: Sequence[object]) -> list[Any]:
        connection = self._enter()
        try:
            return [] if connection is None else connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self._failed(error)
            return []
        finally:
            self._leave()

    def _change(self, change: Callable[[sqlite3.Connection], None]) -> None:
        with self._writing:
            connection = self._enter()
            try:
                if connection is not None:
                    change(connection)
            except sqlite3.Error as error:
                self._failed(error)
            finally:
                self._leave()

    def _failed(self, error: sqlite3.Error) -> None:
        # Having waited too long for another process, or being closed or healed meanwhile, is no damage.
        busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        closed = self._closed or isinstance(error, sqlite3.ProgrammingError)
        self.broken = self.broken or not (busy or closed)

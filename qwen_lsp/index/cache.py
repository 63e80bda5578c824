"""Facts on disk: found by content or by name in microseconds, never all of them in memory.

One SQLite database per workspace, in the user's cache folder. It holds nothing that cannot be made
again: a damaged, read-only or full one is replaced, at worst by one in memory, without a word.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.index import tables, users
from qwen_lsp.index.answers import Answers
from qwen_lsp.index.codec import BYTES, Encoded, decode, definition, fingerprint
from qwen_lsp.index.database import Database
from qwen_lsp.index.packed import Table
from qwen_lsp.index.service import Content, Defined, How, Users
from qwen_lsp.index.tables import Scanned
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.workspace.paths import RelPath, user_folder

_NAMES = "select name from names where {} order by length(name), name limit ?"
_SOME_NAMES = _NAMES.replace("from names", "from (select small, name from names limit 400000)")
_SHORT_NAMES = _NAMES.format(f"{{}} and {tables.SHORT}").replace(
    "names where", "names indexed by short_names where"
)
_WITHOUT_USES = "select id, digest, language from facts f where not f.used"
_MOST = 1_000
_DECODED_FILES = 512
_REMEMBERED = 100_000
_FEW_CONTENTS = 4
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


class Cache(Database):
    """The index of one workspace. Every method may be called from any thread; none raises on bad disks."""

    def __init__(self, database: Path | None) -> None:
        super().__init__(database)
        self.keeps_all_uses = True
        """Whether it is kept of every content which names it uses, so that nobody needs to search."""
        self._memory = threading.Lock()
        self._decoded: OrderedDict[Content, FileFacts] = OrderedDict()
        self._defined: Answers[Defined] = Answers(_REMEMBERED)
        self._using: Answers[Content] = Answers(_REMEMBERED)
        self._counted: dict[str, int] = {}
        self._pending: dict[str, int] = {}

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
        with self._memory:
            found = self._decoded.get(key)
            if found is not None:
                self._decoded.move_to_end(key)
                return found
        rows = self.read("select numbers, data from facts where digest = ? and language = ?", key)
        if not rows:
            return None
        try:
            found = decode(Encoded(*rows[0]), language)
        except ValueError:
            self.broken = True
            return None
        with self._memory:
            self._decoded[key] = found
            if len(self._decoded) > _DECODED_FILES:
                self._decoded.popitem(last=False)
        return found

    def definitions(
        self, name: str, limit: int = _MOST, among: Collection[Content] | None = None
    ) -> Sequence[Defined]:
        if among is not None:
            return self._definitions(tables.BY_NAME_AMONG, (BYTES, name, limit, json.dumps(list(among))))
        # The newest contents first: those are the ones that files have.
        return self._defined.get(name, limit, lambda: self._definitions(tables.BY_NAME, (BYTES, name, limit)))

    def _definitions(
        self, sql: str, values: tuple[int, str, int] | tuple[int, str, int, str]
    ) -> list[Defined]:
        rows = self.read(sql, values)
        return [Defined(row[0], row[1], row[2], definition(values[1], row[3])) for row in rows]

    def using(self, name: str, limit: int = _MOST) -> Users:
        if not name:
            return Users([], self.keeps_all_uses)
        rows = self._using.get(name, limit, lambda: self.read(tables.USING, (users.query(name), limit)))
        return Users(rows, self.keeps_all_uses and len(rows) < limit)

    def learned(self, contents: Collection[Content]) -> None:
        """Files have these contents now: answers that were remembered before may lack them."""
        names: set[str] = set()
        if len(contents) <= _FEW_CONTENTS:
            for digest, language in contents:
                facts = self.facts(digest, language)
                if facts is None:
                    break
                names.update(facts.references, (each.name for each in facts.definitions))
            else:
                self._defined.forget(names)
                self._using.forget(names)
                return
        self._defined.forget()
        self._using.forget()

    def importing(self, words: Iterable[str]) -> list[Content]:
        return self.read(
            "select distinct f.digest, f.language from imports i join facts f on f.id = i.facts"
            " where i.word in (select value from json_each(?))",
            (json.dumps(list(words)),),
        )

    def names(self, letters: str, how: How, limit: int = _MOST) -> list[str]:
        where, values = _looking_for(letters.lower(), how)
        # In a large workspace most names are long ones, made by programs and looked for by nobody: the short
        # ones have an index of their own.
        rows = self.read(_SHORT_NAMES.format(where), (*values, limit))
        if len(rows) < limit:
            among = _SOME_NAMES if how == "order" else _NAMES
            rows = self.read(among.format(where), (*values, limit))
        return [row[0] for row in rows]

    def tokens(self, digest: str) -> int | None:
        known = self._counted.get(digest)
        if known is None:
            rows = self.read("select tokens from tokens where digest = ?", (digest,))
            if rows:
                known = self._counted[digest] = rows[0][0]
        return known

    def keep_tokens(self, digest: str, tokens: int) -> None:
        """Remember a count; it reaches the disk with the next `flush`."""
        self._counted[digest] = self._pending[digest] = tokens

    def flush(self) -> None:
        """Write the token counts that were kept back."""
        with self._memory:
            pending, self._pending = self._pending, {}

        def insert(connection: sqlite3.Connection) -> None:
            with tables.Transaction(connection):
                connection.executemany("insert or replace into tokens values (?, ?)", list(pending.items()))

        if pending:
            self.change(insert)

    def table(self) -> Table:
        """The manifest that was kept, skipped files included."""
        return Table(
            self.each("select path, size, mtime_ns, digest, language, skip from manifest order by path")
        )

    def manifest(self, paths: Collection[RelPath] | None = None) -> dict[RelPath, Kept]:
        """What is kept of some paths, or of all."""
        if paths is None:
            rows = self.read("select * from manifest", ())
        else:
            asked = json.dumps(list(paths))
            rows = self.read(
                "select m.* from json_each(?) k cross join manifest m on m.path = k.value", (asked,)
            )
        return {RelPath(row[0]): Kept(*row[1:]) for row in rows}

    def totals(self) -> tuple[int, int]:
        """Definitions and references in the files of the manifest."""
        rows = self.read("select sum(definitions), sum(refs) from manifest", ())
        return (rows[0][0] or 0, rows[0][1] or 0) if rows else (0, 0)

    def keep_uses(self, contents: Collection[Content]) -> None:
        """Keep which names these contents use, where that was not done when they were indexed."""
        missing = self.read(
            "select f.id, f.digest, f.language from json_each(?) k"
            " cross join facts f on f.digest = json_extract(k.value, '$[0]')"
            " and f.language = json_extract(k.value, '$[1]')"
            " where not f.used",
            (json.dumps(list(contents)),),
        )
        self._keep_uses(missing)

    def keep_uses_of_all(self) -> None:
        """The same for everything that is indexed."""
        while missing := self.read(f"{_WITHOUT_USES} limit 500", ()):
            before = missing[0]
            self._keep_uses(missing)
            if self.broken or self.read(f"{_WITHOUT_USES} limit 1", ())[:1] == [before]:
                return
        self.keeps_all_uses = True

    def look_at_uses(self) -> None:
        """Find out whether it is known of every content what it uses."""
        self.keeps_all_uses = not self.read(f"{_WITHOUT_USES} limit 1", ())

    def _keep_uses(self, missing: Sequence[tuple[int, str, str]]) -> None:
        rows: list[tuple[int, Iterable[str]]] = []
        for number, digest, language in missing:
            facts = self.facts(digest, language)
            rows.append((number, facts.references if facts is not None else ()))
        if rows:
            self.change(lambda connection: tables.add_uses(connection, rows))
            self._using.forget()

    def known(self, digest: str, language: str) -> tuple[int, int] | None:
        """Counts of definitions and references of content that the index has."""
        rows = self.read(
            "select definitions, refs from facts where digest = ? and language = ?", (digest, language)
        )
        return rows[0] if rows else None

    def write(self, files: Sequence[Scanned], *, uses: bool = True) -> None:
        if files:
            self.change(lambda connection: tables.write(connection, files, uses=uses))

    def forget(self, paths: Iterable[RelPath]) -> None:
        """Take paths out of the manifest; what they contained stays until garbage is collected."""

        def delete(connection: sqlite3.Connection) -> None:
            with tables.Transaction(connection):
                connection.executemany("delete from manifest where path = ?", [(path,) for path in paths])

        self.change(delete)

    def collect_garbage(self, live: int) -> None:
        """Drop facts of no file when there are many, and indexes of versions long gone."""

        def collect(connection: sqlite3.Connection) -> None:
            total = connection.execute("select count(*) from facts").fetchone()[0]
            if total > _SPARE_FACTS + 2 * live:
                tables.collect_garbage(connection, spare=live)

        self.change(collect)
        if self.database is not None:
            with suppress(OSError):
                for other in self.database.parent.glob("index-*.sqlite"):
                    if other != self.database and time.time() - other.stat().st_mtime > _OLD_INDEX_SECONDS:
                        tables.remove(other)

    def heal(self) -> None:
        super().heal()
        self._forget_answers()

    def close(self) -> None:
        """Write what is pending and let go of the files; later questions are answered with nothing."""
        self.flush()
        super().close()
        self._forget_answers()

    def _forget_answers(self) -> None:
        with self._memory:
            self._decoded.clear()
            self._counted.clear()
        self._defined.forget()
        self._using.forget()


def _looking_for(small: str, how: How) -> tuple[str, tuple[str, ...]]:
    """A condition on `small`, and its values."""
    if how == "begin":
        return "small >= ? and small < ?", (small, small + chr(0x10FFFF))
    if how == "hold":
        return "instr(small, ?)", (small,)
    letters = (re.sub(r"([%_\\])", r"\\\1", letter) for letter in small)
    return "small like ? escape '\\'", (f"%{'%'.join(letters)}%",)

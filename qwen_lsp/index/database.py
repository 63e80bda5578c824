"""The database of one index: a connection for each thread, one writer at a time, healed when it fails.

A damaged, read-only or full database is replaced, at worst by one in memory, without a word.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from qwen_lsp.index import tables

_ROWS = 1_000

_FAULTS = (sqlite3.Error, SystemError)
"""An interrupted query of a connection that threads share may end with no exception set: a SystemError."""


class Database:
    """Every method may be called from any thread; none raises on bad disks."""

    def __init__(self, file: Path | None) -> None:
        self.database = file
        """None: in memory."""
        self.broken = False
        """Something could not be read or written; `heal` replaces the database."""
        self._local = threading.local()
        self._lock = threading.Lock()
        self.replaced = False
        """It is another one than before: what was once read of a file need not be in it."""
        self._writing = threading.Lock()
        self._connections: list[sqlite3.Connection] = []
        self._users = 0
        self._unused = threading.Condition()
        self._shared: sqlite3.Connection | None = None
        self._closed = False
        self._file: int | None = None
        """Which file the database is; another process may put another one in its place."""
        if file is None:
            self._shared = tables.connect(None)

    def heal(self) -> None:
        """Replace a database that failed: by a new one on disk, else by one in memory."""
        self._disconnect()
        self.broken = False
        self.replaced = True
        if self.database is not None:
            with suppress(OSError):
                if self._file in (None, self.database.stat().st_ino):  # else another process has
                    tables.remove(self.database)
            self._file = None
            self.change(tables.probe)
            if not self.broken:
                return
            self._disconnect()
            self.broken = False
        self.database = None
        self._shared = tables.connect(None)

    def close(self) -> None:
        """Let go of the files; later questions are answered with nothing."""
        if not self._closed:
            self._closed = True
            self._disconnect()

    def _disconnect(self) -> None:
        """Close every connection once no thread works with one: closing it under a query is a crash."""
        with self._lock:
            connections, self._connections = self._connections, []
            self._local = threading.local()
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

    def read(self, sql: str, values: Sequence[object]) -> list[Any]:
        connection = self._enter()
        try:
            return [] if connection is None else connection.execute(sql, values).fetchall()
        except _FAULTS as error:
            self._failed(error)
            return []
        finally:
            self._leave()

    def each(self, sql: str) -> Iterator[Any]:
        """The rows of a long answer, a few at a time; fewer when it cannot be read to its end."""
        connection = self._enter()
        try:
            if connection is not None:
                cursor = connection.execute(sql)
                while rows := cursor.fetchmany(_ROWS):
                    yield from rows
        except _FAULTS as error:
            self._failed(error)
        finally:
            self._leave()

    def change(self, change: Callable[[sqlite3.Connection], None]) -> None:
        with self._writing:
            connection = self._enter()
            try:
                if connection is not None:
                    change(connection)
            except _FAULTS as error:
                self._failed(error)
            finally:
                self._leave()

    def _failed(self, error: Exception) -> None:
        # Having waited too long for another process, or being closed or healed meanwhile, is no damage.
        busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        closed = self._closed or isinstance(error, sqlite3.ProgrammingError | SystemError)
        self.broken = self.broken or not (busy or closed)

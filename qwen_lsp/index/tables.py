"""The tables of one index, and the one function that writes files into them.

Facts are keyed by what the file contains, so they never change and need no invalidation; the manifest
says which path has which content. Import-light: worker processes load this.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.index import users
from qwen_lsp.index.codec import Encoded, decode, encode, import_keys
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.workspace.paths import RelPath

_BUSY_SECONDS = 60.0
_PRAGMAS = """
pragma journal_mode = wal;
pragma synchronous = normal;
pragma temp_store = memory;
pragma cache_size = -8192;
pragma wal_autocheckpoint = 4000;
"""
_TABLES = """
create table if not exists facts (
    id integer primary key, digest text not null, language text not null,
    definitions integer not null, refs integer not null, used integer not null, numbers blob not null,
    data blob not null,
    unique (digest, language));
create table if not exists definitions (
    name text not null, facts integer not null, position integer not null,
    primary key (name, facts, position)) without rowid;
create table if not exists names (
    small text not null, name text not null, primary key (small, name)) without rowid;
create index if not exists short_names on names (small) where length(name) <= 16;
create table if not exists imports (
    word text not null, facts integer not null, primary key (word, facts)) without rowid;
create table if not exists manifest (
    path text primary key, size integer not null, mtime_ns integer not null, digest text not null,
    language text, skip text, definitions integer not null, refs integer not null) without rowid;
create table if not exists tokens (
    digest text primary key, tokens integer not null) without rowid;
"""


BY_NAME = """
select f.digest, f.language, d.position, substr(f.numbers, 1 + ?1 * d.position, ?1)
from (select * from definitions where name = ?2 order by facts desc, position limit ?3) d
join facts f on f.id = d.facts
"""
BY_NAME_AMONG = """
select f.digest, f.language, d.position, substr(f.numbers, 1 + ?1 * d.position, ?1)
from json_each(?4) k
cross join facts f on f.digest = json_extract(k.value, '$[0]')
    and f.language = json_extract(k.value, '$[1]')
cross join definitions d on d.name = ?2 and d.facts = f.id limit ?3
"""
USING = """
select f.digest, f.language
from (select rowid as id from uses where uses match ? order by rowid desc limit ?) u
join facts f on f.id = u.id
"""
SHORT = "length(name) <= 16"
"""Which names are in the index `short_names`."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """One file as it was found: its stat, its content's digest, and its facts or why it has none.

    `facts` is also None when the index had them already. `mtime_ns` is negative when the file was
    written so shortly before that a later write might not show in it: it is then read again.
    """

    path: RelPath
    size: int
    mtime_ns: int
    digest: str = ""
    language: str | None = None
    skip: str | None = None
    definitions: int = 0
    references: int = 0
    facts: FileFacts | None = None


def folder_of(root: Path, cache_dir: Path) -> Path:
    """The folder of a workspace's index below the cache folder."""
    real = os.path.realpath(root)
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in Path(real).name)[:40]
    return cache_dir / f"{name or 'root'}-{hashlib.blake2b(real.encode(), digest_size=8).hexdigest()}"


def connect(database: Path | None) -> sqlite3.Connection:
    """Open an index, or one in memory, making what is missing. Raises sqlite3.Error or OSError."""
    if database is not None:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(
        ":memory:" if database is None else database,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if database is not None:
            _run(connection, _PRAGMAS)
        known = connection.execute("select count(*) from sqlite_master").fetchone()[0]
        if not known:
            with Transaction(connection):
                _run(connection, _TABLES)
                users.create(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _run(connection: sqlite3.Connection, script: str) -> None:
    # Not executescript: that commits an open transaction first.
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)


class Transaction:
    """`begin immediate` … `commit`; rolled back when the block raises."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("begin immediate")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("commit")
        elif self._connection.in_transaction:
            self._connection.execute("rollback")


def known_facts(connection: sqlite3.Connection) -> Callable[[str, str], tuple[int, int] | None]:
    """A question: how many definitions and references content has that the index knows already."""

    def ask(digest: str, language: str) -> tuple[int, int] | None:
        return connection.execute(
            "select definitions, refs from facts where digest = ? and language = ?", (digest, language)
        ).fetchone()

    return ask


def write(connection: sqlite3.Connection, files: Sequence[Scanned], *, uses: bool = True) -> None:
    """Put files, their facts and the names in them into the tables, all or nothing.

    Without `uses` it is not kept which names they use.
    """
    encoded = [(file, file.facts, encode(file.facts)) for file in files if file.facts is not None]
    definitions: list[tuple[str, int, int]] = []
    used: list[tuple[int, Iterable[str]]] = []
    imports: list[tuple[str, int]] = []
    with Transaction(connection):
        for file, facts, (numbers, data) in encoded:
            cursor = connection.execute(
                "insert or ignore into facts (digest, language, definitions, refs, used, numbers, data)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                (file.digest, facts.language, file.definitions, file.references, uses, numbers, data),
            )
            number = cursor.lastrowid
            if cursor.rowcount < 1 or number is None:
                continue
            definitions += [(each[0], number, i) for i, each in enumerate(facts.definitions)]
            if uses:
                used.append((number, facts.references))
            imports += [(word, number) for word in import_keys(facts.imports, facts.language)]
        # In order of the key, so that each page of a table is visited once per batch.
        definitions.sort()
        connection.executemany("insert into definitions values (?, ?, ?)", definitions)
        names = sorted({(each[0].lower(), each[0]) for each in definitions})
        connection.executemany("insert or ignore into names values (?, ?)", names)
        users.add(connection, used)
        connection.executemany("insert into imports values (?, ?)", imports)
        connection.executemany(
            "insert or replace into manifest values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (f.path, f.size, f.mtime_ns, f.digest, f.language, f.skip, f.definitions, f.references)
                for f in files
            ],
        )


def add_uses(connection: sqlite3.Connection, contents: Sequence[tuple[int, Iterable[str]]]) -> None:
    """Keep the names that contents use whose facts were written without."""
    with Transaction(connection):
        # Another process may have done it meanwhile, and no content may be added twice.
        new: list[tuple[int, Iterable[str]]] = []
        for number, names in contents:
            if connection.execute("update facts set used = 1 where id = ? and not used", (number,)).rowcount:
                new.append((number, names))
        users.add(connection, new)


def collect_garbage(connection: sqlite3.Connection, spare: int) -> int:
    """Drop the oldest facts that no file has any more, keeping the `spare` newest of them."""
    doomed = (
        "select id from facts where not exists (select 1 from manifest m where m.digest = facts.digest"
        " and m.language = facts.language) order by id desc limit -1 offset ?"
    )
    with Transaction(connection):
        connection.execute("create temp table if not exists doomed (id integer primary key)")
        connection.execute("delete from doomed")
        dropped = connection.execute(f"insert into doomed {doomed}", (spare,)).rowcount
        if dropped:
            users.remove(connection, _references_of_doomed(connection))
            for table, column in (("definitions", "facts"), ("imports", "facts"), ("facts", "id")):
                connection.execute(
                    f"delete from {table} where {column} in (select id from doomed)"  # noqa: S608
                )
            connection.execute("delete from tokens where digest not in (select digest from manifest)")
            connection.execute(
                "delete from names where not exists (select 1 from definitions d where d.name = names.name)"
            )
    return dropped


def _references_of_doomed(connection: sqlite3.Connection) -> Iterator[tuple[int, Iterable[str]]]:
    rows = connection.execute(
        "select id, numbers, data, language from facts where used and id in (select id from doomed)"
    )
    for number, numbers, data, language in rows.fetchall():
        yield number, decode(Encoded(numbers, data), language).references


def probe(connection: sqlite3.Connection) -> None:
    """Find out whether the disk takes data at all: a full one lets a database be opened."""
    with Transaction(connection):
        connection.execute("create table probe (data blob)")
        connection.execute("insert into probe values (zeroblob(262144))")
        connection.execute("drop table probe")


def remove(database: Path) -> None:
    """Delete a database with the files SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)

"""Which contents use a name: an inverted index of SQLite's, cheap to write: it merges by itself.

It is a full-text index (FTS5) that keeps no text. A file is added as one text of all the names in it; a row
for each name of each file would cost four times as much and lie all over the table.
The tokenizer folds the case of ASCII letters and nothing else, so capitals are put in as control characters.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

_CAPITALS = bytes(range(ord("A"), ord("Z") + 1))
_CONTROLS = bytes(code for code in range(1, 32) if not 9 <= code <= 13)
_STAND_IN = 0x7F
"""For blanks and control characters, which hardly any name has."""
_CODES = bytearray(range(256))
for _code in (*range(33), _STAND_IN):
    _CODES[_code] = _STAND_IN
for _capital, _control in zip(_CAPITALS, _CONTROLS, strict=True):
    _CODES[_capital] = _control
_CODES[ord("\n")] = ord(" ")
_TOKEN = _CONTROLS + bytes(code for code in range(33, 128) if not chr(code).isalnum())
_TOKENIZER = "ascii tokenchars '{}'".format(_TOKEN.decode().replace("'", "''")).replace('"', '""')


def create(connection: sqlite3.Connection) -> None:
    connection.execute(
        "create virtual table if not exists uses using fts5"
        f"""(names, content='', detail=none, columnsize=0, tokenize="{_TOKENIZER}")"""
    )


def add(connection: sqlite3.Connection, contents: Iterable[tuple[int, Iterable[str]]]) -> None:
    """Keep the names that contents use; a content is the number of its row in `facts`."""
    rows = [(number, _text(names)) for number, names in contents]
    connection.executemany("insert into uses (rowid, names) values (?, ?)", rows)


def remove(connection: sqlite3.Connection, contents: Iterable[tuple[int, Iterable[str]]]) -> None:
    """Forget contents, whose names must be those they were added with."""
    rows = [(number, _text(names)) for number, names in contents]
    connection.executemany("insert into uses (uses, rowid, names) values ('delete', ?, ?)", rows)


def query(name: str) -> str:
    """What `uses match` finds the contents with that use `name`; a name must not be empty."""
    return '"{}"'.format(_text([name]).replace('"', '""'))


def _text(names: Iterable[str]) -> str:
    """Names as one text, each of them one token."""
    return (
        "\n".join(names).encode("utf-8", "surrogatepass").translate(_CODES).decode("utf-8", "surrogatepass")
    )

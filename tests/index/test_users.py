"""Names find the contents that use them, exactly."""

from __future__ import annotations

import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.index import users

_names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=6)
_ascii = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=3)


def _found(connection: sqlite3.Connection, name: str) -> list[int]:
    rows = connection.execute("select rowid from uses where uses match ? order by 1", (users.query(name),))
    return [row[0] for row in rows]


def _index(files: list[set[str]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    users.create(connection)
    users.add(connection, enumerate(files))
    return connection


@given(st.lists(st.sets(_names | _ascii, max_size=6), min_size=1, max_size=5), _names | _ascii)
@settings(deadline=None, max_examples=200)
def test_a_name_finds_who_uses_it_and_nobody_else(files: list[set[str]], other: str) -> None:
    connection = _index(files)
    for name in {other}.union(*files):
        assert _found(connection, name) == [i for i, names in enumerate(files) if name in names]


def test_case_blanks_and_quotes_tell_names_apart() -> None:
    names = ["value", "Value", "VALUE", "a b", "a", "b", 'say "x"', "it's", "Ä", "ä", "a-b", "a.b", "*", "名"]
    connection = _index([{name} for name in names])
    assert [_found(connection, name) for name in names] == [[i] for i in range(len(names))]


def test_what_was_removed_is_not_found() -> None:
    files = [{"shared", "One"}, {"shared", "two"}]
    connection = _index(files)
    users.remove(connection, [(0, files[0])])
    assert (_found(connection, "shared"), _found(connection, "One")) == ([1], [])

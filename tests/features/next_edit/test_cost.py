"""What a keystroke or a cursor may cost: nothing that is written makes a rule look again and again."""

from __future__ import annotations

import pytest

from qwen_lsp.features.next_edit.kinds import declared
from qwen_lsp.features.next_edit.signatures import listed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("let total = 1", True),
        ("for key , total in rows", True),
        ("with open(a) as b, total:", True),
        ("for total in rows", True),
        ("for row in total", False),
        # A table in a comment: each of its gaps could once be read in as many ways as it has blanks.
        ("-- as " + ("column" + " " * 2_000) * 6, False),
    ],
)
def test_a_name_is_found_where_it_is_declared(text: str, found: bool) -> None:
    assert declared(text, "total") is found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("f (a, b)", ("a", "b")),
        ("f[T] (a)", ("a",)),
        ("f::<T>(a)", ("a",)),
        ("f! (a)", ("a",)),
        ("f" + "\n" * 100_000 + "x", None),
    ],
)
def test_brackets_are_looked_for_behind_a_name(text: str, parts: tuple[str, ...] | None) -> None:
    found = listed(text, 1)
    assert (None if found is None else found.parts) == parts

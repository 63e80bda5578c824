"""Completion lists: what a request comes from, and what an item says."""

from __future__ import annotations

import pytest

from qwen_lsp.features.complete.pace import PAUSE
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.popup import Typing, label_of, word_before
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

PATH = RelPath("a.py")


def typed(offset: int, text: str, now: float) -> Typing:
    typing = Typing()
    typing.changed(PATH, TextEdit(Span(offset, offset), text), now)
    return typing


def test_the_first_request_behind_a_letter_comes_from_typing_and_the_next_does_not() -> None:
    typing = typed(4, "a", now=10.0)
    assert typing.caused(PATH, 5, now=10.1)
    assert not typing.caused(PATH, 5, now=10.2)


@pytest.mark.parametrize(
    ("path", "offset", "now"),
    [
        (PATH, 5, 10.0 + PAUSE + 0.1),  # later
        (PATH, 3, 10.0),  # elsewhere in the file
        (RelPath("b.py"), 5, 10.0),
    ],
)
def test_a_request_later_or_elsewhere_was_made_by_hand(path: RelPath, offset: int, now: float) -> None:
    assert not typed(4, "a", now=10.0).caused(path, offset, now)


@pytest.mark.parametrize(
    ("line", "word"), [("x = ret", "ret"), ("x = ", ""), ("größe_2", "größe_2"), ("a.b", "b"), ("", "")]
)
def test_the_word_before_the_cursor(line: str, word: str) -> None:
    text = f"first\n{line}\nlast"
    assert word_before(Place(PATH, text, len("first\n") + len(line))) == word


@pytest.mark.parametrize(
    ("word", "text", "label"),
    [
        ("ret", "urn x", "return x"),
        ("", "\n    y = 1\n    return y", "y = 1 …"),
        ("f", "(x):\n    return x", "f(x): …"),
        ("", "x" * 100, "x" * 71 + "…"),
    ],
)
def test_a_label_is_one_readable_line(word: str, text: str, label: str) -> None:
    assert label_of(word, text) == label

"""What became of suggestions, told from the changes of the text; nobody says that they accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from qwen_lsp.features.complete.receipt import Source
from qwen_lsp.features.complete.tally import KEPT_AFTER, Tally, statistics
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

PATH = RelPath("a.py")
BEFORE = "import os\n\n\ndef f(x):\n    return "
AFTER = "\n\n\ndef g():\n    pass\n"


class Clock:
    """Calls that are due are made when somebody says that time has passed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[float, Callable[[], None], Call]] = []

    def later(self, seconds: float, call: Callable[[], None]) -> Call:
        handle = Call()
        self.calls.append((self.now + seconds, call, handle))
        return handle

    def passes(self, seconds: float) -> None:
        self.now += seconds
        due = [(call, handle) for at, call, handle in self.calls if at <= self.now]
        self.calls = [entry for entry in self.calls if entry[0] > self.now]
        for call, handle in due:
            if not handle.cancelled:
                call()


class Call:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Document:
    """One document in an editor, with a cursor, and the tally that hears of its changes."""

    text: str = BEFORE + AFTER
    cursor: int = len(BEFORE)
    clock: Clock = field(default_factory=Clock)
    open: bool = True

    def __post_init__(self) -> None:
        self.tally = Tally(read=lambda path: self.text if self.open else None, later=self.clock.later)

    def shows(self, text: str, source: Source = "model", answer: object = None) -> None:
        self.tally.shown(PATH, "python", self.cursor, text, source, answer=answer)

    def edit(self, start: int, end: int, text: str) -> None:
        self.tally.changed(PATH, self.text, TextEdit(Span(start, end), text))
        self.text = self.text[:start] + text + self.text[end:]
        if start <= self.cursor:
            self.cursor = start + len(text) if self.cursor <= end else self.cursor + len(text) - (end - start)

    def insert(self, text: str) -> None:
        """In one change, as an editor does when somebody accepts, or types one character."""
        self.edit(self.cursor, self.cursor, text)

    def types(self, text: str) -> None:
        for char in text:
            self.insert(char)

    def takes_back(self, count: int) -> None:
        for _ in range(count):
            self.edit(self.cursor - 1, self.cursor, "")

    def counts(self) -> tuple[int, int, int, int]:
        """Shown, accepted, accepted in part, typed through."""
        total = self.tally.total
        return total.shown, total.accepted, total.accepted_in_part, total.typed_through

    def kept(self) -> tuple[int, int]:
        return self.tally.total.kept, self.tally.total.kept_of


@pytest.fixture
def document() -> Document:
    return Document()


# -- what was done with it -----------------------------------------------------------------------------


def test_who_inserts_the_whole_at_once_has_accepted(document: Document) -> None:
    document.shows("x + 1")
    assert document.counts() == (1, 0, 0, 0)
    document.insert("x + 1")
    assert document.counts() == (1, 1, 0, 0)


def test_several_lines_are_accepted_in_the_line_ends_of_the_document(document: Document) -> None:
    document.shows("x\n    y\n    z")
    document.insert("x\r\n    y\r\n    z")
    assert document.counts() == (1, 1, 0, 0)


def test_typing_along_and_then_accepting_is_accepting(document: Document) -> None:
    document.shows("x + 1")
    document.types("x +")
    document.insert(" 1")
    assert document.counts() == (1, 1, 0, 0)


def test_word_by_word_is_in_part_until_it_is_the_whole(document: Document) -> None:
    document.shows("value + 1")
    document.insert("value")
    assert document.counts() == (1, 0, 1, 0)
    document.insert(" +")
    assert document.counts() == (1, 0, 1, 0)
    document.insert(" 1")
    assert document.counts() == (1, 1, 0, 0)


def test_typing_it_to_its_end_is_no_acceptance(document: Document) -> None:
    document.shows("x + 1")
    document.types("x + 1")
    assert document.counts() == (1, 0, 0, 1)


def test_brackets_that_the_editor_closes_count_as_typed(document: Document) -> None:
    document.shows("g(x)")
    document.types("g")
    document.edit(document.cursor, document.cursor, "()")
    document.cursor -= 1
    document.types("x")
    document.types(")")
    assert document.counts() == (1, 0, 0, 1)


def test_a_bracket_closed_in_a_change_of_its_own_counts_as_typed(document: Document) -> None:
    document.shows("g(x + 1)")
    document.types("g(")
    document.edit(document.cursor, document.cursor, ")")
    document.cursor -= 1
    document.types("x + 1)")
    assert document.counts() == (1, 0, 0, 1)


def test_a_new_line_with_its_indentation_counts_as_typed(document: Document) -> None:
    document.shows("x\n    y")
    document.types("x")
    document.insert("\n    ")
    document.types("y")
    assert document.counts() == (1, 0, 0, 1)


def test_something_else_is_a_refusal(document: Document) -> None:
    document.shows("x + 1")
    document.types("y")
    document.takes_back(1)
    document.insert("x + 1")
    assert document.counts() == (1, 0, 0, 0)


def test_what_was_typed_of_it_may_be_taken_back(document: Document) -> None:
    document.shows("x + 1")
    document.types("x +")
    document.takes_back(2)
    document.insert(" + 1")
    assert document.counts() == (1, 1, 0, 0)


def test_changes_elsewhere_leave_it_standing(document: Document) -> None:
    document.shows("x + 1")
    document.edit(0, 0, "import re\n")
    document.edit(len(document.text), len(document.text), "# end\n")
    document.insert("x + 1")
    assert document.counts() == (1, 1, 0, 0)


# -- how editors tell it -------------------------------------------------------------------------------


def test_an_item_that_replaces_the_word_before_the_cursor(document: Document) -> None:
    document.types("val")
    document.shows("ue + 1")
    document.edit(document.cursor - 3, document.cursor, "value + 1")
    assert document.counts() == (1, 1, 0, 0)


def test_an_editor_that_sends_the_whole_document(document: Document) -> None:
    document.shows("x + 1")
    at = document.cursor
    document.edit(0, len(document.text), document.text[:at] + "x + 1" + document.text[at:])
    assert document.counts() == (1, 1, 0, 0)


def test_an_editor_that_sends_what_differs_and_names_another_of_two_equal_characters() -> None:
    document = Document("f(a)\n", 2)
    document.shows("a, b, ")
    # `f(a, b, a)` differs from `f(a)` by `, b, a` behind the first `a` just as well.
    document.edit(3, 3, ", b, a")
    assert document.counts() == (1, 1, 0, 0)

    document = Document("x = aa", 6)
    document.shows("ba")
    document.edit(5, 5, "ab")
    assert document.text == "x = aaba"
    assert document.counts() == (1, 1, 0, 0)


# -- what counts as one --------------------------------------------------------------------------------


def test_the_same_answer_shown_again_while_typing_counts_once(document: Document) -> None:
    answer = object()
    document.shows("x + 1", answer=answer)
    document.types("x")
    document.shows(" + 1", "cache", answer)
    document.types(" ")
    document.shows("+ 1", "cache")
    document.insert("+ 1")
    assert document.counts() == (1, 1, 0, 0)
    assert document.tally.by_source["model"].accepted == 1
    assert "cache" not in document.tally.by_source


def test_an_answer_that_comes_back_after_something_else_was_typed_counts_once(document: Document) -> None:
    answer = object()
    document.shows("x + 1", answer=answer)
    document.types("y")
    document.takes_back(1)
    document.shows("x + 1", "cache", answer)
    assert document.counts() == (1, 0, 0, 0)


def test_an_answer_that_was_accepted_is_a_new_one_the_next_time(document: Document) -> None:
    answer = object()
    for _ in range(2):
        document.shows("x + 1", answer=answer)
        document.insert("x + 1")
        document.edit(document.cursor - 5, document.cursor, "")
    assert document.counts() == (2, 2, 0, 0)


def test_what_was_typed_while_the_request_ran_is_no_acceptance(document: Document) -> None:
    asked, at = document.tally.now, document.cursor
    document.types("x +")
    document.tally.shown(PATH, "python", at, "x + 1", "model", since=asked)
    document.insert(" 1")
    assert document.counts() == (1, 1, 0, 0)

    asked, at = document.tally.now, document.cursor
    document.types("other")
    document.tally.shown(PATH, "python", at, "x + 1", "model", since=asked)
    document.insert("x + 1")
    assert document.counts() == (2, 1, 0, 0)


# -- whether it stays ----------------------------------------------------------------------------------


def test_what_is_still_there_after_half_a_minute_was_kept(document: Document) -> None:
    document.shows("x + 1")
    document.insert("x + 1")
    document.edit(0, 0, "import re\n" * 200)
    document.clock.passes(KEPT_AFTER - 1)
    assert document.kept() == (0, 0)
    document.clock.passes(1)
    assert document.kept() == (1, 1)


def test_a_formatter_takes_nothing_away(document: Document) -> None:
    document.shows("g(x,y)\n  + 1")
    document.insert("g(x,y)\n  + 1")
    at = document.text.index("g(x,y)")
    document.edit(at, at + 12, "g(x, y) + 1")
    document.clock.passes(KEPT_AFTER)
    assert document.kept() == (1, 1)


def test_what_was_taken_back_or_changed_was_not_kept(document: Document) -> None:
    document.shows("x + 1")
    document.insert("x + 1")
    document.edit(document.cursor - 1, document.cursor, "2")
    document.clock.passes(KEPT_AFTER)
    assert document.kept() == (0, 1)


@pytest.mark.parametrize("tells", [True, False])
def test_of_a_document_that_was_closed_nothing_is_known(document: Document, tells: bool) -> None:
    document.shows("x + 1")
    document.insert("x + 1")
    document.open = False
    if tells:
        document.tally.closed(PATH)
    document.clock.passes(KEPT_AFTER)
    assert document.kept() == (0, 0)


def test_nothing_is_called_when_all_is_over(document: Document) -> None:
    document.shows("x + 1")
    document.insert("x + 1")
    document.tally.close()
    document.clock.passes(KEPT_AFTER)
    assert document.kept() == (0, 0)


def test_memory_is_bounded(document: Document) -> None:
    for number in range(500):
        document.shows("x + 1", answer=object())
        document.insert("x + 1")
        document.tally.shown(RelPath(f"{number}.py"), "python", 0, "a", "model")
    assert sum(not handle.cancelled for _, _, handle in document.clock.calls) == 64
    document.clock.passes(KEPT_AFTER)
    assert document.kept() == (64, 64)


# -- what is told --------------------------------------------------------------------------------------


def test_the_counts_are_told_by_source_and_by_language() -> None:
    one, other = Document(), Document()
    one.shows("x + 1", "embedded")
    other.shows("x + 1")
    other.insert("x + 1")
    other.tally.shown(RelPath("b.go"), "go", 0, "x", "cache")
    other.tally.requests_avoided = 3

    told = statistics([one.tally, other.tally])

    def of(counts: dict[str, Any]) -> tuple[int, int]:
        return counts["shown"], counts["accepted"]

    assert of(told) == (3, 1)
    assert told["requests_avoided"] == 3
    assert {name: of(counts) for name, counts in told["by_source"].items()} == {
        "model": (1, 1), "cache": (1, 0), "embedded": (1, 0),
    }  # fmt: skip
    assert {name: of(counts) for name, counts in told["by_language"].items()} == {
        "go": (1, 0), "python": (2, 1),
    }  # fmt: skip

"""Keystrokes put together: what one edit is, where it is, and what is nobody's edit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qwen_lsp.features.next_edit.history import PAUSE, SETTLED, Edit, EditLog
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

PATH = RelPath("a.py")
TEXT = "def area(shape):\n    width = shape.w\n    return width\n\n\ndef other():\n    return 1\n"


class Typist:
    """Somebody who types into one file; a keystroke takes a tenth of a second."""

    def __init__(self, text: str) -> None:
        self.text, self.log, self.at = text, EditLog(), 0.0

    def put(self, start: int, end: int, new: str) -> None:
        after = self.text[:start] + new + self.text[end:]
        self.at += 0.1
        self.log.note(PATH, self.text, TextEdit(Span(start, end), new), after, self.at)
        self.text = after

    def type(self, at: int, letters: str) -> None:
        for number, letter in enumerate(letters):
            self.put(at + number, at + number, letter)

    def erase(self, what: str) -> int:
        """Rub a text out from its end, a letter at a time; gives where it was."""
        start = self.text.index(what)
        for end in range(start + len(what), start, -1):
            self.put(end - 1, end, "")
        return start


def test_letters_rubbed_out_and_typed_are_one_edit_of_whole_lines() -> None:
    one = Typist(TEXT)
    one.type(one.erase("area"), "surface")
    assert one.log.recent() == (Edit(PATH, 0, "def area(shape):\n", "def surface(shape):\n"),)
    assert one.log.recent()[0].undone(one.text) == TEXT


def test_an_edit_far_away_is_another_one_and_offsets_stay_true() -> None:
    one = Typist(TEXT)
    one.type(one.erase("1"), "2")
    one.type(one.erase("area"), "surface")
    newest, older = one.log.recent()
    assert newest.after == "def surface(shape):\n"
    assert older == Edit(PATH, one.text.index("    return 2"), "    return 1\n", "    return 2\n")
    assert older.undone(one.text) == TEXT.replace("area", "surface")


def test_neighbouring_lines_are_one_edit() -> None:
    one = Typist(TEXT)
    one.type(one.erase("width = "), "w = ")
    one.type(one.erase("width"), "w")
    (edit,) = one.log.recent()
    assert edit.before == "    width = shape.w\n    return width\n"
    assert edit.after == "    w = shape.w\n    return w\n"


def test_a_long_pause_begins_another_edit() -> None:
    one = Typist(TEXT)
    one.type(one.erase("area"), "a")
    one.at += PAUSE
    one.type(one.text.index("(shape"), "b")
    assert [edit.after for edit in one.log.recent()] == ["def ab(shape):\n"], "the older lines are others now"


def test_what_was_taken_back_is_no_edit() -> None:
    one = Typist(TEXT)
    one.type(one.erase("area"), "area")
    assert one.log.recent() == ()


def test_a_line_put_in_or_taken_out_takes_no_other_line_along() -> None:
    one = Typist(TEXT)
    one.put(one.text.index("    return width"), one.text.index("\n\ndef") + 0, "")
    assert one.log.recent()[0].before.startswith("    return width")
    two = Typist("a\nb\n")
    two.put(2, 2, "new\n")
    assert two.log.recent() == (Edit(PATH, 2, "", "new\n"),)


def test_a_formatter_is_nobody() -> None:
    one = Typist(TEXT)
    one.type(one.erase("area"), "a")
    one.put(0, len(one.text), "x = 1\n" * 4_000)
    assert one.log.recent() == ()


def test_a_text_sent_whole_counts_for_what_changed_in_it() -> None:
    one = Typist(TEXT * 200)
    one.put(0, len(one.text), one.text.replace("area", "surface", 1))
    assert one.log.recent() == (Edit(PATH, 0, "def area(shape):\n", "def surface(shape):\n"),)


def test_only_so_many_edits_are_kept_and_a_closed_file_has_none() -> None:
    one = Typist("x = 1\n\n\n\n\n" * 40)
    for number in range(40):
        start = number * 10 + 4
        one.put(start, start + 1, "2")
    assert len(one.log.recent()) == 17
    one.log.forget(PATH)
    assert one.log.recent() == ()


def test_an_edit_is_settled_when_nobody_types() -> None:
    one = Typist(TEXT)
    assert not one.log.settled(100.0)
    one.type(0, "x")
    assert not one.log.settled(one.at)
    assert one.log.settled(one.at + SETTLED)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8), st.sampled_from(["", "x", "y\n", "\n", "zz"])))
)
def test_the_newest_edit_always_leads_back_to_a_text_that_was(steps: list[tuple[int, int, str]]) -> None:
    one = Typist("a = 1\nb = 2\n\nc = 3\n\n\n\nd = 4\ne\n" * 2)
    texts = [one.text]
    for start, length, new in steps:
        first = min(start, len(one.text))
        one.put(first, min(first + length, len(one.text)), new)
        texts.append(one.text)
    for edit in one.log.recent()[:1]:
        assert edit.undone(one.text) in texts
    for edit in one.log.recent():
        assert edit.undone(one.text) is not None, "every edit that is kept still stands in the text"

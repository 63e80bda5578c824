"""Edits that leave alone what stays: words, never parts of them, and never half the end of a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_lsp.server.workspace_edit import text_edits
from qwen_lsp.text.edits import FileEdit, TextEdit, apply
from qwen_lsp.text.narrow import by_words, trimmed
from qwen_lsp.text.positions import LineIndex, Position, PositionEncoding, Span

TEXTS = st.text("ab _(\r\né\u0301", max_size=24)


def told(before: str, after: str) -> list[tuple[str, str]]:
    """What each edit takes and puts there."""
    return [(before[e.span.start : e.span.end], e.text) for e in by_words(before, after)]


def test_a_line_that_was_changed_a_little_is_changed_by_its_words() -> None:
    before = "import net\n\n\ndef total(lines):\n    return sum(net(line) for line in lines)\n"
    assert told(before, before.replace("net", "not_taxed")) == [("net", "not_taxed")] * 2


def test_lines_below_each_other_are_changed_one_by_one() -> None:
    before = "width = net(a)\nheight = net(b)\n"
    assert told(before, before.replace("net", "gross")) == [("net", "gross")] * 2


def test_lines_that_were_written_anew_are_one_edit() -> None:
    assert told("x = 1\nfor y in z:\n", "if not x:\n    return None\n") == [
        ("x = 1\nfor y in z:", "if not x:\n    return None")
    ]


def test_lines_that_come_or_go_are_whole() -> None:
    assert told("a\nc\n", "a\nb\nc\n") == [("", "b\n")]
    assert told("a\nb\nc\n", "a\nc\n") == [("b\n", "")]


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        ("a\r\nb\r\n", "a\nb\n", [("\r\nb\r\n", "\nb\n")]),
        ("x = y\n", "x =\u0338 y\n", [("=", "=\u0338")]),
        (
            "f(\U0001f469)\n",
            "f(\U0001f469\u200d\U0001f52c)\n",
            [("\U0001f469", "\U0001f469\u200d\U0001f52c")],
        ),
        ("x = 1", "x = 1\n", [("", "\n")]),
        ("é = 1\n", "e\u0301 = 1\n", [("é", "e\u0301")]),
        ("x = e\n", "x = e\u0301\n", [("e", "e\u0301")]),
        ("", "a\nb\n", [("", "a\nb\n")]),
        ("a\n", "a\n", []),
    ],
)
def test_what_belongs_together_is_not_parted(before: str, after: str, edits: list[tuple[str, str]]) -> None:
    assert told(before, after) == edits


def test_a_block_that_is_indented_anew_is_one_edit() -> None:
    lines = ["for x in y:\n", "  a(x)\n", "  b(x)\n"]
    assert len(by_words("".join(lines), "".join(lines).replace("  ", "    "))) == 1


def test_very_many_lines_below_each_other_are_one_edit() -> None:
    before = "".join(f"x{number} = net(a)\n" for number in range(101))
    assert len(by_words(before, before.replace("net", "gross"))) == 1
    few = before[: before.index("x100")]
    assert len(by_words(few, few.replace("net", "gross"))) == 100


def test_what_is_no_word_for_its_length_is_parted() -> None:
    before = "data = '" + "a" * 100_000 + "'\n"
    after = before.replace("aa'", "ab'")
    (edit,) = by_words(before, after)
    assert len(edit.span) < 1_000


@given(TEXTS, TEXTS)
def test_they_lead_from_one_text_to_the_other_and_part_nothing(before: str, after: str) -> None:
    edits = by_words(before, after)
    assert apply(before, edits) == after
    moved = 0
    for edit in edits:
        new_start = edit.span.start + moved
        moved += len(edit.text) - len(edit.span)
        for text, at in (
            (before, edit.span.start),
            (before, edit.span.end),
            (after, new_start),
            (after, new_start + len(edit.text)),
        ):
            left, right = text[max(0, at - 1) : at], text[at : at + 1]
            assert left + right != "\r\n"
            assert not (left and right and (left + right).replace("_", "a").isalnum())
            assert not (left and right == "\u0301")


@given(TEXTS, TEXTS, st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_an_editor_comes_to_the_same_text_in_every_encoding(
    before: str, after: str, encoding: PositionEncoding
) -> None:
    before, after = (text.replace("(", "\U0001f600") for text in (before, after))
    lines = LineIndex(before)
    edits: list[TextEdit] = []
    for change in text_edits(FileEdit("a.py", before, after), encoding):
        start, end = (Position(at.line, at.character) for at in (change.range.start, change.range.end))
        edits.append(TextEdit(lines.span(start, end, encoding), change.new_text))
    assert apply(before, edits) == after


@given(TEXTS, TEXTS)
def test_a_trimmed_edit_does_the_same_and_no_end_of_it_stays(before: str, after: str) -> None:
    edit = trimmed(before, TextEdit(Span(0, len(before)), after))
    assert apply(before, [edit]) == after
    taken = before[edit.span.start : edit.span.end]
    assert not taken or not edit.text or (taken[0] != edit.text[0] and taken[-1] != edit.text[-1])

"""LineIndex against an independent model that encodes the text and counts bytes."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any as TraceFunction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qwen_lsp.text.positions import LineIndex, Position, PositionEncoding, Span, code_units

# Line ends of every kind and in every order, characters of one to four bytes, a joined emoji, a combining
# mark, a lone surrogate, and separators that Python takes for line ends and the protocol does not.
ALPHABET = [
    "\n", "\r", "\r\n", "a", "b", " ", "é", "日", "𝒳", "👩\u200d👩\u200d👧", "e\u0301", "\ud800", "\u2028",
    "\x0c", "\x85",
]  # fmt: skip
texts = st.lists(st.sampled_from(ALPHABET), max_size=25).map("".join)
encodings = st.sampled_from(["utf-8", "utf-16", "utf-32"])
WIDTH = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
CODEC = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


def units(text: str, encoding: PositionEncoding) -> int:
    return len(text.encode(CODEC[encoding], "surrogatepass")) // WIDTH[encoding]


def model_lines(text: str) -> list[tuple[int, int]]:
    """Start and end (without its terminator) of each line, character by character."""
    lines: list[tuple[int, int]] = []
    start = at = 0
    while at < len(text):
        if text[at] in "\r\n":
            lines.append((start, at))
            at += 2 if text.startswith("\r\n", at) else 1
            start = at
        else:
            at += 1
    return [*lines, (start, len(text))]


@settings(max_examples=400, deadline=None)
@given(texts)
@example("\r\n")
@example("a\r")
@example("\n\r")
def test_lines_are_where_the_model_finds_them(text: str) -> None:
    index, lines = LineIndex(text), model_lines(text)
    assert index.line_count == len(lines)
    for number, (start, end) in enumerate(lines):
        assert index.start_of(number) == start
        assert index.end_of(number) == end
        assert index.line_text(number) == text[start:end]
    assert index.start_of(len(lines)) == len(text)
    assert index.line_text(len(lines)) == ""
    assert index.lines_span(0, len(lines)) == Span(0, len(text))


@settings(max_examples=400, deadline=None)
@given(texts, encodings)
def test_positions_and_offsets_agree_with_the_model(text: str, encoding: PositionEncoding) -> None:
    index, lines = LineIndex(text), model_lines(text)
    for offset in range(len(text) + 1):
        line = max(n for n, (start, _) in enumerate(lines) if start <= offset)
        position = Position(line, units(text[lines[line][0] : offset], encoding))
        assert index.position(offset, encoding) == position
        # Inside a CRLF there is no position of its own: it reads as the end of the line.
        assert index.offset(position, encoding) == min(offset, lines[line][1])


@settings(max_examples=400, deadline=None)
@given(texts, encodings, st.integers(0, 12), st.integers(0, 40))
def test_any_position_has_an_offset(text: str, encoding: PositionEncoding, line: int, character: int) -> None:
    index, lines = LineIndex(text), model_lines(text)
    offset = index.offset(Position(line, character), encoding)
    if line >= len(lines):
        assert offset == len(text)
        return
    start, end = lines[line]
    assert start <= offset <= end
    # The last offset of the line that lies at or before the position.
    assert units(text[start:offset], encoding) <= character
    assert offset == end or units(text[start : offset + 1], encoding) > character


@settings(max_examples=600, deadline=None)
@given(texts, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), texts), min_size=1, max_size=5))
def test_an_edited_index_is_that_of_the_new_text(text: str, edits: list[tuple[int, int, str]]) -> None:
    index = LineIndex(text)
    for a, b, replacement in edits:
        span = Span(*sorted((min(a, len(index.text)), min(b, len(index.text)))))
        expected = index.text[: span.start] + replacement + index.text[span.end :]
        index = index.edited(span, replacement)
        fresh = LineIndex(expected)
        assert index.text == expected
        assert [index.start_of(n) for n in range(index.line_count)] == [
            fresh.start_of(n) for n in range(fresh.line_count)
        ]
        offsets = range(len(expected) + 1)
        assert [index.line_at(n) for n in offsets] == [fresh.line_at(n) for n in offsets]


@given(texts, encodings)
def test_code_units_are_those_of_the_encoded_text(text: str, encoding: PositionEncoding) -> None:
    assert code_units(text, encoding) == units(text, encoding)


def test_a_position_inside_a_character_is_its_start() -> None:
    index = LineIndex("a𝒳b")
    assert [index.offset(Position(0, n), "utf-16") for n in range(5)] == [0, 1, 1, 2, 3]
    assert [index.offset(Position(0, n), "utf-8") for n in range(7)] == [0, 1, 1, 1, 1, 2, 3]


def test_a_reversed_pair_is_read_the_other_way_round() -> None:
    index = LineIndex("one\ntwo")
    assert index.span(Position(1, 1), Position(0, 2), "utf-16") == Span(2, 5)


@pytest.mark.parametrize(
    ("span", "other", "touching"),
    [((1, 3), (3, 5), True), ((1, 3), (4, 5), False), ((2, 2), (1, 3), True), ((3, 3), (3, 3), True)],
)
def test_spans_touch(span: tuple[int, int], other: tuple[int, int], touching: bool) -> None:
    assert Span(*span).touches(Span(*other)) is touching
    assert Span(*other).touches(Span(*span)) is touching


def test_a_span_holds_its_offsets() -> None:
    assert 1 in Span(1, 3)
    assert 3 not in Span(1, 3)
    assert "1" not in Span(1, 3)
    assert len(Span(1, 3)) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_in_a_line_of_a_megabyte_nothing_is_counted_one_by_one(encoding: PositionEncoding) -> None:
    """Asking for a place takes no more steps of the interpreter than the line has halves."""
    line = "é" + "var a = 1;" * 100_000
    index = LineIndex(line)
    steps = 0

    def counted(frame: FrameType, event: str, arg: object) -> TraceFunction:
        nonlocal steps
        steps += event == "line"
        return counted

    before = sys.gettrace()
    sys.settrace(counted)
    try:
        position = index.position(len(line) - 3, encoding)
        offset = index.offset(position, encoding)
    finally:
        sys.settrace(before)
    assert offset == len(line) - 3
    assert steps < 1_000

"""Offsets, lines and the three position encodings of the protocol.

Line terminators are LF, CRLF and a lone CR (LSP 3.18, "Text Documents"). A position past the end of
its line means the end of the line; one inside a surrogate pair or a UTF-8 sequence means the start of
that character; a line past the end means the end of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

PositionEncoding = Literal["utf-8", "utf-16", "utf-32"]

_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A zero-based line and a zero-based count of code units in the encoding that was agreed on."""

    line: int
    character: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code point offsets."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def __contains__(self, offset: object) -> bool:
        return isinstance(offset, int) and self.start <= offset < self.end

    def touches(self, other: Span) -> bool:
        """Whether the two overlap or meet; an empty span touches what it stands in or beside."""
        return self.start <= other.end and other.start <= self.end


class LineIndex:
    """Where each line of one text starts; O(lines) to build, O(log lines) to ask.

    Typing within a line moves all lines below it. An index that follows from another by that shares its
    list and remembers from which line on it is off by how much.
    """

    __slots__ = ("_moved", "_shift", "_starts", "text")

    def __init__(self, text: str, starts: list[int] | None = None, moved: int = 0, shift: int = 0) -> None:
        self.text = text
        self._starts = [0, *(m.end() for m in _BREAK.finditer(text))] if starts is None else starts
        self._moved, self._shift = moved, shift
        """The first line that starts elsewhere than the list says, and how much farther on."""

    @property
    def line_count(self) -> int:
        return len(self._starts)

    def start_of(self, line: int) -> int:
        """Offset of the first character of `line`; the end of the text for a line past the end."""
        if line >= len(self._starts):
            return len(self.text)
        return self._starts[line] + self._shift if line >= self._moved else self._starts[line]

    def end_of(self, line: int) -> int:
        """Offset just before the line's terminator."""
        if line + 1 >= len(self._starts):
            return len(self.text)
        end = self.start_of(line + 1) - 1
        if end > self.start_of(line) and self.text[end] == "\n" and self.text[end - 1] == "\r":
            end -= 1
        return end

    def line_at(self, offset: int) -> int:
        if self._shift and self._moved < len(self._starts) and offset >= self.start_of(self._moved):
            return bisect_right(self._starts, offset - self._shift, lo=self._moved) - 1
        return bisect_right(self._starts, offset, hi=self._moved if self._shift else None) - 1

    def line_text(self, line: int) -> str:
        """The line without its terminator; empty past the end."""
        return self.text[self.start_of(line) : self.end_of(line)] if line < len(self._starts) else ""

    def lines_span(self, first: int, last: int) -> Span:
        """The span of whole lines `first` to `last`, both included, with the last terminator."""
        return Span(self.start_of(first), self.start_of(last + 1))

    def offset(self, position: Position, encoding: PositionEncoding) -> int:
        if position.line >= len(self._starts):
            return len(self.text)
        start, end = self.start_of(position.line), self.end_of(position.line)
        line = self.text[start:end]
        if encoding == "utf-32" or line.isascii():
            return min(start + position.character, end)
        # By halves: a line may be a megabyte, and what is left of it is encoded at the speed of memory.
        low, high, units = 0, min(len(line), position.character), 0
        while low < high:
            middle = (low + high + 1) // 2
            more = units + code_units(line[low:middle], encoding)
            if more <= position.character:
                low, units = middle, more
            else:
                high = middle - 1
        return start + low

    def position(self, offset: int, encoding: PositionEncoding) -> Position:
        offset = max(0, min(offset, len(self.text)))
        line = self.line_at(offset)
        return Position(line, code_units(self.text[self.start_of(line) : offset], encoding))

    def span(self, start: Position, end: Position, encoding: PositionEncoding) -> Span:
        """The span between two positions; a reversed pair is read the other way round."""
        first, second = self.offset(start, encoding), self.offset(end, encoding)
        return Span(min(first, second), max(first, second))

    def edited(self, span: Span, replacement: str, text: str | None = None) -> LineIndex:
        """The index of the text after one replacement, without scanning the unchanged rest.

        `text`: that text, where the caller has it already.
        """
        if text is None:
            text = self.text[: span.start] + replacement + self.text[span.end :]
        delta = len(replacement) - len(span)
        if self._within_line(span, replacement):
            below = self.line_at(span.start) + 1
            if not self._shift or self._moved == below:
                return LineIndex(text, self._starts, below, self._shift + delta)
        starts = self._starts
        if self._shift:
            starts = [*starts[: self._moved], *(s + self._shift for s in starts[self._moved :])]
        # A terminator can be split or joined at either seam (CR | LF), so rescan one whole line beyond.
        first = max(self.line_at(span.start) - 1, 0)
        last = self.line_at(span.end) + 2
        scan_from = starts[first]
        keep_from = starts[last] if last < len(starts) else None
        scan_to = len(text) if keep_from is None else keep_from + delta
        middle = [m.end() for m in _BREAK.finditer(text, scan_from, scan_to)]
        tail = [] if keep_from is None else [s + delta for s in starts[last + 1 :]]
        return LineIndex(text, [*starts[: first + 1], *middle, *tail])

    def _within_line(self, span: Span, replacement: str) -> bool:
        """Whether the replacement leaves every terminator as it is."""
        if self.text[max(0, span.start - 1) : span.start] == "\r":
            return False
        return not (_BREAK.search(replacement) or _BREAK.search(self.text, span.start, span.end))


def code_units(text: str, encoding: PositionEncoding) -> int:
    """How many code units of `encoding` the text takes."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode("utf-8", "surrogatepass"))

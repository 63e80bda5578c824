"""A text without the differences that do not matter, with the way back to its own offsets."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass

_PUNCTUATION = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys(
            "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
    }
)  # one character for one, so that columns stay
_CR = re.compile(r"\r\n?")
_TRAILING = re.compile(r"(?<![ \t\u00a0\u3000])[ \t\u00a0\u3000]+(?=\r|\n|\Z)|\r\n?")


@dataclass(frozen=True, slots=True)
class Canonical:
    """`text` in canonical form; `marks` are the places where original and canonical offsets drift apart."""

    text: str
    marks: tuple[tuple[int, int, int], ...]
    """(canonical offset, 1 where blanks were dropped, what to add from there on), ascending."""

    def start(self, offset: int) -> int:
        """The original offset of the start of a match: behind blanks that were dropped there."""
        return self._original(offset, bisect.bisect_left(self.marks, (offset, 2)))

    def end(self, offset: int) -> int:
        """The original offset of the end of a match: in front of blanks that were dropped there."""
        return self._original(offset, bisect.bisect_left(self.marks, (offset, 1)))

    def _original(self, offset: int, count: int) -> int:
        return offset + (self.marks[count - 1][2] if count else 0)


def canonical(text: str, *, punctuation: bool, trailing: bool) -> Canonical:
    """Line ends as LF; typographic punctuation as ASCII; blanks at line ends dropped, as asked."""
    pieces: list[str] = []
    marks: list[tuple[int, int, int]] = []
    done = length = 0
    for found in (_TRAILING if trailing else _CR).finditer(text):
        start, end = found.span()
        pieces.append(text[done:start])
        length += start - done
        if text[start] == "\r":
            pieces.append("\n")
            length += 1
        if end - start != (text[start] == "\r"):
            marks.append((length, int(text[start] != "\r"), end - length))
        done = end
    pieces.append(text[done:])
    joined = "".join(pieces)
    return Canonical(joined.translate(_PUNCTUATION) if punctuation else joined, tuple(marks))


def find_all(text: str, what: str) -> list[int]:
    """Every offset of `what`, overlapping ones too."""
    found: list[int] = []
    at = text.find(what)
    while at >= 0 and what:
        found.append(at)
        at = text.find(what, at + 1)
    return found

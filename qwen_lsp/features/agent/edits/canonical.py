"""A text without the differences that do not matter, with the way back to its own offsets."""

from __future__ import annotations

import bisect
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_ONE_FOR_ONE = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63", "-"),
        **dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000", " "),
        **{chr(code): " " for code in range(0x2000, 0x200B)},
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    }
)
"""Typographic and full-width punctuation, one character for one."""
BLANKS = "\u0020\t\u00a0\u3000"
_INVISIBLE = "\u00ad\u200b-\u200d\u2060\ufe0e\ufe0f\ufeff"
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u093c\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f"
)
"""Combining marks, which have a letter in front of them or are one with it."""
_CR = re.compile(r"\r\n?")
_TRAILING = rf"(?<![{BLANKS}])[{BLANKS}]++(?=\r|\n|\Z)|\r\n?"
_LOOSE_ASCII = re.compile(_TRAILING)
_LOOSE = re.compile(
    rf"{_TRAILING}|[{_INVISIBLE}]+|\u2026|[^\s{_MARKS}][{_MARKS}]+|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?"
    rf"|[\u2126\u212a\u212b]"
)


@dataclass(frozen=True, slots=True)
class Canonical:
    """`text` in canonical form, and where a piece of the original has another length there."""

    text: str
    pieces: tuple[tuple[int, int, int, int], ...]
    """(canonical start, canonical end, original start, original end) of each such piece, ascending."""
    ends: tuple[int, ...]
    """The canonical ends of the pieces."""

    def start(self, offset: int) -> int | None:
        """The original offset of the start of a match, behind what was dropped there; None inside a piece."""
        at = bisect.bisect_right(self.ends, offset)
        return self._original(offset, at)

    def end(self, offset: int) -> int | None:
        """The original offset of the end of a match, before what was dropped there; None inside a piece."""
        at = bisect.bisect_right(self.ends, offset)
        while at and self.pieces[at - 1][0] == offset:
            at -= 1
        return self._original(offset, at)

    def canonical(self, original: int) -> int | None:
        """The canonical offset of an original one; None inside a piece that is there in another form."""
        at = bisect.bisect_right(self.pieces, original, key=lambda piece: piece[2])
        if not at:
            return original
        start, end, begins, ends = self.pieces[at - 1]
        if original >= ends:
            return end + original - ends
        return start if original == begins or start == end else None

    def _original(self, offset: int, at: int) -> int | None:
        if at < len(self.pieces) and self.pieces[at][0] < offset < self.pieces[at][1]:
            return None
        if not at:
            return offset
        _, end, _, original = self.pieces[at - 1]
        return original + offset - end


def respelled(region: str, old: str, new: str) -> str:
    """`new` without the typographic characters that only the quotation `old` of `region` has.

    Who quotes `"a"` as `“a”` writes the other quotes of `new` so as well, and the blanks of its lines.
    """
    if old.isascii() or region == old:
        return new
    composed = unicodedata.normalize("NFC", old)
    if composed != old and unicodedata.normalize("NFC", region) == region:
        new = unicodedata.normalize("NFC", new)
    for character in set(old) - set(region):
        plain = loose(f"a{character}a").text[1:-1]
        if not character.isascii() and plain.isascii() and plain in region:
            new = new.replace(character, plain)
    return new


def line_ends(text: str) -> Canonical:
    """Every line end as LF, all else as it is."""
    return _made(text, _CR, one_for_one=False)


def loose(text: str) -> Canonical:
    """Line ends as LF; blanks at line ends and invisible characters dropped; punctuation as ASCII; NFC."""
    if text.isascii():
        return _made(text, _LOOSE_ASCII, one_for_one=False)
    return _made(text, _LOOSE, one_for_one=True)


@lru_cache(maxsize=2)
def loose_file(text: str) -> Canonical:
    """`loose` of a whole file, which is asked for again and again while one edit looks for its place."""
    return loose(text)


def _made(text: str, differing: re.Pattern[str], *, one_for_one: bool) -> Canonical:
    parts: list[str] = []
    pieces: list[tuple[int, int, int, int]] = []
    done = length = 0
    for found in differing.finditer(text):
        start, end = found.span()
        parts.append(text[done:start])
        length += start - done
        instead = _instead(found[0])
        if len(instead) != end - start:
            pieces.append((length, length + len(instead), start, end))
        parts.append(instead)
        length += len(instead)
        done = end
    parts.append(text[done:])
    joined = "".join(parts)
    return Canonical(
        joined.translate(_ONE_FOR_ONE) if one_for_one else joined,
        tuple(pieces),
        tuple(piece[1] for piece in pieces),
    )


def _instead(found: str) -> str:
    first = found[0]
    if first == "\r":
        return "\n"
    if first == "\u2026":
        return "..."
    if first in BLANKS or _is_invisible(first):
        return ""
    return unicodedata.normalize("NFC", found)


def _is_invisible(character: str) -> bool:
    return character in "\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff"


def find_all(text: str, what: str) -> list[int]:
    """Every offset of `what`, overlapping ones too."""
    found: list[int] = []
    at = text.find(what)
    while at >= 0 and what:
        found.append(at)
        at = text.find(what, at + 1)
    return found

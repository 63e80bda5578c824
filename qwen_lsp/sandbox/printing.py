"""What a command prints, made fit to read: decoded, without control sequences, the middle left out.

A sequence for a terminal can hide text, write the clipboard or retitle a window, so none gets through,
also where it comes in pieces.
"""

from __future__ import annotations

import codecs
import re

_LONGEST = 4_096
"""Characters of one sequence. What is longer was none, and must not swallow all that follows."""

# ECMA-48: control sequences, control strings, other escapes, and whatever else is not text. `open` is what
# may go on in the next piece.
_CONTROL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+(?:[@-~]|(?P<open_sequence>\Z))"
    r"|(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^\x07\x18\x1a\x1b\x9c]*+"
    r"(?:[\x07\x18\x1a\x9c]|\x1b\\|(?P<open_string>\x1b?\Z)|(?=\x1b))"
    r"|\x1b[ -/]*+(?:[0-~]|(?P<open_escape>\Z))"
    r"|\r(?:\n|(?P<open_line>\Z))?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


class Reader:
    """Bytes in, plain text out, whatever way the bytes are cut."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._open = ""

    def feed(self, data: bytes, *, last: bool = False) -> str:
        """The text of these bytes. A carriage return is a line end, as the next line is where it matters."""
        text = self._open + self._decode(data, last)
        self._open = ""
        plain = _CONTROL.sub(self._replaced, text)
        if last or len(self._open) > _LONGEST:
            plain += _line_end(self._open)
            self._open = ""
        return plain

    def _replaced(self, found: re.Match[str]) -> str:
        if found.lastgroup is not None:
            self._open = found[0]
            return ""
        return _line_end(found[0])


def _line_end(control: str) -> str:
    return "\n" if control.startswith("\r") else ""


class Kept:
    """As much of a text as fits: its beginning and its end."""

    def __init__(self, limit: int) -> None:
        self._first = limit // 2
        self._last = limit - self._first
        self._head, self._tail = bytearray(), bytearray()
        self._left_out = 0

    def add(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        room = self._first - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._last:
            self._shorten()

    def text(self) -> str:
        """What is kept, with a line in place of what is not."""
        self._shorten()
        head, tail = (part.decode("utf-8", "ignore") for part in (self._head, self._tail))
        if not self._left_out:
            return (self._head + self._tail).decode("utf-8", "replace")
        return f"{head}\n[… {self._left_out:,} bytes left out …]\n{tail}"

    def _shorten(self) -> None:
        over = len(self._tail) - self._last
        if over > 0:
            del self._tail[:over]
            self._left_out += over

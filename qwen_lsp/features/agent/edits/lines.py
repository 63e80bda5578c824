"""Lines with their own ends."""

from __future__ import annotations

import re
from typing import NamedTuple

from qwen_lsp.features.agent.edits.canonical import loose, loose_file

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n)|([^\r\n]+)\Z")
_END = re.compile(r"\r\n|\r|\n")


class Line(NamedTuple):
    """A line: what is on it, and how it ends (nothing for a last line that does not end)."""

    content: str
    end: str


def split_lines(text: str) -> list[Line]:
    """The lines of a text; only CR, LF and CRLF end one."""
    return [Line(content or rest, end) for content, end, rest in _LINE.findall(text)]


def line_of(text: str, offset: int) -> int:
    """The 1-based line of an offset."""
    if "\r" in text:
        return len(_END.findall(text, 0, offset)) + 1
    return text.count("\n", 0, offset) + 1


def unify(text: str) -> str:
    """The text with LF line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def local_end(text: str, start: int, end: int) -> str:
    """The line end in use around a place: behind it, in it, before it; LF where there is none."""
    if found := _END.search(text, end) or _END.search(text, start, end):
        return found[0]
    before = line_start(text, start) - 1
    if before < 0:
        return "\n"
    return "\r\n" if text[before] == "\n" and text[before - 1 : before] == "\r" else text[before]


def line_start(text: str, offset: int) -> int:
    """Where the line of an offset begins."""
    after_lf = text.rfind("\n", 0, offset) + 1
    return max(after_lf, text.rfind("\r", after_lf, offset) + 1)


def starts_line(text: str, offset: int) -> bool:
    """Whether a line begins here."""
    return offset == 0 or text[offset - 1] in "\r\n"


def ends_line(text: str, offset: int) -> bool:
    """Whether a line ends here, or one just ended."""
    return offset >= len(text) or text[offset] in "\r\n" or (offset > 0 and text[offset - 1] in "\r\n")


def key(content: str) -> str:
    """What makes two lines the same line: their characters, but for how they are written and indented."""
    return (content if content.isascii() else loose(content).text).strip()


def keys_of(text: str) -> list[str]:
    """The key of every line of a file."""
    keys = [line.strip() for line in loose_file(text).text.split("\n")]
    if text.endswith(("\n", "\r")) or not text:
        keys.pop()
    return keys

"""Whether an edit was made before: what it looks for is there only as a part of what it makes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwen_lsp.features.agent.edits.canonical import find_all, loose, loose_file
from qwen_lsp.features.agent.edits.indent import windows
from qwen_lsp.features.agent.edits.lines import (
    key,
    line_of,
    line_start,
    split_lines,
)
from qwen_lsp.features.agent.edits.places import Change

_WORD = re.compile(r"\w+")
_NAME = 4
"""Characters from which on a text that ends inside a word is taken for a name."""
_CONTENT = re.compile(r"\S(?:.*\S)?", re.DOTALL)
_LINE_END = re.compile(r"[^\S\r\n]*(?:[\r\n]|\Z)")
_MOST = 20
_LONGEST = 400


def applied(text: str, changes: Sequence[Change], old: str, new: str) -> list[int]:
    """The lines where `new` stands already, if it does at all of these places and holds `old`."""
    lines: list[int] = []
    for change in changes[:_MOST]:
        line = _name_made(text, change, old, new) or _lines_added(text, change, old, new)
        if line is None:
            return []
        lines.append(line)
    return lines


def stands(text: str, old: str, new: str) -> list[int]:
    """The lines where `new` stands as it is written, indentation included; none where `old` has it too."""
    wanted = _without_edges(loose(new).text.split("\n"))
    if not any(_WORD.search(line) for line in wanted) or windows(loose(old).text.split("\n"), wanted):
        return []
    return [at + 1 for at in windows(loose_file(text).text.split("\n"), wanted)]


def _name_made(text: str, change: Change, old: str, new: str) -> int | None:
    """`get` found in the `get_all` that it was to become."""
    if "\n" in new or len(old) < _NAME or not (_joined(text, change.start) or _joined(text, change.end)):
        return None
    for before in find_all(new, old):
        first = change.start - before
        last = first + len(new)
        if first >= 0 and text.startswith(new, first):
            return None if _joined(text, first) or _joined(text, last) else line_of(text, first)
    return None


def _joined(text: str, offset: int) -> bool:
    """Whether an offset is inside a word."""
    return 0 < offset < len(text) and _WORD.fullmatch(text[offset - 1 : offset + 1]) is not None


def _lines_added(text: str, change: Change, old: str, new: str) -> int | None:
    """`a` found in the lines `a`, `b` that it was to become."""
    said, want = _without_edges(_keys(old)), _without_edges(_keys(new))
    more = len(want) - len(said)
    place = _CONTENT.search(text, change.start, change.end)
    if not 0 < more <= _LONGEST or not said or place is None:
        return None
    begin = line_start(text, place.start())
    if text[begin : place.start()].strip() or not _LINE_END.match(text, place.end()):
        return None
    for before in range(more + 1):
        if want[before : before + len(said)] != said:
            continue
        if not any(_WORD.search(line) for line in want[:before] + want[before + len(said) :]):
            continue
        first = begin
        for _ in range(before):
            first = line_start(text, max(first - 1 - (text[first - 2 : first] == "\r\n"), 0))
        if _keys_from(text, first, len(want)) == want and text.count("\n", first, begin) >= before:
            return line_of(text, first)
    return None


def _keys(text: str) -> list[str]:
    return [key(line.content) for line in split_lines(text)]


def _without_edges(keys: list[str]) -> list[str]:
    """Without the blank lines around a text, which come and go."""
    full = [at for at, line in enumerate(keys) if line]
    return keys[full[0] : full[-1] + 1] if full else []


def _keys_from(text: str, start: int, count: int) -> list[str]:
    """The keys of so many lines from here on."""
    end = start
    for _ in range(count):
        end = text.find("\n", end) + 1
        if not end:
            return _keys(text[start:])[:count]
    return _keys(text[start:end])[:count]

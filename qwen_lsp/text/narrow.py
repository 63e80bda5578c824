"""Edits as narrow as they can be: a cursor, a mark or a breakpoint stays where the text around it stays."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from qwen_lsp.text.edits import TextEdit, common_ends, lines_of, starts_of
from qwen_lsp.text.linediff import changed
from qwen_lsp.text.positions import Span

_MOST_LINES = 100
"""Lines that are changed one by one; an editor tells, and a person looks at, each change by itself."""
_LONGEST_WORD = 200
"""Code points; what is longer is no word, and may be parted."""
_JOINER = "\u200d"


def trimmed(text: str, edit: TextEdit) -> TextEdit:
    """The same change without what the old and the new text both begin and end with."""
    old, new = text[edit.span.start : edit.span.end], edit.text
    head, tail = common_ends(old, new)
    start = edit.span.start
    return TextEdit(Span(start + head, edit.span.end - tail), new[head : len(new) - tail])


def by_words(before: str, after: str) -> list[TextEdit]:
    """Edits of whole words that turn `before` into `after`, in order of position.

    Lines that were changed a little are changed one by one; lines that were written anew, as one block.
    """
    old, new = lines_of(before), lines_of(after)
    starts = starts_of(old)
    return [
        edit
        for run in changed(old, new)
        for edit in _of_run(old[run.start : run.end], new[run.new_start : run.new_end], starts[run.start])
    ]


def _of_run(old: Sequence[str], new: Sequence[str], start: int) -> Iterator[TextEdit]:
    singly = len(old) == len(new) <= _MOST_LINES and all(map(_alike, old, new))
    pairs = zip(old, new, strict=True) if singly else [("".join(old), "".join(new))]
    for one, other in pairs:
        if one != other:
            head, tail = _whole_words(one, other)
            yield TextEdit(Span(start + head, start + len(one) - tail), other[head : len(other) - tail])
        start += len(one)


def _alike(one: str, other: str) -> bool:
    """Whether a line is indented and ends as before, and at least half of what is between them stays."""
    (indent, inner, end), (new_indent, new_inner, new_end) = _parts(one), _parts(other)
    stays = sum(common_ends(inner, new_inner))
    return (indent, end) == (new_indent, new_end) and 2 * stays >= max(len(inner), len(new_inner))


def _parts(line: str) -> tuple[str, str, str]:
    """The indentation of a line, what is in it, and the blanks and the terminator at its end."""
    first, last = len(line) - len(line.lstrip()), len(line.rstrip())
    return line[:first], line[first:last], line[max(first, last) :]


def _whole_words(one: str, other: str) -> tuple[int, int]:
    """What two texts begin and end with in common, without parts of words or of a line's end."""
    head, tail = common_ends(one, other)
    shortest = max(0, head - _LONGEST_WORD), max(0, tail - _LONGEST_WORD)
    while head > shortest[0] and (_joined(one, head) or _joined(other, head)):
        head -= 1
    while tail > shortest[1] and (_joined(one, len(one) - tail) or _joined(other, len(other) - tail)):
        tail -= 1
    return head, tail


def _joined(text: str, at: int) -> bool:
    """Whether a text may not be parted at an offset: in a word, in CRLF, before a combining mark."""
    if not 0 < at < len(text):
        return False
    before, behind = text[at - 1], text[at]
    return (
        before + behind == "\r\n"
        or (_in_word(before) and _in_word(behind))
        or _JOINER in (before, behind)
        or unicodedata.category(behind).startswith("M")
    )


def _in_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"

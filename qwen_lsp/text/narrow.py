"""Edits as narrow as they can be: a cursor, a mark or a breakpoint stays where the text around it stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from qwen_lsp.text.edits import TextEdit, common_ends, lines_of
from qwen_lsp.text.linediff import changed
from qwen_lsp.text.positions import Span


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
    starts = list(accumulate(map(len, old), initial=0))
    return [
        edit
        for run in changed(old, new)
        for edit in _of_run(old[run.start : run.end], new[run.new_start : run.new_end], starts[run.start])
    ]


def _of_run(old: Sequence[str], new: Sequence[str], start: int) -> Iterator[TextEdit]:
    pairs = list(zip(old, new, strict=True)) if len(old) == len(new) else []
    if not pairs or not all(_alike(*pair) for pair in pairs):
        pairs = [("".join(old), "".join(new))]
    for one, other in pairs:
        head, tail = _whole_words(one, other)
        if one != other:
            yield TextEdit(Span(start + head, start + len(one) - tail), other[head : len(other) - tail])
        start += len(one)


def _alike(one: str, other: str) -> bool:
    """Whether at least half of the longer line stays, its indentation aside."""
    one, other = one.strip(), other.strip()
    return 2 * sum(common_ends(one, other)) >= max(len(one), len(other))


def _whole_words(one: str, other: str) -> tuple[int, int]:
    """What two texts begin and end with in common, without parts of words or of a line's end."""
    head, tail = common_ends(one, other)
    while _joined(one, head) or _joined(other, head):
        head -= 1
    while _joined(one, len(one) - tail) or _joined(other, len(other) - tail):
        tail -= 1
    return head, tail


def _joined(text: str, at: int) -> bool:
    """Whether a text may not be parted at an offset; a sign outside ASCII can belong to the one before it."""
    around = text[at - 1 : at + 1] if 0 < at < len(text) else ""
    return around == "\r\n" or (around != "" and all(c.isalnum() or c == "_" or c > "\x7f" for c in around))

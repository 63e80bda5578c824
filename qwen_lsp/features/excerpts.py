"""The file in question within a share of the budget: whole, else its outline and what is around a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.outline import outline
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath

_ELISION = "..."


@dataclass(frozen=True, slots=True)
class FileShown:
    """The text shown of a file, and whether that is all of it."""

    text: str
    whole: bool


def show_file(
    snapshot: Snapshot,
    path: RelPath,
    text: str,
    place: Span | None,
    budget: int,
    count: Callable[[str], int],
) -> FileShown:
    """`text`, which has passed the gate, within `budget` tokens: whole, else what fits around `place`."""
    if count(text) <= budget:
        return FileShown(text, True)
    facts = snapshot.facts(path)
    reduced = outline(text, facts) if facts is not None and facts.definitions else ""
    spent = count(reduced) if reduced else 0
    if spent > budget // 2:
        reduced, spent = "", 0
    around = excerpt(text, Span(0, 0) if place is None else place, budget - spent - 16, count)
    if not reduced:
        return FileShown(around, False)
    return FileShown(f"{reduced.rstrip()}\n\n{_ELISION} and of the same file:\n\n{around}", False)


def same_lines(text: str, admitted: str, selection: Span) -> Span:
    """The selected lines in the text that passed the gate, which has the same lines but other offsets."""
    if text == admitted:
        return selection
    if not len(selection):
        start = LineIndex(admitted).start_of(LineIndex(text).line_at(selection.start))
        return Span(start, start)
    return LineIndex(admitted).lines_span(*lines_of_selection(LineIndex(text), selection))


def lines_of_selection(index: LineIndex, selection: Span) -> tuple[int, int]:
    """The first and last line that a selection covers; an end at the start of a line does not cover it."""
    first, last = index.line_at(selection.start), index.line_at(selection.end)
    if last > first and index.start_of(last) == selection.end:
        last -= 1
    return first, last


def excerpt(text: str, place: Span, budget: int, count: Callable[[str], int]) -> str:
    """Whole lines around `place`, as many as fit, two before for each one after once the place is in."""
    index = LineIndex(text)
    first, last = index.line_at(place.start), index.line_at(max(place.start, place.end - 1))
    low, high = 0, min(index.line_count, max(0, budget))
    best = ""
    # The number of lines added is found by bisection: each trial counts one candidate text.
    while low <= high:
        extra = (low + high) // 2
        span = index.lines_span(max(0, first - extra), min(index.line_count - 1, last + extra // 2))
        trial = text[span.start : span.end]
        if count(trial) <= budget:
            best, low = trial, extra + 1
        else:
            high = extra - 1
    if not best:
        best = _head(text[place.start : place.end] or text[place.start :], budget, count)
    return best


def _head(text: str, budget: int, count: Callable[[str], int]) -> str:
    """As much of the start of a text as fits."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count(text[:middle]) <= budget:
            low = middle
        else:
            high = middle - 1
    return text[:low]

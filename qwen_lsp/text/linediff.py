"""Which runs of lines differ between two texts: fast on large files, whatever they are made of.

Lines that each text has once are matched first, since a person would match them too; what stands between
them is compared line by line with the fewest changes (Myers), a bounded number of them at a time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_MOST_STEPS = 250
"""Changes that are looked for at once: what they take grows with the square of their number."""


class Run(NamedTuple):
    """Lines `start` to `end` of the old text became lines `new_start` to `new_end`; either may be none."""

    start: int
    end: int
    new_start: int
    new_end: int


def changed(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """The runs of lines that differ, in order; between two of them at least one line is the same."""
    numbers: dict[str, int] = {}
    one = [numbers.setdefault(line, len(numbers)) for line in old]
    other = [numbers.setdefault(line, len(numbers)) for line in new]
    runs: list[Run] = []
    for run in _differing(one, other, Run(0, len(one), 0, len(other))):
        if runs and (runs[-1].end, runs[-1].new_end) == (run.start, run.new_start):
            run = Run(runs[-1].start, run.end, runs.pop().new_start, run.new_end)
        runs.append(run)
    return runs


def _differing(old: Sequence[int], new: Sequence[int], whole: Run) -> Iterator[Run]:
    waiting = [whole]
    while waiting:
        run = _trimmed(old, new, waiting.pop())
        if run.start == run.end or run.new_start == run.new_end:
            if run.start != run.end or run.new_start != run.new_end:
                yield run
        elif anchors := _anchors(old, new, run):
            waiting += reversed(_between(run, anchors))
        elif set(old[run.start : run.end]).isdisjoint(new[run.new_start : run.new_end]):
            yield run
        else:
            steps, rest = _fewest(old, new, run)
            yield from steps
            waiting.append(rest)


def _trimmed(old: Sequence[int], new: Sequence[int], run: Run) -> Run:
    start, end, new_start, new_end = run
    while start < end and new_start < new_end and old[start] == new[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return Run(start, end, new_start, new_end)


def _between(run: Run, anchors: Sequence[tuple[int, int]]) -> list[Run]:
    runs: list[Run] = []
    start, new_start = run.start, run.new_start
    for at, new_at in anchors:
        runs.append(Run(start, at, new_start, new_at))
        start, new_start = at + 1, new_at + 1
    runs.append(Run(start, run.end, new_start, run.new_end))
    return runs


def _anchors(old: Sequence[int], new: Sequence[int], run: Run) -> list[tuple[int, int]]:
    """Places of lines that either side has once: the most that are in the same order on both sides."""
    counts, new_counts = Counter(old[run.start : run.end]), Counter(new[run.new_start : run.new_end])
    where = {new[k]: k for k in range(run.new_start, run.new_end)}
    pairs = [
        (i, where[old[i]])
        for i in range(run.start, run.end)
        if counts[old[i]] == 1 and new_counts.get(old[i]) == 1
    ]
    # The longest rising sequence: `ends[n]` is the smallest place at which one of n + 1 pairs can end.
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(place)
            last.append(number)
        else:
            ends[length], last[length] = place, number
    found: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _fewest(old: Sequence[int], new: Sequence[int], run: Run) -> tuple[list[Run], Run]:
    """The first changes of one run, as few as can be, and the rest of it, which is mostly empty."""
    levels, diagonal = _furthest(old, new, run)
    i = levels[-1][diagonal]
    k = i - diagonal
    rest = Run(run.start + i, run.end, run.new_start + k, run.new_end)
    # Walk back from the end: each step tells which line went or came before a stretch of equal ones.
    steps: list[Run] = []
    for level in reversed(levels[:-1]):
        down = _comes(level, diagonal)
        diagonal += 1 if down else -1
        i = level[diagonal]
        at, new_at = run.start + i, run.new_start + i - diagonal
        steps.append(Run(at, at, new_at, new_at + 1) if down else Run(at, at + 1, new_at, new_at))
    return steps[::-1], rest


def _furthest(old: Sequence[int], new: Sequence[int], run: Run) -> tuple[list[dict[int, int]], int]:
    """How far one gets on every diagonal with 0, 1, 2, … changes, and the diagonal where that is furthest.

    It ends with as many changes as lead to the end, or as are looked for at once.
    """
    height, width = run.end - run.start, run.new_end - run.new_start
    levels: list[dict[int, int]] = []
    level: dict[int, int] = {}
    for taken in range(_MOST_STEPS + 1):
        before, level = level, {}
        for diagonal in range(-taken, taken + 1, 2):
            if taken == 0:
                i = 0
            elif diagonal - 1 in before or diagonal + 1 in before:
                down = _comes(before, diagonal)
                i = before[diagonal + 1] if down else before[diagonal - 1] + 1
            else:
                continue
            k = i - diagonal
            if i > height or k > width:
                continue
            while i < height and k < width and old[run.start + i] == new[run.new_start + k]:
                i, k = i + 1, k + 1
            level[diagonal] = i
            if i == height and k == width:
                return [*levels, level], diagonal
        levels.append(level)
    return levels, max(level, key=lambda diagonal: 2 * level[diagonal] - diagonal)


def _comes(before: dict[int, int], diagonal: int) -> bool:
    """Whether a diagonal is best reached by a line that comes, rather than by one that goes."""
    return before.get(diagonal - 1, -1) < before.get(diagonal + 1, -1)

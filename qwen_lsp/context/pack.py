"""Candidates into a Pack: the best per token first, files growing while there is room, never over budget."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.collector import collector_waits
from qwen_lsp.context.desk import Desk
from qwen_lsp.context.order import in_order
from qwen_lsp.context.render import Pack, Part
from qwen_lsp.context.render import render as render
from qwen_lsp.context.sheet import Sheet
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

__all__ = ["Pack", "Part", "pack"]

_LEAST = 6
_MOST_LEFT_OUT = 200
# What an outline is worth of the whole file, and a header of a file that is shown as an outline.
_OUTLINE_WORTH = 0.6
_OUTLINE_SHARE = 0.25
_CHARACTERS_PER_TOKEN = 3.6
_HEADER_GUESS = 18.0
_SURELY = 0.25
_MISSES = 60
"""Candidates in a row that found no room, after which the last few tokens are left empty."""


@dataclass(slots=True)
class _Filling:
    """The state of one packing: what is on the desk and what was put there, in order."""

    desk: Desk
    budget: int
    used: int = 0
    sheets: dict[RelPath, Sheet] = field(default_factory=dict[RelPath, Sheet])
    steps: list[tuple[int, Candidate, str]] = field(default_factory=list[tuple[int, Candidate, str]])

    def sheet(self, path: RelPath) -> Sheet:
        found = self.sheets.get(path)
        if found is None:
            found = self.sheets[path] = Sheet(self.desk, path)
        return found

    def problem(self, path: RelPath) -> str:
        """Why a file cannot be shown, as far as that is known without reading it; empty when it can."""
        found = self.sheets.get(path)
        return found.problem if found is not None else self.desk.admits_path(path)


@collector_waits()
def pack(
    snapshot: Snapshot,
    candidates: Sequence[Candidate],
    *,
    budget: int,
    count: Callable[[str], int],
    gate: Gate,
) -> Pack:
    """The most worth that fits into `budget` tokens, counted on the text that `render` gives.

    `count` must add up where a line begins with something visible, as tokens do: then the parts, which
    begin with `## `, add up to the whole (tests/context/test_pack.py, `test_tokens_of_pieces_add_up`).
    Every file comes at most once; every text has passed the gate; equal input gives equal output.
    """
    filling = _Filling(Desk(snapshot, count, gate), budget)
    _fill(filling, candidates)
    made = _made(filling)
    while (tokens := sum(part.tokens for part, _ in made)) > budget and filling.steps:
        _take_back(filling, tokens - budget)
        made = _made(filling)
    if tokens > budget:
        made, tokens = [], 0
    left_out = _left_out(candidates, {part.path for part, _ in made}, filling)
    return Pack(tuple(in_order(snapshot, made)), budget, tokens, filling.desk.withheld(), left_out)


def _fill(filling: _Filling, candidates: Sequence[Candidate]) -> None:
    """Take what gives most per token while it fits. Costs are guessed until a candidate comes up."""
    snapshot = filling.desk.snapshot
    queue = _Queue(
        (-worth / guess, number, step, candidate, guess)
        for number, candidate in enumerate(candidates)
        for step, worth, guess in _steps(snapshot, candidate)
    )
    misses = 0
    while (entry := queue.pop()) is not None and (room := filling.budget - filling.used) >= _LEAST:
        _, number, step, candidate, guess = entry
        if guess * _SURELY > room:
            continue  # not worth reading to learn that it is too large
        sheet = filling.sheet(candidate.path)
        cost = sheet.cost(candidate, step)
        if cost is None:
            continue
        real = -_worth(candidate, step) / max(cost, 1)
        if guess and queue.has_better(real):
            queue.push((real, number, step, candidate, 0.0))
        elif cost > room:
            misses += 1
            if misses == _MISSES:
                break
        elif not sheet.confirm():
            queue.push((real, number, step, candidate, 1.0))  # it was the cost of another content
        else:
            sheet.put(candidate, step, cost)
            misses = 0
            filling.used += cost
            filling.steps.append((cost, candidate, step))


_Entry = tuple[float, int, str, Candidate, float]
"""Worth per token, negative; place among the candidates; step; and the tokens it may take, 0 once known."""


class _Queue:
    """What could be shown next, the best first.

    Most entries come up once, or never. Those are sorted once, which is much cheaper than a heap of all; only
    what turned out to cost more than was guessed waits in a heap.
    """

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._sorted = sorted(entries, reverse=True)
        self._again: list[_Entry] = []

    def push(self, entry: _Entry) -> None:
        heapq.heappush(self._again, entry)

    def pop(self) -> _Entry | None:
        if self._again and not (self._sorted and self._sorted[-1] < self._again[0]):
            return heapq.heappop(self._again)
        return self._sorted.pop() if self._sorted else None

    def has_better(self, worth: float) -> bool:
        """Whether something waits that is worth more per token."""
        ordered, again = self._sorted, self._again
        return (bool(ordered) and ordered[-1][0] < worth) or (bool(again) and again[0][0] < worth)


def _steps(snapshot: Snapshot, candidate: Candidate) -> list[tuple[str, float, float]]:
    """The ways to show a candidate: (step, worth, tokens it may take)."""
    if candidate.form in ("header", "excerpt"):
        lines = 1 if candidate.lines is None else candidate.lines[1] - candidate.lines[0] + 1
        guess = _HEADER_GUESS if candidate.form == "header" else 10.0 * lines
        return [(candidate.form, candidate.score, guess)]
    whole = _size(snapshot, candidate.path) / _CHARACTERS_PER_TOKEN + 8
    steps = [("outline", _worth(candidate, "outline"), max(1.0, whole * _OUTLINE_SHARE))]
    if candidate.form == "whole":
        steps.append(("whole", _worth(candidate, "whole"), whole))
    return steps


def _worth(candidate: Candidate, step: str) -> float:
    return candidate.score * (_OUTLINE_WORTH if step == "outline" else 1.0)


def _size(snapshot: Snapshot, path: RelPath) -> int:
    buffer = snapshot.buffers.get(path)
    if buffer is not None:
        return len(buffer.text or "")
    entry = snapshot.files.get(path)
    return entry.size if entry is not None else 0


def _made(filling: _Filling) -> list[tuple[Part, float]]:
    """The parts as they stand, each with its score."""
    parts: list[tuple[Part, float]] = []
    for sheet in filling.sheets.values():
        if sheet.empty:
            continue
        made = sheet.made()
        if made is not None:
            kind, text, tokens, why = made
            parts.append((Part(sheet.path, kind, text, tokens, why, sheet.page.name), sheet.score))
    return parts


def _take_back(filling: _Filling, over: int) -> None:
    """Undo the step that costs least among those that bring the pack under its budget; else the largest."""
    enough = [i for i, (cost, _, _) in enumerate(filling.steps) if cost >= over]
    if enough:
        chosen = min(enough, key=lambda i: (filling.steps[i][0], -i))
    else:
        chosen = max(range(len(filling.steps)), key=lambda i: (filling.steps[i][0], i))
    cost, candidate, step = filling.steps.pop(chosen)
    filling.sheet(candidate.path).take(candidate, step)
    filling.used -= cost


def _left_out(
    candidates: Sequence[Candidate], shown: set[RelPath], filling: _Filling
) -> tuple[tuple[RelPath, str], ...]:
    found: dict[RelPath, str] = {}
    for candidate in candidates:
        if candidate.path not in shown and candidate.path not in found:
            found[candidate.path] = filling.problem(candidate.path) or "no room"
            if len(found) >= _MOST_LEFT_OUT:
                break
    return tuple(found.items())

"""From a place to its prompt: the frame within its deadline, then the window."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from qwen_lsp.features.complete.diagnostics import Diagnostics
from qwen_lsp.features.complete.frame import Frame, Frames, Wanted
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.window import LEAST_CHARS_PER_TOKEN, Window, Windows, names_within
from qwen_lsp.index.snapshot import Snapshot

_FRAME_SHARE, _SLACK = 0.42, 48
"""Of the budget: the most that other files take while the file itself has something to show; tokens that
stay free for what is typed on a line."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as one snapshot has it."""

    snapshot: Snapshot
    place: Place

    @property
    def line(self) -> int:
        """The cursor's line, zero-based."""
        return self.snapshot.lines(self.place.path).line_at(self.place.offset)


async def frame_of(spot: Spot, means: Means, frames: Frames, deadline: float) -> Frame:
    """What other files have to say to a place, as much of it as is known after `deadline` seconds."""
    if not frames.counts:
        # The vocabulary takes a second to load, for which nobody else is to wait.
        await asyncio.to_thread(means.count, "")
        frames.counts = True
    budget = means.settings.budget_tokens
    here = len(spot.place.text) // LEAST_CHARS_PER_TOKEN
    names = sum(map(means.count, names_within(spot.place.path, spot.snapshot.root.name, budget, means.count)))
    room = budget - min(here, int(budget * (1 - _FRAME_SHARE))) - names - _SLACK
    visits = tuple(means.visits)
    wanted = Wanted(spot.snapshot, spot.place, spot.line, room, means.count, means.gate, visits)
    return await frames.frame(wanted, deadline)


def window_of(
    spot: Spot, means: Means, windows: Windows, frame: Frame, diagnostics: Diagnostics
) -> Window | None:
    """The request; None when nothing of the file may leave the machine."""
    path = spot.place.path
    return windows.window(
        spot.place,
        frame,
        repo=spot.snapshot.root.name,
        budget=means.settings.budget_tokens,
        max_tokens=means.settings.max_tokens,
        count=means.count,
        gate=means.gate,
        note=diagnostics.near(path, spot.line, spot.snapshot.lines(path), means.gate),
    )

"""Frame: what of other files stands before the current one in a prompt. Chosen once, kept while one types.

A frame that stays the same is what a model server has read already, so it changes as little as it can: on
another line what stood there keeps its place, and what is new comes behind it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from qwen_lsp.context.names import NOISE
from qwen_lsp.context.pack import pack
from qwen_lsp.context.rank import rank
from qwen_lsp.context.texts import content_of, name_of
from qwen_lsp.context.visits import Visit
from qwen_lsp.features.complete.latest import keep_latest
from qwen_lsp.features.complete.place import Place
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate, Withheld

Count = Callable[[str], int]

_NAME = re.compile(r"[^\W\d]\w*(?=\W)")
MARKERS_EACH = 3
"""Tokens beside path and text of each file: its marker and two line breaks."""
_FILES = 16


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of one file, its weight in tokens, why, and the name of the content it was made from."""

    path: RelPath
    text: str
    tokens: int
    why: str
    name: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What some files contained, by name: little to keep for long."""

    names: tuple[tuple[RelPath, str], ...]

    def hold(self, snapshot: Snapshot) -> bool:
        """Whether every file contains what it did."""
        return all(_contains(snapshot, path, name) for path, name in self.names)


@dataclass(frozen=True, slots=True)
class Frame:
    """Files in the order of the prompt, and what was asked when they were chosen."""

    files: tuple[Shown, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    line: int = -1
    visits: tuple[Visit, ...] = ()
    names: frozenset[str] = frozenset()
    """Names on the line that the choice knows of."""

    @property
    def tokens(self) -> int:
        return sum(file.tokens for file in self.files)

    @property
    def context(self) -> tuple[tuple[str, str], ...]:
        return tuple((file.path, file.text) for file in self.files)

    @property
    def contents(self) -> Contents:
        return Contents(tuple((file.path, file.name) for file in self.files))

    def within(self, room: int) -> Frame:
        """As many of the last files of it as weigh `room` tokens at most."""
        files = self.files
        while files and sum(file.tokens for file in files) > room:
            files = files[1:]
        return self if len(files) == len(self.files) else replace(self, files=files)

    def still(self, snapshot: Snapshot, gate: Gate) -> Frame:
        """The files of it that contain what they did and may still be shown."""
        kept = tuple(
            file
            for file in self.files
            if _contains(snapshot, file.path, file.name) and not gate.admits_path(file.path)
        )
        return self if len(kept) == len(self.files) else replace(self, files=kept)


def _contains(snapshot: Snapshot, path: RelPath, name: str) -> bool:
    # A file that was written just now may not have a name yet; then it is read.
    return (name_of(snapshot, path) or content_of(snapshot, path)[1]) == name


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a frame is to be made from."""

    snapshot: Snapshot
    place: Place
    line: int
    room: int
    """Tokens that the frame may weigh."""
    count: Count
    gate: Gate
    visits: tuple[Visit, ...]


@dataclass(slots=True)
class _Kept:
    frame: Frame
    task: asyncio.Task[Frame] | None = None


@dataclass(slots=True)
class Frames:
    """The frame of each file that somebody writes in. Its methods are called on the event loop."""

    counts: bool = False
    """Whether tokens can be counted at once."""
    _kept: dict[RelPath, _Kept] = field(default_factory=dict[RelPath, _Kept])

    async def frame(self, wanted: Wanted, deadline: float) -> Frame:
        """The frame of a place, within `deadline` seconds: else the one before it, and it is ready the
        next time."""
        path = wanted.place.path
        kept = self._kept.get(path) or _Kept(Frame())
        keep_latest(self._kept, path, kept, _FILES)
        still = kept.frame.still(wanted.snapshot, wanted.gate)
        if still is kept.frame and still.line >= 0 and _fits(still, wanted):
            return still
        if kept.task is None:
            kept.task = asyncio.create_task(asyncio.to_thread(choose, wanted, kept.frame))
            kept.task.add_done_callback(lambda task: _take(kept, task))
        task = kept.task
        done, _ = await asyncio.wait([task], timeout=deadline)
        if done and not task.cancelled():
            task.result()  # raises what the choice ended with
        # What was chosen may have been chosen for the request before this one.
        return kept.frame.still(wanted.snapshot, wanted.gate) if done else still


def _take(kept: _Kept, task: asyncio.Task[Frame]) -> None:
    kept.task = None
    if not task.cancelled() and task.exception() is None:
        kept.frame = task.result()


def _fits(frame: Frame, wanted: Wanted) -> bool:
    """Whether a frame is what one would choose again, as far as can be told at once."""
    if frame.line != wanted.line or frame.visits != _elsewhere(wanted):
        return False
    new = _names(wanted.place) - frame.names
    return not any(_is_defined_elsewhere(wanted, name) for name in new)


def _names(place: Place) -> frozenset[str]:
    """The names on the line before the cursor, but for the one being typed."""
    return frozenset(_NAME.findall(place.line_before[-400:])) - NOISE


def _is_defined_elsewhere(wanted: Wanted, name: str) -> bool:
    sites = wanted.snapshot.definitions(name, limit=8, check=False)
    return any(site.path != wanted.place.path for site in sites)


def _elsewhere(wanted: Wanted) -> tuple[Visit, ...]:
    return tuple(visit for visit in wanted.visits if visit.path != wanted.place.path)


def choose(wanted: Wanted, before: Frame) -> Frame:
    """Rank and pack; what stood in the frame `before` and is chosen again keeps its place."""
    snapshot, place, count = wanted.snapshot, wanted.place, wanted.count
    candidates = rank(snapshot, place.path, place.offset, text=place.text, visits=wanted.visits)
    packed = pack(snapshot, candidates, budget=max(0, wanted.room), count=count, gate=wanted.gate)
    files = [
        Shown(part.path, part.text, count(part.path) + count(part.text) + MARKERS_EACH, part.why, part.name)
        for part in packed.parts
    ]
    # What a heading costs in a pack and what a marker does differ by a token or two.
    while files and sum(file.tokens for file in files) > wanted.room:
        files.pop(0)
    return Frame(
        tuple(_steady(files, before.files)), packed.withheld, wanted.line, _elsewhere(wanted),
        _names(place),
    )  # fmt: skip


def _steady(files: Sequence[Shown], before: Sequence[Shown]) -> list[Shown]:
    """The files in an order that begins as the one before it as far as possible."""
    rank_before = {(file.path, file.text): number for number, file in enumerate(before)}
    kept = [file for file in files if (file.path, file.text) in rank_before]
    kept.sort(key=lambda file: rank_before[(file.path, file.text)])
    return [*kept, *(file for file in files if (file.path, file.text) not in rank_before)]

"""When is looked: after a pause, now and then in a stream without one, one look at a time, nothing lost.

Time is the event loop's own and is moved by hand, so that a minute takes no time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

import pytest

from qwen_lsp.session.freshness import LATEST, QUIET, Freshness
from qwen_lsp.workspace.hints import MOST_PATHS, Hints
from qwen_lsp.workspace.paths import RelPath

A, B = RelPath("a.py"), RelPath("b.py")


class Clock:
    """The event loop's time, plus what was added to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def forward(self, seconds: float, step: float = 0.05) -> None:
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now = min(end, self.now + step)
            await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Looks:
    """What was looked at and when; a look takes `takes` seconds of the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.looks: list[tuple[float, Hints]] = []
        self.takes = 0.0
        self.at_once = 0
        self.fails = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self.freshness = Freshness(self.look, self.spawn)

    async def look(self, hints: Hints) -> float:
        self.looks.append((self.clock.now, hints))
        self.at_once += 1
        assert self.at_once == 1
        try:
            if self.takes:
                await asyncio.sleep(self.takes)
            if self.fails:
                self.fails -= 1
                raise OSError("the disk is away")
            return self.takes if hints is None else 0.0
        finally:
            self.at_once -= 1

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(lambda done: done.exception())

    @property
    def hints(self) -> list[Hints]:
        return [hints for _, hints in self.looks]


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
async def looks(clock: Clock) -> Looks:
    return Looks(clock)


async def test_a_hint_is_looked_at_within_a_second_of_quiet(clock: Clock, looks: Looks) -> None:
    looks.freshness.hint({A})
    await clock.forward(QUIET / 2)
    looks.freshness.hint({B})
    await clock.forward(QUIET * 0.8)
    assert looks.hints == []
    await clock.forward(1.0)
    assert looks.hints == [{A, B}]


async def test_nothing_is_looked_at_for_nothing(clock: Clock, looks: Looks) -> None:
    looks.freshness.hint(set())
    await clock.forward(5)
    await looks.freshness.now()
    assert looks.hints == []


async def test_a_stream_without_a_pause_is_looked_at_now_and_then(clock: Clock, looks: Looks) -> None:
    for _ in range(1200):  # a minute
        looks.freshness.hint({A})
        await clock.forward(0.05)
    assert 40 <= len(looks.looks) <= 70
    times = [time for time, _ in looks.looks]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= LATEST + 0.2


async def test_sweeps_take_only_a_share_of_the_time(clock: Clock, looks: Looks) -> None:
    looks.takes = 1.0
    for _ in range(1200):
        looks.freshness.hint(None)
        await clock.forward(0.05)
    assert 4 <= len(looks.looks) <= 8
    ended = clock.now
    await clock.forward(30)
    later = [time for time, _ in looks.looks if time > ended]
    assert len(later) == 1
    assert later[0] <= ended + 3


async def test_much_is_one_sweep(clock: Clock, looks: Looks) -> None:
    for number in range(MOST_PATHS * 3):
        looks.freshness.hint({RelPath(f"{number}.py")})
    await clock.forward(3)
    assert looks.hints == [None]


async def test_what_changes_during_a_look_is_looked_at_after_it(clock: Clock, looks: Looks) -> None:
    looks.takes = 2.0
    looks.freshness.hint(None)
    await clock.forward(0.5)
    assert looks.at_once == 1
    looks.freshness.hint({A})
    await clock.forward(1.0)
    assert looks.hints == [None]
    await clock.forward(5)
    assert looks.hints == [None, {A}]


async def test_a_look_that_fails_is_tried_again(clock: Clock, looks: Looks) -> None:
    looks.fails = 2
    looks.freshness.hint({A})
    await clock.forward(2)
    looks.freshness.hint({B})
    await clock.forward(60)
    assert looks.hints == [{A}, {A, B}, {A, B}]


async def test_now_waits_for_the_look_that_runs(clock: Clock, looks: Looks) -> None:
    looks.takes = 1.0
    looks.freshness.hint({A})
    await clock.forward(0.5)
    looks.freshness.hint({B})
    now = asyncio.ensure_future(looks.freshness.now())
    await clock.forward(0.4)
    assert not now.done()
    await clock.forward(2)
    assert now.done()
    assert looks.hints == [{A}, {B}]


async def test_after_the_end_nothing_is_looked_at(clock: Clock, looks: Looks) -> None:
    looks.freshness.hint({A})
    looks.freshness.stop()
    looks.freshness.hint({B})
    await clock.forward(5)
    assert looks.hints == []

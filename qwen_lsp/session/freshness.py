"""When to look at what may have changed: after a pause, at the latest after a while, one look at a time.

A stream of events that never pauses (a build, a checkout, a log) gets its looks too, but never so many
that looking is all this program does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from qwen_lsp.workspace.hints import Hints, merged

QUIET = 0.2  # seconds without a hint after which is looked; a checkout or a formatter touches many files
LATEST = 1.0  # seconds after the first hint after which is looked although more keep coming
_LONGEST_REST = 2.0  # after a sweep no other is begun for as long as it took, and at most for this long
_SHARE, _LONGEST_WAIT = 10, 15.0  # LATEST is at least as many times what the last sweep took
_RETRY, _LONGEST_RETRY = 5.0, 60.0


class Freshness:
    """Collects hints and has them looked at. All methods are called on the event loop."""

    def __init__(
        self,
        look: Callable[[Hints], Awaitable[float]],
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
    ) -> None:
        """`look` tells how many seconds it took to look everywhere, 0 when it did not."""
        self._look_at, self._spawn = look, spawn
        self._hints: Hints = set()
        self._first = self._last = 0.0
        """When the hints began, and when the latest of them came."""
        self._timer: asyncio.TimerHandle | None = None
        self._looking = asyncio.Lock()
        self._took = self._swept = 0.0
        """What the last sweep took, and when it ended."""
        self._failures = 0
        self._stopped = False

    @property
    def is_about_everything(self) -> bool:
        """Whether everything will be looked at next: more hints say nothing new."""
        return self._hints is None

    def hint(self, hints: Hints) -> None:
        """These may have changed."""
        if self._stopped or hints == set():
            return
        self._last = asyncio.get_running_loop().time()
        if self._hints == set():
            self._first = self._last
        self._hints = merged(self._hints, hints)
        if self._timer is None and not self._looking.locked():
            self._wait()

    async def now(self) -> None:
        """Look at what was hinted at, without a pause."""
        async with self._looking:
            hints, self._hints = self._hints, set()
            if hints == set():
                return
            try:
                took = await self._look_at(hints)
            except BaseException:
                self._failures += 1
                self._hints = merged(self._hints, hints)
                raise
            self._failures = 0
            if took:
                self._swept, self._took = asyncio.get_running_loop().time(), took

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        """Set the timer for when is looked if nothing more comes."""
        loop = asyncio.get_running_loop()
        due = min(self._last + QUIET, self._first + max(LATEST, min(self._took * _SHARE, _LONGEST_WAIT)))
        if self._hints is None:
            due = max(due, self._swept + min(self._took, _LONGEST_REST))
        if self._failures:
            due = max(due, loop.time() + min(_RETRY * 2 ** (self._failures - 1), _LONGEST_RETRY))
        self._timer = loop.call_at(due, self._ready, due)

    def _ready(self, due: float) -> None:
        # Hints that came meanwhile only moved `_last`: thousands of timers would cost more than a look.
        self._timer = None
        latest = self._first + max(LATEST, min(self._took * _SHARE, _LONGEST_WAIT))
        if due < latest and self._last + QUIET > due:
            self._wait()
        else:
            self._spawn(self._work(), "refresh")

    async def _work(self) -> None:
        try:
            await self.now()
        finally:  # what failed is tried again
            if self._hints != set() and self._timer is None and not self._stopped:
                self._wait()

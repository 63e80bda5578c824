"""Turn: one request's place in the line of its file, where the latest one wins."""

from __future__ import annotations

import asyncio


class Turn:
    """Waits for one thing after another until a newer request takes over. Lives on the event loop."""

    __slots__ = ("_future", "over")

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None
        self.over = False
        """Whether a newer request took over: this one has nothing more to say."""

    def end(self) -> None:
        """A newer request takes over."""
        self.over = True
        self.wake()

    def wake(self) -> None:
        """What is being waited for has come."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float | None = None) -> None:
        """Until somebody wakes it, and for so many seconds at most."""
        loop = asyncio.get_running_loop()
        self._future = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, self.wake)
        try:
            await self._future
        finally:
            if timer is not None:
                timer.cancel()
            self._future = None

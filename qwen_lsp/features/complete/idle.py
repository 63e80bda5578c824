"""Idle: one thing that is done after a pause, and given up as soon as somebody types or asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from qwen_lsp.errors import QwenLspError

log = logging.getLogger(__name__)


class Idle:
    """Runs one thing after a pause, and ends it when somebody types or asks. Lives on the event loop."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task[None] | None = None
        """What is being done."""

    @property
    def waiting(self) -> bool:
        """Whether something is to be done, or being done."""
        return self._timer is not None or self.task is not None

    def after(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do this after a pause, instead of what was to be done."""
        self.end()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._begin, work)

    def _begin(self, work: Callable[[], Awaitable[None]]) -> None:
        self._timer = None
        self.task = asyncio.ensure_future(self._run(work))

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except QwenLspError as error:
            log.info("not done while nobody types: %s", error)
        except Exception:
            log.exception("what is done while nobody types failed")
        finally:
            # What was given up may end late, when something else is being done.
            if self.task is asyncio.current_task():
                self.task = None

    def end(self) -> None:
        """Do nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.task is not None:
            self.task.cancel()
            self.task = None

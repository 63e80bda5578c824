"""A run under way for a client, and the way to stop it so that what it has is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from qwen_lsp.model.endpoint import Endpoint

_Result = TypeVar("_Result")


@dataclass(slots=True)
class Work:
    """One run."""

    task: str
    run: str = ""
    stopped: bool = False
    endpoints: list[Endpoint] = field(default_factory=list["Endpoint"])
    """What the run may still speak to though the settings name another one by now; closed when it ends."""
    _running: asyncio.Task[Any] | None = field(default=None, repr=False)

    async def through(self, work: Coroutine[Any, Any, _Result]) -> _Result | None:
        """The result of the run; None when it was stopped. Raises what it raises."""
        self._running = running = asyncio.ensure_future(work)
        try:
            return await running
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self.stopped or (current is not None and current.cancelling()):
                raise
            return None
        finally:
            self._running = None

    def stop(self) -> bool:
        """Whether there was something to stop."""
        if self._running is None:
            return False
        self.stopped = True
        return self._running.cancel()

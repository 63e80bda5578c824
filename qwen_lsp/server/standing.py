"""`qwen/status`: how things stand, told to a thin client whenever that changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

STATUS = "qwen/status"
_PAUSE = 0.25  # seconds between two notifications: a status line is read, not watched


class Standing:
    """Sends a status when it differs from the last one sent, a few times a second at most.

    Silent until `begin`, which is called for a client that wants to be told.
    """

    def __init__(self, send: Callable[[str, dict[str, Any]], None]) -> None:
        self._send = send
        self._now: Callable[[], dict[str, Any]] | None = None
        self._sent: Mapping[str, Any] | None = None
        self._next: asyncio.TimerHandle | None = None
        self._paused_until = 0.0

    def begin(self, now: Callable[[], dict[str, Any]]) -> None:
        """Tell from now on; `now` gives the status of the moment."""
        self._now = now

    def changed(self) -> None:
        """Something may have changed. On the event loop."""
        if self._now is None or self._next is not None:
            return
        loop = asyncio.get_running_loop()
        # A moment later in any case: a request that fails at once is one change, not two.
        wait = max(0.02, self._paused_until - loop.time())
        self._next = loop.call_later(wait, self._tell)

    def _tell(self) -> None:
        self._next = None
        assert self._now is not None  # noqa: S101
        found = self._now()
        if found != self._sent:
            self._sent = found
            self._paused_until = asyncio.get_running_loop().time() + _PAUSE
            self._send(STATUS, found)

    def end(self) -> None:
        """Say nothing more."""
        self._now = None
        if self._next is not None:
            self._next.cancel()

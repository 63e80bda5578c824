"""A workspace opened at once and indexed in the background, for front ends that show no progress bar."""

from __future__ import annotations

import asyncio
from pathlib import Path

from qwen_lsp.session.session import Session
from qwen_lsp.settings import Settings


class Opened:
    """An open workspace that follows the disk; who needs its index waits for it. Made on the event loop."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.session = Session(root, settings)
        self.done = self.total = 0
        """Files that are indexed, and how many there are, as far as that is known."""
        self.starting = asyncio.create_task(self._start(), name=f"index {root.name}")

    async def _start(self) -> None:
        await self.session.start(self._progress, learn=False)
        self.session.watch()

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    async def ready(self) -> Session:
        """The workspace with its index, looked at again where something may have changed."""
        await asyncio.shield(self.starting)
        await self.session.refresh()
        return self.session

    async def aclose(self) -> None:
        self.starting.cancel()
        await asyncio.gather(self.starting, return_exceptions=True)
        await self.session.aclose()

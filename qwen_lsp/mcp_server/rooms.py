"""The workspaces that a client works in: which folders they are, and each indexed and kept current."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from qwen_lsp.errors import ToolRefused
from qwen_lsp.session import Session
from qwen_lsp.settings import Settings

log = logging.getLogger(__name__)

Tell = Callable[[float, float | None, str], Awaitable[None]]
"""Tells the client how far a call is: done, of how many, and a sentence."""
_TELL_EVERY = 0.5


def refusal(folder: Path) -> str | None:
    """Why a folder is no workspace, with what to do; None where it is one."""
    home = Path.home()
    if folder in (home, *home.parents):
        what = "your home folder" if folder == home else "a folder above your home folder"
        return (
            f"{folder} is {what}, and that is not one project. Name the project's folder in the client's "
            'configuration of this server: "args": ["mcp", "/path/to/project"].'
        )
    if not folder.is_dir():
        return f"{folder} is not a folder."
    return None


class Room:
    """One workspace, being indexed or ready."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.session = Session(root, settings)
        self.done = self.total = 0
        self._starting = asyncio.create_task(self._start(), name=f"index {root.name}")

    async def _start(self) -> None:
        await self.session.start(self._progress, learn=False)
        self.session.watch()

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    async def ready(self, tell: Tell) -> Session:
        """The workspace, indexed, and looked at again where something may have changed."""
        while not self._starting.done():
            await asyncio.wait({self._starting}, timeout=_TELL_EVERY)
            if not self._starting.done():
                name = self.session.root.name
                await tell(
                    self.done, self.total or None, f"Indexing {name}: {self.done} of {self.total} files"
                )
        await self._starting
        await self.session.refresh()
        return self.session

    async def aclose(self) -> None:
        self._starting.cancel()
        await asyncio.gather(self._starting, return_exceptions=True)
        await self.session.aclose()


class Rooms:
    """The workspaces of one connection. All methods are called on the event loop."""

    def __init__(self, settings: Settings, roots: Sequence[Path] = (), *, fixed: bool = False) -> None:
        self._settings = settings
        self.fixed = fixed
        """Whether the user has named the folders, so that no client changes them."""
        self._rooms: dict[Path, Room] = {}
        self._refused: list[str] = []
        self._settled = asyncio.Event()
        if roots:
            self.settle(roots)

    @property
    def settled(self) -> bool:
        """Whether it is known which folders they are."""
        return self._settled.is_set()

    def unsettle(self) -> None:
        """The client is about to say where it works; calls wait for that."""
        self._settled.clear()

    def settle(self, roots: Sequence[Path]) -> list[Room]:
        """Work in these folders from now on; returns the rooms to close."""
        refused = {root: refusal(root) for root in dict.fromkeys(roots)}
        wanted = [root for root, reason in refused.items() if reason is None]
        self._refused = [reason for reason in refused.values() if reason is not None]
        gone = [room for root, room in self._rooms.items() if root not in wanted]
        self._rooms = {root: self._rooms.get(root) or Room(root, self._settings) for root in wanted}
        self._settled.set()
        return gone

    async def ready(self, tell: Tell) -> list[Session]:
        """Every workspace, indexed. Raises ToolRefused where there is none."""
        await self._settled.wait()
        if not self._rooms:
            raise ToolRefused(" ".join(self._refused) or "There is no workspace.")
        return [await room.ready(tell) for room in list(self._rooms.values())]

    async def aclose(self) -> None:
        for room in self._rooms.values():
            await room.aclose()

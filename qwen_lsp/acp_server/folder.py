"""The folders that conversations work in, each opened once and shared."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from qwen_lsp.errors import UserError
from qwen_lsp.session import Session
from qwen_lsp.workspace.user_config import merged

log = logging.getLogger(__name__)


class Folder:
    """An open workspace. It is indexed in the background; who needs the index waits for it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.session = Session(root, merged())
        self.landing = asyncio.Lock()
        """One landing or undo at a time."""
        self._started = asyncio.create_task(self._start(), name="index")

    async def ready(self) -> Session:
        """The workspace with its index, as the disk is now."""
        await asyncio.shield(self._started)
        await self.session.refresh()
        return self.session

    async def _start(self) -> None:
        await self.session.start(learn=False)
        self.session.watch()

    async def aclose(self) -> None:
        self._started.cancel()
        await asyncio.gather(self._started, return_exceptions=True)
        await self.session.aclose()


class Folders:
    """The open workspaces by their root."""

    def __init__(self) -> None:
        self._open: dict[Path, Folder] = {}

    async def get(self, root: Path) -> Folder:
        """The workspace at a root, with the user's settings as they are now. Raises SettingsError."""
        folder = self._open.get(root)
        if folder is None:
            folder = self._open[root] = Folder(root)
        elif (settings := merged()) != folder.session.settings:
            await folder.session.reconfigure(settings)
        return folder

    async def aclose(self) -> None:
        """Close all."""
        await asyncio.gather(*(folder.aclose() for folder in self._open.values()))
        self._open.clear()


def root_of(cwd: str) -> Path:
    """The workspace that a client's folder means. Raises UserError for one that is no project."""
    path = Path(cwd)
    if not path.is_absolute():
        raise UserError(f"{cwd!r} is no absolute path; the folder of a session must be one")
    root = Path(os.path.realpath(path))
    if not root.is_dir():
        raise UserError(f"{cwd}: no such folder")
    home = Path(os.path.realpath(Path.home()))
    if root in (home, *home.parents):
        raise UserError(f"{cwd} is not one project, and all of it would be read. Open the project's folder")
    return root

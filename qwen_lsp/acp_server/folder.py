"""The folders that conversations work in, each opened once and shared."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from qwen_lsp.errors import UserError
from qwen_lsp.session.opened import Opened
from qwen_lsp.workspace.paths import holds_home
from qwen_lsp.workspace.user_config import merged


class Folder(Opened):
    """An open workspace, which several conversations may work in."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, merged())
        self.root = root
        self.landing = asyncio.Lock()
        """One landing or undo at a time."""


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
    if holds_home(root):
        raise UserError(f"{cwd} is not one project, and all of it would be read. Open the project's folder")
    return root

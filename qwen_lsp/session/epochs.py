"""The epochs of one workspace: which prefix each feature goes on from, also after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from qwen_lsp.context.epoch import Held
from qwen_lsp.context.kept import VERSION, frozen_bytes, read, tail_bytes
from qwen_lsp.context.prefix import Entry, Epoch
from qwen_lsp.settings import ContextSettings
from qwen_lsp.workspace import git

_LARGEST = 32 * 1024 * 1024
"""Bytes of a file that is kept or read back."""


class Epochs:
    """The current epoch of each feature, and its copy in the workspace's cache folder.

    The copy holds source text, like the index's names and signatures beside it: readable by the user only.
    Everything but the files is done on the event loop.
    """

    def __init__(
        self, root: Path, folder: Path | None, spawn: Callable[[Coroutine[Any, Any, None], str], None]
    ) -> None:
        self._root, self._folder, self._spawn = root, folder, spawn
        self._current: dict[str, Epoch | None] = {}
        self._unwritten: dict[str, Epoch] = {}
        self._on_disk: dict[str, tuple[Entry, ...]] = {}
        self._writing = False
        self._disk = threading.Lock()

    async def held(self, feature: str, settings: ContextSettings) -> Held | None:
        """What the next prompt of a feature goes on from; None when prompts are to be made anew."""
        if not settings.epochs:
            return None
        branch = await asyncio.to_thread(git.branch, self._root)
        if feature not in self._current:
            kept = await asyncio.to_thread(self._read, feature)
            if self._current.setdefault(feature, kept) is kept and kept is not None:
                self._on_disk[feature] = kept.frozen

        def keep(epoch: Epoch) -> None:
            self._keep(feature, epoch)

        return Held(self._current[feature], branch, keep, settings.tail_percent / 100)

    def _keep(self, feature: str, epoch: Epoch) -> None:
        self._current[feature] = epoch
        if self._folder is not None:
            self._unwritten[feature] = epoch
            if not self._writing:
                self._writing = True
                self._spawn(self._write_soon(), "epoch")

    async def _write_soon(self) -> None:
        try:
            await self.flush()
        finally:
            self._writing = False

    async def flush(self) -> None:
        """Write what is not on disk yet."""
        while self._unwritten:
            feature, epoch = self._unwritten.popitem()
            await asyncio.to_thread(self._write, feature, epoch)

    # -- files, from a thread --------------------------------------------------------------------------

    def _names(self, feature: str) -> tuple[Path, Path]:
        folder = self._folder or Path(os.devnull)
        return folder / f"epoch-{VERSION}-{feature}.frozen", folder / f"epoch-{VERSION}-{feature}.tail"

    def _read(self, feature: str) -> Epoch | None:
        if self._folder is None:
            return None
        frozen, tail = (_contents(path) for path in self._names(feature))
        return read(frozen, tail)

    def _write(self, feature: str, epoch: Epoch) -> None:
        """Put an epoch on disk; on a disk that takes nothing it lasts as long as the process."""
        frozen, tail = self._names(feature)
        with self._disk, contextlib.suppress(OSError):
            if self._on_disk.get(feature) is not epoch.frozen:
                _replace(frozen, frozen_bytes(epoch))
                self._on_disk[feature] = epoch.frozen
                _forget_other_versions(frozen.parent)
            _replace(tail, tail_bytes(epoch))


def _forget_other_versions(folder: Path) -> None:
    for path in folder.glob("epoch-*"):
        if not path.name.startswith(f"epoch-{VERSION}-"):
            path.unlink(missing_ok=True)


def _contents(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            return b""
        return path.read_bytes()
    except OSError:
        return b""


def _replace(path: Path, data: bytes) -> None:
    """The file as a whole or as it was before, readable by the user only. Raises OSError."""
    if len(data) > _LARGEST:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

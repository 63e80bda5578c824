"""Where scratch copies are kept: folders of the user's cache that nobody else may enter.

Each is held by a lock, which the system frees when its process ends, however that happens. What nobody
holds is removed when the next copy is made.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.workspace.paths import user_folder

if sys.platform != "win32":
    import fcntl

_LOCK = ".lock"


def default_place() -> Path:
    """The folder of all scratch copies of this user."""
    return user_folder("XDG_CACHE_HOME", ".cache") / "scratch"


@dataclass(frozen=True, slots=True)
class Place:
    """A private folder, until `release`."""

    folder: Path
    _lock: int

    @classmethod
    def new(cls, above: Path) -> Place:
        """Make one below `above`, and remove what dead processes left there. Raises OSError."""
        above.mkdir(parents=True, exist_ok=True, mode=0o700)
        above.chmod(0o700)
        sweep(above)
        while True:
            folder = above / secrets.token_hex(8)
            lock = _locked(folder.with_suffix(_LOCK), make=True)
            if lock is not None:
                folder.mkdir(mode=0o700)
                return cls(folder, lock)

    def release(self) -> None:
        """Remove the folder and all that is in it."""
        remove(self.folder)
        with contextlib.suppress(OSError):
            self.folder.with_suffix(_LOCK).unlink()
        os.close(self._lock)


def sweep(above: Path) -> None:
    """Remove the copies of processes that are no more."""
    for lock_file in above.glob(f"*{_LOCK}"):
        lock = _locked(lock_file)
        if lock is not None:
            Place(lock_file.with_suffix(""), lock).release()


def remove(folder: Path) -> None:
    """Remove a folder, also where commands have taken away the right to look into it."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    folders = [folder]
    while folders:
        inner = folders.pop()
        with contextlib.suppress(OSError):
            inner.chmod(0o700)
            with os.scandir(inner) as scanned:
                folders += [Path(entry) for entry in scanned if entry.is_dir(follow_symlinks=False)]
    shutil.rmtree(folder, ignore_errors=True)


def _locked(path: Path, *, make: bool = False) -> int | None:
    """A descriptor that holds the lock of this file, or None where another process holds it."""
    try:
        flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if make else 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags, 0o600)
    except OSError:
        return None
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None

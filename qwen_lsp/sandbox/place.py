"""Where scratch copies are kept: folders of the user's cache that nobody else may enter.

Each is held by a lock, which the system frees when its process ends, however that happens. What nobody
holds is removed when the next copy is made.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.workspace.paths import user_folder

if sys.platform != "win32":
    import fcntl

_LOCK = ".lock"
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
"""How a folder is opened, through no link."""


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
    """Remove a folder as far as it can be, also where commands have taken away the right to look into it."""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        descriptor = os.open(folder, FOLDER)
        try:
            # Each in the folder itself, so that nothing is left outside it where this is cut short.
            with os.scandir(descriptor) as scanned:
                names = [entry.name for entry in scanned]
            for name in names:
                clear(descriptor, name)
        finally:
            os.close(descriptor)
        folder.rmdir()


def clear(above: int, name: str) -> None:
    """Remove a name in an open folder, whatever it is; nothing may run in there. Raises OSError.

    Folders are taken out of one another before they are emptied: a command can nest them deeper than calls
    or open files can be, and than a path can say.
    """
    try:
        os.unlink(name, dir_fd=above)
        return
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        os.chmod(name, 0o700, dir_fd=above)
    own, taken_out = f".qwen-lsp-{secrets.token_hex(8)}-", 0
    folders = [name]
    while folders:
        folder = folders.pop()
        descriptor = os.open(folder, FOLDER, dir_fd=above)
        try:
            with os.scandir(descriptor) as scanned:
                entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in scanned]
            for inner, is_folder in entries:
                if not is_folder:
                    os.unlink(inner, dir_fd=descriptor)
                    continue
                os.chmod(inner, 0o700, dir_fd=descriptor)
                taken_out += 1
                folders.append(f"{own}{taken_out}")
                os.rename(inner, folders[-1], src_dir_fd=descriptor, dst_dir_fd=above)
        finally:
            os.close(descriptor)
        os.rmdir(folder, dir_fd=above)


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

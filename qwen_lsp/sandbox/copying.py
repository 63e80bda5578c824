"""Files of a workspace into a scratch copy: as clones where the disk can, never as hard links.

A hard link would be faster, and a program that writes in place would then write the user's file. Every name
is opened relative to an open folder, and no link is followed on either side.
"""

from __future__ import annotations

import contextlib
import os
import stat as modes
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.workspace import beneath
from qwen_lsp.workspace.journal import write_all
from qwen_lsp.workspace.paths import RelPath

if sys.platform != "win32":
    import fcntl

LARGEST, MOST_BYTES = 64 * 1024 * 1024, 1024 * 1024 * 1024
"""Of one file, and of all that are copied byte by byte; clones take no room."""

_FICLONE = 0x4004_9409
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _SAFE
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE

Signature = tuple[int, int, int, int, int]
"""Mode, size, time of the last write, time of the last change, inode: what tells that a file was changed."""


def signature(found: os.stat_result) -> Signature:
    return found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


@dataclass(frozen=True, slots=True)
class Pair:
    """One file as it was when it was copied: in the workspace (None: it is not there), and in the copy."""

    source: Signature | None
    copy: Signature


class TooMuch(Exception):
    """A file that is not copied; the text says why."""


@dataclass(slots=True)
class Copier:
    """Copies files from below one folder to below another."""

    root: Path
    copy: Path
    _room: int = MOST_BYTES
    _clones: bool = sys.platform == "linux"
    absent: list[tuple[RelPath, str]] = field(default_factory=list[tuple[RelPath, str]])
    """What was not copied, each with the reason."""

    def folder(self, folder: str, names: list[str]) -> dict[RelPath, Pair]:
        """Copy files and links of one folder, whose copy is made with it. What cannot be is in `absent`."""
        copied: dict[RelPath, Pair] = {}
        try:
            with beneath.folder(self.root, folder) as source, self._into(folder) as target:
                for name in names:
                    path = RelPath(f"{folder}/{name}" if folder else name)
                    try:
                        pair = self.one(source, target, name, folder)
                    except FileNotFoundError:
                        continue
                    except TooMuch as error:
                        self.absent.append((path, str(error)))
                    except OSError as error:
                        self.absent.append((path, (error.strerror or "cannot be read").lower()))
                    else:
                        copied[path] = pair
        except OSError:  # the folder is gone, or is a link by now
            return copied
        return copied

    def one(self, source: int, target: int, name: str, folder: str) -> Pair:
        """Copy one name between two open folders. Raises OSError, or TooMuch with a reason."""
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        if modes.S_ISLNK(found.st_mode):
            to = os.readlink(name, dir_fd=source)
            if not self._stays_inside(folder, to):
                raise TooMuch("link out of the workspace")
            os.symlink(to, name, dir_fd=target)
            made = os.stat(name, dir_fd=target, follow_symlinks=False)
        elif modes.S_ISREG(found.st_mode):
            found, made = self._file(source, target, name)
        else:
            raise TooMuch("not a regular file")
        return Pair(signature(found), signature(made))

    @contextlib.contextmanager
    def _into(self, folder: str) -> Generator[int]:
        try:
            if folder:
                (self.copy / folder).mkdir(exist_ok=True)
        except FileNotFoundError:
            beneath.make_folders(self.copy, beneath.missing_folders(self.copy, [folder]))
        with beneath.folder(self.copy, folder) as descriptor:
            yield descriptor

    def _file(self, source: int, target: int, name: str) -> tuple[os.stat_result, os.stat_result]:
        old = os.open(name, _READ, dir_fd=source)
        try:
            found = os.fstat(old)
            if not modes.S_ISREG(found.st_mode):
                raise TooMuch("not a regular file")
            mode = modes.S_IMODE(found.st_mode) & 0o777
            new = os.open(name, _MAKE, mode, dir_fd=target)
            try:
                self._content(old, new, found.st_size)
                if modes.S_IMODE(os.fstat(new).st_mode) != mode:
                    os.fchmod(new, mode)
                os.utime(new, ns=(found.st_atime_ns, found.st_mtime_ns))
                return found, os.fstat(new)
            except TooMuch:
                os.unlink(name, dir_fd=target)
                raise
            finally:
                os.close(new)
        finally:
            os.close(old)

    def _content(self, old: int, new: int, size: int) -> None:
        if self._clones and sys.platform == "linux":
            try:
                fcntl.ioctl(new, _FICLONE, old)
                return
            except OSError:  # another disk, or one that cannot
                self._clones = False
        if size > LARGEST or size > self._room:
            raise TooMuch("too large")
        self._room -= size
        if sys.platform == "linux":
            try:
                while os.copy_file_range(old, new, LARGEST):
                    pass
                return
            except OSError:
                os.lseek(old, 0, os.SEEK_SET)
                os.lseek(new, 0, os.SEEK_SET)
        while piece := os.read(old, 1 << 20):
            write_all(new, piece)

    def _stays_inside(self, folder: str, to: str) -> bool:
        whole = os.path.normpath(f"{self.root}/{folder}/{to}" if not to.startswith("/") else to)
        return Path(whole).is_relative_to(self.root)

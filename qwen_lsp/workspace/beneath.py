"""Open files below a root so that no symbolic link on the way can lead out of it.

Each folder is opened relative to the one before it and none may be a link, so a link that is swapped in
between a check and its use is refused by the kernel. Where the platform has no such calls, the resolved
path is compared with the resolved root instead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as modes
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from qwen_lsp.errors import FileUnreadable, OutsideWorkspace

RELATIVE = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this platform opens relative to a folder."""

_COMMON = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | _COMMON | getattr(os, "O_DIRECTORY", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
# A FIFO opened for reading waits for a writer unless it is told not to.
_FILE = os.O_RDONLY | _COMMON | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_MOST_OPEN = 64


@contextlib.contextmanager
def folder(root: Path, path: str) -> Generator[int]:
    """A descriptor of the folder `path` below `root`; "" or "." is the root itself, link or not.

    Raises NotADirectoryError or another OSError where a part is a link, is missing or is no folder.
    """
    descriptor = _folder(root, path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Folders:
    """Descriptors of folders below `root`, each opened once as `folder` does and closed at the end."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: dict[str, int] = {}

    def __call__(self, path: str) -> int:
        """The descriptor of a folder; valid until many others have been asked for. Raises OSError."""
        found = self._open.get(path)
        if found is None:
            if len(self._open) >= _MOST_OPEN:
                self.close()
            found = self._open[path] = _folder(self._root, path)
        return found

    def __enter__(self) -> Folders:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        while self._open:
            os.close(self._open.popitem()[1])


def _folder(root: Path, path: str) -> int:
    descriptor = os.open(root, _FOLDER)
    try:
        for part in path.split("/") if path not in ("", ".") else ():
            inner = os.open(part, _FOLDER | _NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_bytes(root: Path, path: str, max_bytes: int) -> tuple[bytes, os.stat_result]:
    """The bytes of a regular file below `root`, and what they belong to.

    Raises FileUnreadable with a short reason, or OutsideWorkspace for a link that leaves the root.
    """
    try:
        descriptor = _open(root, path)
    except ValueError:
        raise FileUnreadable(path, "name is not a file name") from None
    except OSError as error:
        _explain(root, path, error)
    try:
        found = os.fstat(descriptor)
        if not modes.S_ISREG(found.st_mode):
            raise FileUnreadable(path, "not a regular file")
        if found.st_size > max_bytes:
            raise FileUnreadable(path, "too large")
        return _read_all(descriptor, path, found.st_size, max_bytes), found
    except OSError as error:
        raise FileUnreadable(path, (error.strerror or "cannot be read").lower()) from None
    finally:
        os.close(descriptor)


def missing_folders(root: Path, folders: Iterable[str]) -> list[str]:
    """The folders of these, and those above them, that are not there; outer ones first."""
    missing: dict[str, None] = {}
    for folder in dict.fromkeys(folders):
        at = folder.find("/")
        while folder:
            part = folder if at < 0 else folder[:at]
            if not os.path.lexists(root / part):
                missing[part] = None
            if at < 0:
                break
            at = folder.find("/", at + 1)
    return list(missing)


def make_folders(root: Path, folders: Iterable[str]) -> None:
    """Make folders whose outer ones are there or come before them."""
    for path in folders:
        above, _, name = path.rpartition("/")
        with folder(root, above) as descriptor, contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=descriptor)


def remove_folders(root: Path, folders: Sequence[str]) -> None:
    """Remove those that are empty, the last one first."""
    for path in reversed(folders):
        above, _, name = path.rpartition("/")
        with contextlib.suppress(OSError), folder(root, above) as descriptor:
            os.rmdir(name, dir_fd=descriptor)


def _open(root: Path, path: str) -> int:
    if RELATIVE:
        parent, _, name = path.rpartition("/")
        with folder(root, parent) as descriptor:
            return os.open(name, _FILE, dir_fd=descriptor)
    whole = root / path
    if not whole.resolve(strict=True).is_relative_to(root.resolve()):
        raise OutsideWorkspace(f"{path!r} is a link out of the workspace")
    if whole.is_symlink():
        raise OSError(errno.ELOOP, "link")
    return os.open(whole, _FILE)


def _explain(root: Path, path: str, error: OSError) -> NoReturn:
    """Raise what a failed open means. Only names are looked at here, nothing is opened."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
        try:
            target = (root / path).resolve()
            if not target.is_relative_to(root.resolve()):
                raise OutsideWorkspace(f"{path!r} is a link out of the workspace")
            reason = "missing" if error.errno == errno.ENOTDIR and not target.exists() else "link"
        except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
            reason = "link"
        raise FileUnreadable(path, reason)
    if error.errno in (errno.EACCES, errno.EPERM):
        raise FileUnreadable(path, "no permission")
    if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
        raise FileUnreadable(path, "missing")
    if error.errno == errno.ENXIO:  # a socket
        raise FileUnreadable(path, "not a regular file")
    raise FileUnreadable(path, (error.strerror or "cannot be read").lower())


def _read_all(descriptor: int, path: str, size: int, max_bytes: int) -> bytes:
    # A file may grow while it is read, and files of the kernel's say that their size is 0.
    pieces: list[bytes] = []
    total = 0
    while piece := os.read(descriptor, max(size + 1 - total, 65_536)):
        pieces.append(piece)
        total += len(piece)
        if total > max_bytes:
            raise FileUnreadable(path, "too large")
    return b"".join(pieces)

"""One file's change onto the disk, so that nobody's bytes are lost whoever writes at the same time.

The new content waits beside the file. It is exchanged with the file in one step, and what came out is
looked at before it is thrown away: when it is not what was expected, it goes back. All names are relative
to an open folder, so no link that appears meanwhile can lead the write elsewhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import stat as modes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from qwen_lsp.errors import ConflictError
from qwen_lsp.workspace.disk import digest
from qwen_lsp.workspace.journal import Change, write_all

_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM, errno.EMLINK, errno.EXDEV)
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW if hasattr(os, "O_NOFOLLOW") else 0
_RENAME_EXCHANGE = 2
_UNFINISHED = "+"

AT_ONCE = 40
"""Files that are open, and made durable, at the same time."""
NOT_A_FILE = "not a file"


def state(folder: int, name: str) -> str | None:
    """The digest of a file, None where nothing is, NOT_A_FILE for a link, a folder and the like."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError:
        return NOT_A_FILE
    try:
        if not modes.S_ISREG(os.fstat(descriptor).st_mode):
            return NOT_A_FILE
        pieces: list[bytes] = []
        while piece := os.read(descriptor, 1 << 20):
            pieces.append(piece)
        return digest(b"".join(pieces))
    finally:
        os.close(descriptor)


def expected(content: bytes | None) -> str | None:
    """What `state` says of a file with this content."""
    return None if content is None else digest(content)


def rights(folder: int, name: str) -> int | None:
    """The permission bits of a file; None where there is none."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return modes.S_IMODE(found.st_mode) if modes.S_ISREG(found.st_mode) else None


def is_before(folder: int, change: Change) -> bool:
    """Whether a file is as the change found it, as far as the change is concerned with it."""
    if change.rights_only:
        return rights(folder, change.name) == change.mode
    return state(folder, change.name) == expected(change.before)


def is_after(folder: int, change: Change) -> bool:
    """Whether a file is as the change leaves it."""
    if change.rights_only:
        return rights(folder, change.name) == change.new_mode
    return state(folder, change.name) == expected(change.after)


def write_beside(folder: int, change: Change) -> int | None:
    """Write what the file will hold beside it, with its rights; the descriptor, which is not durable yet."""
    if change.after is None or change.rights_only:
        return None
    # Under a name of its own until it is whole and durable: what bears the final name after a crash is
    # either all of the new content or what the exchange brought out.
    unfinished = change.temp + _UNFINISHED
    with contextlib.suppress(FileNotFoundError):
        os.unlink(unfinished, dir_fd=folder)
    mode = change.new_mode if change.owner is None else 0o600
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, mode, dir_fd=folder)
    try:
        write_all(descriptor, change.after)
        if change.owner is not None:
            # Only root can give a file away; anybody else's file becomes the editing user's.
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, *change.owner)
            os.fchmod(descriptor, change.new_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def ready(folder: int, change: Change) -> None:
    """What was written beside the file is durable: let it bear the name that it is exchanged under."""
    if change.after is not None and not change.rights_only:
        os.rename(change.temp + _UNFINISHED, change.temp, src_dir_fd=folder, dst_dir_fd=folder)


def stage(folder: int, change: Change) -> None:
    """Write what the file will hold beside it, durably."""
    descriptor = write_beside(folder, change)
    if descriptor is not None:
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        ready(folder, change)


def to_sync(folder: int, name: str) -> int:
    """A descriptor of a file as it is, to make it durable."""
    return os.open(name, os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=folder)


def sync(descriptors: Sequence[int]) -> None:
    """Make files and folders durable, side by side: a disk takes many at once hardly longer than one."""
    if len(descriptors) < 2:
        for descriptor in descriptors:
            os.fsync(descriptor)
        return
    with ThreadPoolExecutor(min(len(descriptors), AT_ONCE)) as threads:
        for _ in threads.map(os.fsync, descriptors):
            pass


def sweep(folder: int, change: Change) -> None:
    """Remove what waited beside the file."""
    for name in (change.temp, change.temp + _UNFINISHED):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


def land(folder: int, change: Change) -> None:
    """Put one staged change in place. Raises ConflictError, with the file as it was, where it differs."""
    if change.rights_only:
        _set_rights(folder, change)
    elif change.after is None:
        _take_away(folder, change)
    elif change.before is None:
        _create(folder, change)
    else:
        _replace(folder, change)


def restore_foreign(folder: int, change: Change) -> None:
    """Put back what came out of the file when that is somebody else's work; for after a crash."""
    if state(folder, change.name) is None or not _exchange(folder, change.temp, change.name):
        os.rename(change.temp, change.name, src_dir_fd=folder, dst_dir_fd=folder)
    sweep(folder, change)


def _replace(folder: int, change: Change) -> None:
    if not _exchange(folder, change.temp, change.name):
        if state(folder, change.name) != expected(change.before):
            raise _conflict(change)
        os.rename(change.temp, change.name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    if state(folder, change.temp) != expected(change.before):
        _exchange(folder, change.temp, change.name)
        raise _conflict(change)
    if (found := rights(folder, change.temp)) is not None and found != change.mode:
        # Somebody changed the rights in this very moment: theirs count, but for what was to be changed.
        touched = change.mode ^ change.new_mode
        _chmod(folder, change.name, found & ~touched | change.new_mode & touched)
    os.unlink(change.temp, dir_fd=folder)


def _set_rights(folder: int, change: Change) -> None:
    if rights(folder, change.name) != change.mode:
        raise _conflict(change)
    _chmod(folder, change.name, change.new_mode)


def _chmod(folder: int, name: str, mode: int) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=folder)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _create(folder: int, change: Change) -> None:
    try:
        os.link(change.temp, change.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise _conflict(change) from None
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        if state(folder, change.name) is not None:
            raise _conflict(change) from None
        os.rename(change.temp, change.name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    os.unlink(change.temp, dir_fd=folder)


def _take_away(folder: int, change: Change) -> None:
    try:
        os.rename(change.name, change.temp, src_dir_fd=folder, dst_dir_fd=folder)
    except FileNotFoundError:
        raise _conflict(change) from None
    if state(folder, change.temp) != expected(change.before):
        restore_foreign(folder, change)
        raise _conflict(change)
    os.unlink(change.temp, dir_fd=folder)


def _conflict(change: Change) -> ConflictError:
    return ConflictError(f"{change.path} was changed meanwhile")


def _exchange(folder: int, first: str, second: str) -> bool:
    """Exchange two names in one step; False where this system cannot."""
    rename = _renameat2()
    if rename is None:
        return False
    if rename(folder, os.fsencode(first), folder, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    if code == errno.ENOENT:  # the file is gone: the caller's comparison will say so
        return False
    raise OSError(code, os.strerror(code), second)


@functools.cache
def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):  # not Linux, or a C library from before 2018
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function

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
from collections.abc import Callable

from qwen_lsp.errors import ConflictError
from qwen_lsp.workspace.disk import digest
from qwen_lsp.workspace.journal import Change, write_all

_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM, errno.EMLINK, errno.EXDEV)
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW if hasattr(os, "O_NOFOLLOW") else 0
_RENAME_EXCHANGE = 2
_UNFINISHED = "+"

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


def stage(folder: int, change: Change) -> None:
    """Write what the file will hold beside it, with the file's own rights, durably."""
    if change.after is None:
        return
    # Under a name of its own until it is whole: what bears the final name after a crash is either all of
    # the new content or what the exchange brought out.
    unfinished = change.temp + _UNFINISHED
    with contextlib.suppress(FileNotFoundError):
        os.unlink(unfinished, dir_fd=folder)
    mode = 0o666 if change.mode is None else 0o600
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, mode, dir_fd=folder)
    try:
        write_all(descriptor, change.after)
        if change.owner is not None:
            # Only root can give a file away; anybody else's file becomes the editing user's.
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, *change.owner)
        if change.mode is not None:
            os.fchmod(descriptor, change.mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(unfinished, change.temp, src_dir_fd=folder, dst_dir_fd=folder)


def sweep(folder: int, change: Change) -> None:
    """Remove what waited beside the file."""
    for name in (change.temp, change.temp + _UNFINISHED):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


def land(folder: int, change: Change) -> None:
    """Put one staged change in place. Raises ConflictError, with the file as it was, where it differs."""
    if change.after is None:
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
    os.unlink(change.temp, dir_fd=folder)


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

"""A file of the user's, read and replaced: whole or not at all, through links, with the rights it had."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from qwen_lsp.errors import UserError

_LARGEST = 16 * 1024 * 1024


def read(path: Path) -> bytes | None:
    """What a file holds; None where there is none. Raises UserError for what is no file of settings."""
    file = behind_links(path)
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(path, "cannot be read", error) from None
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{path} is not a file")
    if found.st_size > _LARGEST:
        raise UserError(f"{path} is larger than settings are")
    try:
        return file.read_bytes()
    except OSError as error:
        raise _failed(path, "cannot be read", error) from None


def write(path: Path, before: bytes | None, after: bytes | None, mode: int = 0o600) -> None:
    """Make a file that holds `before` hold `after`; None: there is no file. Folders are made for it.

    `mode` is for a new file; one that is there keeps its own. Raises UserError, and then nothing is changed.
    """
    file = behind_links(path)
    if read(path) != before:
        raise UserError(f"{path} was changed by something else just now; run this again")
    missing = missing_folders(path)
    try:
        if after is None:
            file.unlink()
            return
        for folder in missing:
            folder.mkdir()
        _replace(file, after, mode)
    except OSError as error:
        for folder in reversed(missing):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise _failed(path, "cannot be written", error) from None


def behind_links(path: Path) -> Path:
    """Where a file really is, so that a link into a folder of dotfiles stays a link. Raises UserError."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise UserError(f"{path} is a link that leads nowhere") from None


def missing_folders(path: Path) -> list[Path]:
    """The folders that a file needs and that are not there, outermost first."""
    missing: list[Path] = []
    folder = behind_links(path).parent
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    return missing[::-1]


def _replace(file: Path, content: bytes, mode: int) -> None:
    old = file.stat() if file.exists() else None
    number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(number, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        Path(name).chmod(stat.S_IMODE(old.st_mode) if old else mode)
        if old is not None and hasattr(os, "chown") and (old.st_uid, old.st_gid) != _owner(name):
            os.chown(name, old.st_uid, old.st_gid)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _owner(name: str) -> tuple[int, int]:
    found = os.stat(name)  # noqa: PTH116 - beside os.chown
    return found.st_uid, found.st_gid


def _failed(path: Path, what: str, error: OSError) -> UserError:
    return UserError(f"{path} {what}: {error.strerror or error}")

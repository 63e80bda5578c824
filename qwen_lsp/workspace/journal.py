"""The journal of one multi-file write: what each file held and will hold, in one file with a checksum.

Its name's ending is the state of the write, so that changing the state is one atomic rename:
`prepared` (nothing landed yet), `committed` (must be completed), `reverting` (must be taken back), `done`
(kept for undo).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.workspace.paths import RelPath

State = Literal["prepared", "committed", "reverting", "done"]
STATES: tuple[State, ...] = ("prepared", "committed", "reverting", "done")

_KEPT_FOR_UNDO = 20
_CHECKSUM = 32


@dataclass(frozen=True, slots=True)
class Change:
    """One file's bytes before and after; None where it is not there."""

    path: RelPath
    before: bytes | None
    after: bytes | None
    mode: int | None
    """Permission bits of the file; None where a new one gets what the user's mask allows."""
    owner: tuple[int, int] | None
    temp: str
    """The name, beside the file, under which its new content waits."""

    def reversed(self) -> Change:
        return replace(self, before=self.after, after=self.before)

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Journal:
    """One write: its changes, and the folders it has to make first, outer ones before inner ones."""

    id: str
    root: str
    changes: tuple[Change, ...]
    folders: tuple[str, ...]
    undoes: str = ""
    """The write that this one takes back; neither is kept when it is complete."""
    leaves: tuple[str, ...] = ()
    """Folders that are no longer needed afterwards, where they are empty."""


def new_id() -> str:
    """An identifier; later ones sort later."""
    return f"{time.time_ns():020d}-{secrets.token_hex(4)}"


def write(directory: Path, journal: Journal) -> None:
    """Write a journal in the state `prepared`, durably."""
    header = {
        "version": 1,
        "root": journal.root,
        "folders": journal.folders,
        "undoes": journal.undoes,
        "leaves": journal.leaves,
        "changes": [
            {
                "path": os.fsencode(change.path).hex(),
                "before": None if change.before is None else len(change.before),
                "after": None if change.after is None else len(change.after),
                "mode": change.mode,
                "owner": change.owner,
                "temp": change.temp,
            }
            for change in journal.changes
        ],
    }
    pieces = [json.dumps(header).encode(), b"\n"]
    for change in journal.changes:
        pieces += (change.before or b"", change.after or b"")
    body = b"".join(pieces)
    path = _path(directory, journal.id, "prepared")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        write_all(descriptor, body + _checksum(body))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(directory)


def load(directory: Path, name: str, state: State) -> Journal | None:
    """A journal read back; None where it is cut short or not ours."""
    try:
        data = _path(directory, name, state).read_bytes()
    except OSError:
        return None
    body, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if _checksum(body) != checksum:
        return None
    first, _, rest = body.partition(b"\n")
    header = cast("dict[str, Any]", json.loads(first))
    changes: list[Change] = []
    at = 0
    for row in header["changes"]:
        contents: list[bytes | None] = []
        for size in (row["before"], row["after"]):
            contents.append(None if size is None else rest[at : at + size])
            at += size or 0
        path = RelPath(os.fsdecode(bytes.fromhex(row["path"])))
        owner = None if row["owner"] is None else (row["owner"][0], row["owner"][1])
        changes.append(Change(path, contents[0], contents[1], row["mode"], owner, row["temp"]))
    return Journal(
        name,
        header["root"],
        tuple(changes),
        tuple(header["folders"]),
        header["undoes"],
        tuple(header["leaves"]),
    )


def move(directory: Path, name: str, old: State, new: State) -> None:
    """Change the state, atomically and durably; where that fails the old state is as it was."""
    _path(directory, name, old).rename(_path(directory, name, new))
    try:
        sync_folder(directory)
    except OSError:
        _path(directory, name, new).rename(_path(directory, name, old))
        raise


def remove(directory: Path, name: str, state: State) -> None:
    """Forget a journal."""
    _path(directory, name, state).unlink(missing_ok=True)


def pending(directory: Path) -> Iterator[tuple[str, State]]:
    """Journals that are not done, oldest first."""
    for path in sorted(directory.glob("*.*")):
        state = path.suffix[1:]
        if state in ("prepared", "committed", "reverting"):
            yield path.stem, cast("State", state)


def done(directory: Path) -> list[str]:
    """Names of the writes that can be undone, latest first."""
    return sorted((path.stem for path in directory.glob("*.done")), reverse=True)


def prune(directory: Path) -> None:
    """Keep the latest for undo, remove the older ones."""
    for name in done(directory)[_KEPT_FOR_UNDO:]:
        remove(directory, name, "done")


@contextlib.contextmanager
def locked(directory: Path) -> Generator[None]:
    """Keep other processes out of this folder of journals meanwhile. Raises WorkspaceError."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise WorkspaceError(f"no journal can be kept in {directory}: {error.strerror}") from error
    try:
        try:
            import fcntl
        except ImportError:  # Windows
            pass
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reverse(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes that take these back, last one first."""
    return tuple(change.reversed() for change in reversed(changes))


def _path(directory: Path, name: str, state: State) -> Path:
    return directory / f"{name}.{state}"


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECKSUM // 2).hexdigest().encode()

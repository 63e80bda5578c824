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
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.workspace.paths import RelPath

State = Literal["prepared", "committed", "reverting", "done"]
STATES: tuple[State, ...] = ("prepared", "committed", "reverting", "done")

_VERSION = 2
_KEPT_FOR_UNDO = 20
_LOCK_SECONDS = 20.0
"""As long as this a write waits for another process's; one takes a fraction of a second."""
_CHECKSUM = 32


@dataclass(frozen=True, slots=True)
class Change:
    """One file's bytes before and after; None where it is not there."""

    path: RelPath
    before: bytes | None
    after: bytes | None
    mode: int
    """Permission bits before; of no meaning where the file is not there."""
    new_mode: int
    """Permission bits afterwards; those of a new file are what the user's mask leaves of them."""
    owner: tuple[int, int] | None
    """User and group; None for a new file."""
    temp: str
    """The name, beside the file, under which its new content waits."""

    def reversed(self) -> Change:
        return replace(self, before=self.after, after=self.before, mode=self.new_mode, new_mode=self.mode)

    @property
    def rights_only(self) -> bool:
        """Whether only who may read, write or run the file changes."""
        return self.before is not None and self.before == self.after

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
    run: str = ""
    """What asked for it, and its name for a person; for undo."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One write that can be taken back."""

    id: str
    when: datetime
    run: str
    label: str
    paths: tuple[RelPath, ...]


def new_id() -> str:
    """An identifier; later ones sort later."""
    return f"{time.time_ns():020d}-{secrets.token_hex(4)}"


def write(directory: Path, journal: Journal) -> None:
    """Write a journal in the state `prepared`, durably."""
    header = {
        "version": _VERSION,
        "root": journal.root,
        "run": journal.run,
        "label": journal.label,
        "folders": journal.folders,
        "undoes": journal.undoes,
        "leaves": journal.leaves,
        "changes": [
            {
                "path": os.fsencode(change.path).hex(),
                "before": None if change.before is None else len(change.before),
                "after": None if change.after is None else len(change.after),
                "mode": change.mode,
                "new_mode": change.new_mode,
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
    if header["version"] != _VERSION:
        return None
    changes: list[Change] = []
    at = 0
    for row in header["changes"]:
        contents: list[bytes | None] = []
        for size in (row["before"], row["after"]):
            contents.append(None if size is None else rest[at : at + size])
            at += size or 0
        owner = None if row["owner"] is None else (row["owner"][0], row["owner"][1])
        modes = row["mode"], row["new_mode"]
        changes.append(Change(_named(row), contents[0], contents[1], *modes, owner, row["temp"]))
    return Journal(
        name,
        header["root"],
        tuple(changes),
        tuple(header["folders"]),
        header["undoes"],
        tuple(header["leaves"]),
        header["run"],
        header["label"],
    )


def steps(directory: Path, root: str) -> list[Step]:
    """The writes below `root` that can be taken back, latest first; their contents are not read."""
    found: list[Step] = []
    for name in done(directory):
        try:
            with _path(directory, name, "done").open("rb") as file:
                header = cast("dict[str, Any]", json.loads(file.readline()))
        except (OSError, ValueError):
            continue
        if header["version"] == _VERSION and header["root"] == root:
            when = datetime.fromtimestamp(int(name[:20]) / 1e9, UTC)
            paths = tuple(_named(row) for row in header["changes"])
            found.append(Step(name, when, header["run"], header["label"], paths))
    return found


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


def set_aside(directory: Path, name: str, state: State) -> Path:
    """Keep a journal that makes no sense for a person to look at; where it is."""
    return _path(directory, name, state).rename(directory / f"{name}.unreadable")


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
    """Keep other processes out of this folder of journals meanwhile.

    Raises WorkspaceError where no journal can be kept, or where another process stays in for too long.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise WorkspaceError(f"no journal can be kept in {directory}: {error.strerror}") from error
    try:
        until = time.monotonic() + _LOCK_SECONDS
        while not _lock(descriptor):
            if time.monotonic() > until:
                raise WorkspaceError("another process is writing files of this workspace; try again later")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Take a lock that ends with the descriptor; False where somebody else has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


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


def _named(row: dict[str, Any]) -> RelPath:
    return RelPath(os.fsdecode(bytes.fromhex(row["path"])))


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECKSUM // 2).hexdigest().encode()

"""What a set of edits means in bytes: each file's content before and after, checked against the disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from qwen_lsp.errors import ConflictError, FileUnreadable, OutsideWorkspace, ProtectedPath
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import beneath, disk, landing
from qwen_lsp.workspace.guard import guarded
from qwen_lsp.workspace.journal import Change
from qwen_lsp.workspace.paths import RelPath, protection, rel_path

_NEW = 0o666
"""Permission bits of a new file, before the user's mask is applied."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A file as an edit found it."""

    data: bytes
    file: disk.TextFile
    mode: int
    owner: tuple[int, int]


def planned(root: Path, edits: Sequence[FileEdit], name: str) -> list[Change]:
    """The change of each file, in the order of the edits; those that change nothing are only checked."""
    sources: dict[RelPath, _Source] = {}
    wanted: dict[RelPath, tuple[bytes, _Source | None, bool | None]] = {}
    own = guarded(root)
    for edit in edits:
        path = _writable(edit.path, own)
        origin = _writable(edit.moved_from, own) if edit.moved_from else path
        if path in wanted or (edit.before is not None and origin in sources):
            raise ConflictError(f"two edits change {path}")
        source = None
        if edit.before is not None:
            source = sources[origin] = _source(root, origin, edit.before)
        if edit.after is not None:
            same = source is not None and edit.after == edit.before
            data = (
                source.data if source and same else disk.encode(edit.after, source.file if source else None)
            )
            wanted[path] = data, source, edit.executable
    changes: list[Change] = []
    for path in dict.fromkeys((*sources, *wanted)):
        here = sources.get(path)
        after, kept, executable = wanted.get(path, (None, here, None))
        mode = here.mode if here else kept.mode if kept else _NEW
        new_mode = _runnable(kept.mode if kept else _NEW, executable)
        if (here and here.data) != after or (here and after is not None and mode != new_mode):
            owner, temp = kept.owner if kept else None, temp_name(name, len(changes))
            changes.append(Change(path, here.data if here else None, after, mode, new_mode, owner, temp))
    # The others have just been read.
    verify(root, [c for c in changes if c.before is None], "changed since the edit was made")
    return changes


def _runnable(mode: int, executable: bool | None) -> int:
    """Permission bits with which those may run a file who may read it, or nobody; None changes nothing."""
    if executable is None:
        return mode
    return mode | (mode & 0o444) >> 2 if executable else mode & ~0o111


def _writable(text: str, own: Sequence[RelPath]) -> RelPath:
    path = rel_path(text)
    if path != text:
        raise OutsideWorkspace(f"{text!r} is not the plain name of a file in the workspace")
    if reason := protection(path, own):
        raise ProtectedPath(f"{path} may not be written: {reason}")
    return path


def _source(root: Path, path: RelPath, before: str) -> _Source:
    try:
        data, found = beneath.read_bytes(root, path, disk.LARGEST)
        file = disk.text_file(path, data, found)
    except FileUnreadable as error:
        raise ConflictError(f"{error}; nothing was written") from None
    if file.text != before:
        raise ConflictError(f"{path} changed since the edit was made; nothing was written")
    if not found.st_mode & 0o222:
        raise ProtectedPath(f"{path} is read-only")
    return _Source(data, file, found.st_mode & 0o7777, (found.st_uid, found.st_gid))


def verify(root: Path, changes: Iterable[Change], what: str) -> None:
    """Raise ConflictError with the names of all files that are not as they were."""
    differing: list[str] = []
    with beneath.Folders(root) as folders:
        for change in changes:
            try:
                same = landing.is_before(folders(change.folder), change)
            except FileNotFoundError:
                same = change.before is None
            except OSError as error:
                _refuse(root, change, error)
            if not same:
                differing.append(change.path)
    if differing:
        raise ConflictError(f"{', '.join(differing)}: {what}; nothing was written")


def _refuse(root: Path, change: Change, error: OSError) -> NoReturn:
    """A folder on the way is a link or a file."""
    try:
        if not (root / change.folder).resolve().is_relative_to(root.resolve()):
            raise OutsideWorkspace(f"{change.path!r} is behind a link out of the workspace")
    except (OSError, RuntimeError):
        pass
    raise ConflictError(
        f"{change.folder}: {(error.strerror or 'cannot be opened').lower()}; nothing was written"
    )


def temp_name(name: str, number: int) -> str:
    return f".qwen-lsp-{name}-{number}.tmp"

"""Many files written as one: all or nothing, through a journal outside the workspace, undone in one step.

    stage      new and old contents are written to the journal and synced
    commit     the plan is renamed into place: from here on the transaction will happen
    apply      each file is replaced by a rename in its own folder, so no reader sees half a file
    settle     the plan becomes the undo record of the last transaction

A crash before `commit` leaves nothing but a folder that `recover` discards; a crash after it is rolled
forward by `recover`, which touches no file that somebody else has changed since.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qwen_lsp.errors import ConflictError, FileUnreadable, ProtectedPath, WorkspaceError
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import beneath
from qwen_lsp.workspace.disk import LARGEST, digest, encode, read
from qwen_lsp.workspace.paths import RelPath, protection, rel_path

_PLAN, _UNDO = "plan.json", "undo.json"
_DEFAULT_MODE = 0o644


@dataclass(frozen=True, slots=True)
class _Step:
    """One file: the digests of its content before and after (None: no file), and its mode bits."""

    path: RelPath
    old: str | None
    new: str | None
    mode: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """A transaction as the journal keeps it; contents lie beside it, named by digest."""

    id: str
    steps: tuple[_Step, ...]


def commit(root: Path, edits: Sequence[FileEdit], journal: Path) -> None:
    """Write all edits or none. Recovers an interrupted transaction first.

    Raises ProtectedPath for a path that may not be written, ConflictError when a file is not what its
    edit was computed from, WorkspaceError when the disk refuses; in each case nothing was written.
    """
    recover(root, journal)
    contents: dict[str, bytes] = {}
    steps = [step for edit in edits for step in _steps(root, edit, contents)]
    if len({step.path for step in steps}) != len(steps):
        raise WorkspaceError("two edits are about the same file")
    if steps:
        _transact(root, journal, _Plan(secrets.token_hex(8), tuple(steps)), contents)


def recover(root: Path, journal: Path) -> list[str]:
    """Finish what a crash interrupted; the files that were left alone because they have changed since."""
    plan = _load(journal / _PLAN)
    if plan is None:
        _discard_except(journal, _load(journal / _UNDO))
        return []
    left = _apply(root, journal, plan)
    _settle(journal, plan)
    return left


def undo_last(root: Path, journal: Path) -> list[str]:
    """Put back what the last transaction changed; the files concerned.

    Raises ConflictError, and changes nothing, when a file has changed since; WorkspaceError when there
    is nothing to undo.
    """
    recover(root, journal)
    plan = _load(journal / _UNDO)
    if plan is None:
        raise WorkspaceError("there is nothing to undo in this workspace")
    if changed := [step.path for step in plan.steps if _digest(root, step.path) != step.new]:
        raise ConflictError(f"these files changed since, so nothing was undone: {', '.join(changed)}")
    names = [name for step in plan.steps for name in (step.old, step.new) if name is not None]
    contents = {name: (_folder(journal, plan) / name).read_bytes() for name in names}
    back = tuple(_Step(step.path, step.new, step.old, step.mode) for step in plan.steps)
    _transact(root, journal, _Plan(secrets.token_hex(8), back), contents)
    (journal / _UNDO).unlink()
    _discard_except(journal, None)
    return [step.path for step in plan.steps]


def _steps(root: Path, edit: FileEdit, contents: dict[str, bytes]) -> list[_Step]:
    """The steps of one edit, checked against the disk; their contents are added to `contents`."""
    path = _writable(edit.path)
    source = _writable(edit.moved_from) if edit.moved_from else path
    like = None
    mode = _DEFAULT_MODE
    if edit.before is not None:
        try:
            like = read(root, source)
        except FileUnreadable as error:
            raise ConflictError(f"{source} cannot be changed: {error.reason}") from None
        if like.text != edit.before:
            raise ConflictError(f"{source} changed since the edit was made")
        mode = (root / source).stat().st_mode & 0o7777
        contents[like.digest] = beneath.read_bytes(root, source, LARGEST)[0]
    if (edit.before is None or source != path) and _exists(root, path):
        raise ConflictError(f"{path} exists already")
    new = None
    if edit.after is not None:
        data = encode(edit.after, like)
        new = digest(data)
        contents[new] = data
    old = like.digest if like else None
    if source != path:
        return [_Step(source, old, None, mode), _Step(path, None, new, mode)]
    return [_Step(path, old, new, mode)]


def _writable(text: str) -> RelPath:
    path = rel_path(text)
    if reason := protection(path):
        raise ProtectedPath(f"{path} may not be written: {reason}")
    return path


def _transact(root: Path, journal: Path, plan: _Plan, contents: dict[str, bytes]) -> None:
    _discard_except(journal, _load(journal / _UNDO))
    folder = _folder(journal, plan)
    try:
        folder.mkdir(parents=True, mode=0o700)
        for name, data in contents.items():
            _write_synced(folder / name, data)
        _sync_folder(folder)
        text = json.dumps({"id": plan.id, "steps": [asdict(step) for step in plan.steps]}).encode()
        _write_synced(journal / f"{_PLAN}.new", text)
        _check_parents(root, plan)
        (journal / f"{_PLAN}.new").replace(journal / _PLAN)  # the commit point
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise WorkspaceError(f"nothing was written: {error.strerror or 'the disk refused'}") from None
    try:
        _sync_folder(journal)
        left = _apply(root, journal, plan)
        _settle(journal, plan)
    except OSError as error:
        raise WorkspaceError(
            f"writing was interrupted ({error.strerror or 'the disk refused'}) and will be finished the next "
            "time this workspace is opened; nothing is lost"
        ) from None
    if left:
        raise ConflictError(f"these files changed in the same moment and were left alone: {', '.join(left)}")


def _apply(root: Path, journal: Path, plan: _Plan) -> list[str]:
    """Bring every file to its new content; again, if need be. Files that are neither old nor new stay."""
    left: list[str] = []
    for step in plan.steps:
        now = _digest(root, step.path)
        if now == step.new:
            continue
        if now != step.old:
            left.append(step.path)
            continue
        folder, _, name = step.path.rpartition("/")
        _make_folders(root, folder)
        with beneath.folder(root, folder) as descriptor:
            if step.new is None:
                os.unlink(name, dir_fd=descriptor)
            else:
                _replace(descriptor, name, (_folder(journal, plan) / step.new).read_bytes(), step.mode, plan)
            os.fsync(descriptor)
    return left


def _replace(descriptor: int, name: str, data: bytes, mode: int, plan: _Plan) -> None:
    """Write beside the file under a name of this transaction's, then rename over it."""
    beside = f".{name[:100]}.{plan.id}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(beside, dir_fd=descriptor)  # left by a crash
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    file = os.open(beside, flags, mode, dir_fd=descriptor)
    with os.fdopen(file, "wb") as out:
        out.write(data)
        out.flush()
        os.fchmod(out.fileno(), mode)  # the umask does not apply to a file that had its bits
        os.fsync(out.fileno())
    os.replace(beside, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)


def _settle(journal: Path, plan: _Plan) -> None:
    (journal / _PLAN).replace(journal / _UNDO)
    _sync_folder(journal)
    _discard_except(journal, plan)


def _check_parents(root: Path, plan: _Plan) -> None:
    """Refuse before the commit point what could fail after it: a file or a link where a folder must be."""
    for step in plan.steps:
        folder = step.path.rpartition("/")[0]
        while folder and not _exists(root, folder):
            folder = folder.rpartition("/")[0]
        with beneath.folder(root, folder):
            if not os.access(root / folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, f"no permission to write in {folder or 'the workspace'}")


def _make_folders(root: Path, folder: str) -> None:
    made = ""
    for part in filter(None, folder.split("/")):
        with beneath.folder(root, made) as descriptor, contextlib.suppress(FileExistsError):
            os.mkdir(part, dir_fd=descriptor)
            os.fsync(descriptor)
        made = f"{made}/{part}" if made else part


def _digest(root: Path, path: RelPath) -> str | None:
    try:
        return digest(beneath.read_bytes(root, path, LARGEST)[0])
    except FileUnreadable:
        return None if not _exists(root, path) else "unreadable"


def _exists(root: Path, path: str) -> bool:
    return os.path.lexists(root / path)


def _load(path: Path) -> _Plan | None:
    try:
        read_plan: Any = json.loads(path.read_bytes())
        steps = (_Step(rel_path(s["path"]), s["old"], s["new"], int(s["mode"])) for s in read_plan["steps"])
        return _Plan(str(read_plan["id"]), tuple(steps))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(
            f"the journal {path.name} cannot be read ({type(error).__name__}); move {path.parent} away "
            "after looking at the contents kept in it"
        ) from None


def _folder(journal: Path, plan: _Plan) -> Path:
    return journal / f"contents-{plan.id}"


def _discard_except(journal: Path, plan: _Plan | None) -> None:
    keep = None if plan is None else _folder(journal, plan)
    with contextlib.suppress(FileNotFoundError):
        for folder in _folders(journal):
            if folder != keep:
                shutil.rmtree(folder, ignore_errors=True)


def _folders(journal: Path) -> Iterable[Path]:
    return list(journal.glob("contents-*"))


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

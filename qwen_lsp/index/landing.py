"""Edits made on a fork, as they fit the workspace by now: what somebody changed meanwhile is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qwen_lsp.errors import ConflictError, FileUnreadable, OutsideWorkspace
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.text.edits import FileEdit, rebase
from qwen_lsp.workspace.paths import RelPath


class _Clash(Exception):
    """Why one edit does not fit any more; said together with the others."""


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Something is there that is no text."""

    reason: str


def landed(edits: Sequence[FileEdit], current: Snapshot) -> list[FileEdit]:
    """The edits as they apply to what the files are now; unchanged where nobody touched a file since.

    A file that was edited on both sides is merged (`rebase`), a moved one too. What is there already is left
    out. Raises ConflictError naming every file where both sides want something else; then nothing fits.
    """
    leaving = {edit.moved_from for edit in edits} | {edit.path for edit in edits if edit.after is None}
    result: list[FileEdit] = []
    clashes: list[str] = []
    for edit in edits:
        try:
            fitted = _fitted(edit, current, leaving)
        except _Clash as clash:
            clashes.append(f"{edit.path}: {clash}")
        else:
            result += fitted
    if clashes:
        raise ConflictError(
            "Nothing was changed, because these files changed meanwhile: " + "; ".join(clashes)
        )
    return result


def _fitted(edit: FileEdit, current: Snapshot, leaving: set[str | None]) -> list[FileEdit]:
    now = _now(current, edit.path)
    if edit.moved_from is not None and edit.moved_from != edit.path:
        return _moved(edit, _now(current, edit.moved_from), None if edit.path in leaving else now)
    if now == edit.before:
        return [edit]
    if edit.after is None:
        if now is None:
            return []
        raise _Clash("it was to be deleted, and was changed meanwhile")
    if edit.before is None:
        if now != edit.after:
            raise _Clash("it was to be created, and is there by now")
        return [] if edit.executable is None else [replace(edit, before=now)]
    if now is None:
        raise _Clash("it was to be changed, and was deleted meanwhile")
    return _merged(edit, now)


def _moved(edit: FileEdit, source: _Text, target: _Text) -> list[FileEdit]:
    """A move: to where nothing is, or one that somebody has made already."""
    if source is not None and target is not None:
        raise _Clash(f"{edit.moved_from} was to be moved there, and something is there by now")
    if source is not None:
        return _merged(edit, source) if source != edit.before else [edit]
    if target is None or edit.after is None:
        raise _Clash(f"{edit.moved_from} was to be moved there, and was deleted meanwhile")
    return _merged(replace(edit, moved_from=None), target)


def _merged(edit: FileEdit, now: str | _Unreadable) -> list[FileEdit]:
    if isinstance(now, _Unreadable):
        raise _Clash(now.reason)
    try:
        merged = rebase(edit.before or "", edit.after or "", now)
    except ConflictError as error:
        raise _Clash(str(error)) from None
    if merged == now and edit.moved_from is None and edit.executable is None:
        return []
    return [replace(edit, before=now, after=merged)]


def _now(current: Snapshot, path: str) -> _Text:
    """What the path holds: a text, nothing, or something that is no text."""
    try:
        return current.text(RelPath(path))
    except OutsideWorkspace as error:
        return _Unreadable(str(error))
    except FileUnreadable as error:
        return None if error.reason in ("missing", "deleted") else _Unreadable(error.reason)


_Text = str | _Unreadable | None

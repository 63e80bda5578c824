"""Write many files as one: all of them or none, whatever fails and whenever the machine stops.

1. Every file must be as the edit found it, and may be written at all.
2. A journal with all contents is made durable, outside the workspace.
3. The new contents are made durable beside the files; every file is compared once more.
4. The journal is renamed: from here on the write is completed, now or at the next start.
5. Each file is exchanged with its new content; one that changed in this very moment takes all back.

A crash before step 4 leaves the files as they were, a crash after it is completed by `recover`, which every
write and undo also does first.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_lsp.errors import ConflictError, QwenLspError, WorkspaceError
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import beneath, journal, landing, recovery
from qwen_lsp.workspace.changes import planned, temp_name, verify
from qwen_lsp.workspace.journal import Change, Journal, Step
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.recovery import Recovered

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes one committed write back."""

    id: str
    paths: tuple[RelPath, ...]


def commit(
    root: Path, edits: Sequence[FileEdit], journal_dir: Path, *, run: str = "", label: str = ""
) -> Undo:
    """Write all edits or none of them; files keep their encoding, byte order mark and permission bits.

    `run` and `label` are kept for undo. Raises ConflictError when a file is not what its edit was made from,
    ProtectedPath or OutsideWorkspace when one may not be written, WorkspaceError when the disk refuses;
    nothing is written then.
    """
    if not beneath.RELATIVE:
        raise WorkspaceError(
            "writing several files as one needs a system that opens files relative to a folder"
        )
    with journal.locked(journal_dir):
        _finish(root, journal_dir)
        name = journal.new_id()
        changes = planned(root, edits, name)
        if changes:
            _run(root, journal_dir, name, changes, run=run, label=label)
        journal.prune(journal_dir)
    return Undo(name, tuple(change.path for change in changes))


def undo(root: Path, journal_dir: Path, step: Undo) -> None:
    """Take one write back, all of it. Raises ConflictError naming the files that changed since."""
    if step.paths:
        with journal.locked(journal_dir):
            _finish(root, journal_dir)
            _undo(root, journal_dir, step.id)


def undo_last(root: Path, journal_dir: Path, run: str | None = None) -> list[RelPath]:
    """Take the latest write back that is still there to undo, of one run or of any; its files.

    Raises WorkspaceError when there is none, ConflictError naming the files that changed since.
    """
    if not journal_dir.is_dir():
        raise WorkspaceError("there is nothing to undo in this workspace")
    with journal.locked(journal_dir):
        _finish(root, journal_dir)
        for step in journal.steps(journal_dir, str(root)):
            if run is None or step.run == run:
                _undo(root, journal_dir, step.id)
                return list(step.paths)
    what = "this workspace" if run is None else f"run {run}: it wrote nothing here, or was taken back already"
    raise WorkspaceError(f"there is nothing to undo in {what}")


def undoable(root: Path, journal_dir: Path) -> list[Step]:
    """What can be taken back, latest first; undo refuses a step whose files changed since."""
    return journal.steps(journal_dir, str(root)) if journal_dir.is_dir() else []


def recover(root: Path, journal_dir: Path) -> Recovered:
    """Finish what a crash left behind; says so in the log too.

    Raises WorkspaceError when the disk refuses; it is tried again the next time.
    """
    if not journal_dir.is_dir():
        return Recovered()
    with journal.locked(journal_dir):
        return _finish(root, journal_dir)


def _finish(root: Path, journal_dir: Path) -> Recovered:
    found = recovery.finish(root, journal_dir)
    if found:
        log.warning("%s", found.told())
    return found


def _undo(root: Path, journal_dir: Path, name: str) -> None:
    found = journal.load(journal_dir, name, "done")
    if found is None or found.root != str(root):
        raise ConflictError("there is no record of this edit any more, so it cannot be undone")
    back = journal.reverse(found.changes)
    verify(root, back, "changed since the edit")
    fresh = journal.new_id()
    changes = [replace(change, temp=temp_name(fresh, i)) for i, change in enumerate(back)]
    _run(root, journal_dir, fresh, changes, undoes=name, leaves=found.folders)


def _run(
    root: Path,
    journal_dir: Path,
    name: str,
    changes: Sequence[Change],
    *,
    undoes: str = "",
    leaves: tuple[str, ...] = (),
    run: str = "",
    label: str = "",
) -> None:
    missing = tuple(recovery.missing_folders(root, changes))
    record = Journal(name, str(root), tuple(changes), missing, undoes, leaves, run, label)
    try:
        journal.write(journal_dir, record)
        beneath.make_folders(root, record.folders)
        _stage(root, changes)
        verify(root, changes, "changed meanwhile")
        journal.move(journal_dir, name, "prepared", "committed")
    except (OSError, QwenLspError) as error:
        with contextlib.suppress(OSError):
            recovery.discard(root, journal_dir, record)
        raise _nothing_written(error) from error
    try:
        with beneath.Folders(root) as folders:
            for change in changes:
                landing.land(folders(change.folder), change)
    except (OSError, QwenLspError) as error:
        try:
            journal.move(journal_dir, name, "committed", "reverting")
            left = recovery.take_back(root, journal_dir, record)
        except OSError:
            raise WorkspaceError("the edit was interrupted and is finished at the next start") from error
        if left:
            files = ", ".join(left)
            raise ConflictError(f"{error}; taken back but for {files}, which changed as well") from error
        raise _nothing_written(error) from error
    with contextlib.suppress(OSError):  # in place already; at worst it is looked at again at the next start
        recovery.settle(root, journal_dir, record)


def _stage(root: Path, changes: Sequence[Change]) -> None:
    """Write all new contents beside their files, durably."""
    with beneath.Folders(root) as folders:
        for at in range(0, len(changes), landing.AT_ONCE):
            some = changes[at : at + landing.AT_ONCE]
            with contextlib.ExitStack() as opened:
                written: list[int] = []
                for change in some:
                    descriptor = landing.write_beside(folders(change.folder), change)
                    if descriptor is not None:
                        opened.callback(os.close, descriptor)
                        written.append(descriptor)
                landing.sync(written)
            for change in some:
                landing.ready(folders(change.folder), change)


def _nothing_written(error: OSError | QwenLspError) -> QwenLspError:
    if isinstance(error, OSError):
        return WorkspaceError(f"nothing was written: {error.strerror or error}")
    text = str(error)
    return error if "nothing was written" in text else type(error)(f"{text}; nothing was written")

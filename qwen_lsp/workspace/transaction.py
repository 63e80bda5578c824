"""Write many files as one: all of them or none, whatever fails and whenever the machine stops.

1. Every file must be as the edit found it, and may be written at all.
2. A journal with all contents is made durable, outside the workspace.
3. The new contents are made durable beside the files; every file is compared once more.
4. The journal is renamed: from here on the write is completed, now or at the next start.
5. Each file is exchanged with its new content; one that changed in this very moment takes all back.

A crash before step 4 leaves the files as they were, a crash after it is completed by `recover`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_lsp.errors import ConflictError, QwenLspError, WorkspaceError
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import beneath, journal, landing
from qwen_lsp.workspace.changes import planned, temp_name, verify
from qwen_lsp.workspace.journal import Change, Journal
from qwen_lsp.workspace.paths import RelPath


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes one committed write back."""

    id: str
    paths: tuple[RelPath, ...]


def commit(root: Path, edits: Sequence[FileEdit], journal_dir: Path) -> Undo:
    """Write all edits or none of them; files keep their encoding, byte order mark and permission bits.

    Raises ConflictError when a file is not what its edit was made from, ProtectedPath or OutsideWorkspace
    when one may not be written, WorkspaceError when the disk refuses; nothing is written then.
    """
    if not beneath.RELATIVE:
        raise WorkspaceError(
            "writing several files as one needs a system that opens files relative to a folder"
        )
    with journal.locked(journal_dir):
        name = journal.new_id()
        changes = planned(root, edits, name)
        if changes:
            _run(root, journal_dir, name, changes)
        journal.prune(journal_dir)
    return Undo(name, tuple(change.path for change in changes))


def undo(root: Path, journal_dir: Path, step: Undo) -> None:
    """Take one write back, all of it. Raises ConflictError naming the files that changed since."""
    if step.paths:
        with journal.locked(journal_dir):
            _recover(root, journal_dir)
            _undo(root, journal_dir, step.id)


def undo_last(root: Path, journal_dir: Path) -> list[str]:
    """Take the latest write back that is still there to undo; its files.

    Raises WorkspaceError when there is none, ConflictError naming the files that changed since.
    """
    with journal.locked(journal_dir):
        _recover(root, journal_dir)
        for name in journal.done(journal_dir):
            found = journal.load(journal_dir, name, "done")
            if found is not None and found.root == str(root):
                _undo(root, journal_dir, name)
                return [change.path for change in found.changes]
    raise WorkspaceError("there is nothing to undo in this workspace")


def recover(root: Path, journal_dir: Path) -> list[str]:
    """Finish what a crash left behind; the files left as they are because somebody changed them since.

    Raises WorkspaceError when the disk refuses; it is tried again the next time.
    """
    if not journal_dir.is_dir():
        return []
    with journal.locked(journal_dir):
        return _recover(root, journal_dir)


def _recover(root: Path, journal_dir: Path) -> list[str]:
    left: list[str] = []
    try:
        for name, state in list(journal.pending(journal_dir)):
            found = journal.load(journal_dir, name, state)
            if found is None:  # cut short while it was written, so nothing else had begun
                journal.remove(journal_dir, name, state)
            elif found.root == str(root):
                if state == "prepared":
                    _discard(root, journal_dir, found)
                elif state == "reverting":
                    left += _take_back(root, journal_dir, found)
                else:
                    left += _complete(root, found.changes)
                    _settle(root, journal_dir, found)
    except OSError as error:
        raise WorkspaceError(f"an interrupted edit cannot be finished yet: {error.strerror}") from error
    return left


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
) -> None:
    folders = tuple(_missing_folders(root, changes))
    record = Journal(name, str(root), tuple(changes), folders, undoes, leaves)
    try:
        journal.write(journal_dir, record)
        beneath.make_folders(root, record.folders)
        for change in changes:
            with beneath.folder(root, change.folder) as folder:
                landing.stage(folder, change)
        verify(root, changes, "changed meanwhile")
        journal.move(journal_dir, name, "prepared", "committed")
    except (OSError, QwenLspError) as error:
        with contextlib.suppress(OSError):
            _discard(root, journal_dir, record)
        raise _nothing_written(error) from error
    try:
        for change in changes:
            with beneath.folder(root, change.folder) as folder:
                landing.land(folder, change)
    except (OSError, QwenLspError) as error:
        try:
            journal.move(journal_dir, name, "committed", "reverting")
            left = _take_back(root, journal_dir, record)
        except OSError:
            raise WorkspaceError("the edit was interrupted and is finished at the next start") from error
        if left:
            files = ", ".join(left)
            raise ConflictError(f"{error}; taken back but for {files}, which changed as well") from error
        raise _nothing_written(error) from error
    with contextlib.suppress(OSError):  # in place already; at worst it is looked at again at the next start
        _settle(root, journal_dir, record)


def _settle(root: Path, journal_dir: Path, record: Journal) -> None:
    """All files are in place: make that durable, and keep the journal only as long as it can be undone."""
    beneath.remove_folders(root, record.leaves)
    _sync(root, record)
    if record.undoes:
        journal.remove(journal_dir, record.undoes, "done")
        journal.remove(journal_dir, record.id, "committed")
    else:
        journal.move(journal_dir, record.id, "committed", "done")


def _nothing_written(error: OSError | QwenLspError) -> QwenLspError:
    if isinstance(error, OSError):
        return WorkspaceError(f"nothing was written: {error.strerror or error}")
    text = str(error)
    return error if "nothing was written" in text else type(error)(f"{text}; nothing was written")


def _complete(root: Path, changes: Sequence[Change]) -> list[str]:
    """Bring every file to its `after`, whichever are there already; the ones that are somebody else's."""
    left: list[str] = []
    for change in changes:
        if change.after is not None:
            beneath.make_folders(root, _missing_folders(root, [change]))
        try:
            with beneath.folder(root, change.folder) as folder:
                left += _complete_one(folder, change)
        except (FileNotFoundError, NotADirectoryError):
            if change.after is not None:
                left.append(change.path)
    return left


def _complete_one(folder: int, change: Change) -> list[str]:
    now, waiting = landing.state(folder, change.name), landing.state(folder, change.temp)
    before, after = landing.expected(change.before), landing.expected(change.after)
    if waiting not in (None, before, after):
        landing.restore_foreign(folder, change)
        return [change.path]
    try:
        if now == before and now != after:
            # Renaming onto another name of the same file does nothing, so no such name may be left over.
            landing.sweep(folder, change)
            landing.stage(folder, change)
            landing.land(folder, change)
        elif now != after:
            return [change.path]
    except ConflictError:
        return [change.path]
    finally:
        landing.sweep(folder, change)
    return []


def _take_back(root: Path, journal_dir: Path, record: Journal) -> list[str]:
    left = _complete(root, journal.reverse(record.changes))
    beneath.remove_folders(root, record.folders)
    _sync(root, record)
    journal.remove(journal_dir, record.id, "reverting")
    return left


def _discard(root: Path, journal_dir: Path, record: Journal) -> None:
    """Remove what waits beside the files; none of them has been touched."""
    for change in record.changes:
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            beneath.folder(root, change.folder) as folder,
        ):
            landing.sweep(folder, change)
    beneath.remove_folders(root, record.folders)
    journal.remove(journal_dir, record.id, "prepared")


def _sync(root: Path, record: Journal) -> None:
    """Make the names durable, each folder once."""
    folders = {change.folder for change in record.changes}
    folders |= {folder.rpartition("/")[0] for folder in record.folders}
    for path in sorted(folders):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), beneath.folder(root, path) as folder:
            os.fsync(folder)


def _missing_folders(root: Path, changes: Iterable[Change]) -> list[str]:
    needed = [change.folder for change in changes if change.after is not None]
    return beneath.missing_folders(root, needed)

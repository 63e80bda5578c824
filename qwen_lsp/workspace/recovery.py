"""What is done with the journal of a write that did not come to its end, by the next one who looks."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.errors import ConflictError, WorkspaceError
from qwen_lsp.text.words import listed
from qwen_lsp.workspace import beneath, journal, landing
from qwen_lsp.workspace.journal import Change, Journal
from qwen_lsp.workspace.paths import RelPath

log = logging.getLogger(__name__)

_LISTED = 8


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a crash had left behind."""

    finished: tuple[RelPath, ...] = ()
    """Files of writes that had been decided on: they hold all that was to be written."""
    taken_back: tuple[RelPath, ...] = ()
    """Files of writes that were being taken back: they hold what they held before."""
    left: tuple[RelPath, ...] = ()
    """Files that somebody has changed since, and that are as they were found."""

    def __bool__(self) -> bool:
        return bool(self.finished or self.taken_back or self.left)

    def told(self) -> str:
        """Sentences for the user; empty when there was nothing to do."""
        said: list[str] = []
        if self.finished:
            said.append(f"An interrupted edit was finished: {listed(self.finished, _LISTED)}.")
        if self.taken_back:
            said.append(f"An interrupted edit was taken back: {listed(self.taken_back, _LISTED)}.")
        if self.left:
            said.append(f"Left alone, because they changed meanwhile: {', '.join(self.left)}.")
        return " ".join(said)


def finish(root: Path, journal_dir: Path) -> Recovered:
    """Complete or take back what is pending below `root`; for who holds the lock.

    Raises WorkspaceError when the disk refuses; it is tried again the next time.
    """
    finished: list[RelPath] = []
    taken_back: list[RelPath] = []
    left: list[RelPath] = []
    try:
        for name, state in list(journal.pending(journal_dir)):
            found = journal.load(journal_dir, name, state)
            if found is None:
                if state == "prepared":  # cut short while it was written, so nothing else had begun
                    journal.remove(journal_dir, name, state)
                else:
                    kept = journal.set_aside(journal_dir, name, state)
                    log.error("the journal of an interrupted edit cannot be read any more: %s", kept)
            elif found.root == str(root):
                if state == "prepared":
                    discard(root, journal_dir, found)
                    continue
                if state == "reverting":
                    foreign = take_back(root, journal_dir, found)
                else:
                    foreign = complete(root, found.changes)
                    settle(root, journal_dir, found)
                left += foreign
                whole = taken_back if state == "reverting" else finished
                whole += [change.path for change in found.changes if change.path not in foreign]
    except OSError as error:
        raise WorkspaceError(f"an interrupted edit cannot be finished yet: {error.strerror}") from error
    return Recovered(tuple(finished), tuple(taken_back), tuple(left))


def complete(root: Path, changes: Sequence[Change]) -> list[RelPath]:
    """Bring every file to its `after`, whichever are there already; the ones that are somebody else's."""
    left: list[RelPath] = []
    for change in changes:
        if change.after is not None:
            beneath.make_folders(root, missing_folders(root, [change]))
        try:
            with beneath.folder(root, change.folder) as folder:
                left += _complete_one(folder, change)
        except (FileNotFoundError, NotADirectoryError):
            if change.after is not None:
                left.append(change.path)
    return left


def _complete_one(folder: int, change: Change) -> list[RelPath]:
    waiting = landing.state(folder, change.temp)
    if waiting not in (None, landing.expected(change.before), landing.expected(change.after)):
        landing.restore_foreign(folder, change)
        return [change.path]
    try:
        if landing.is_after(folder, change):
            return []
        if not landing.is_before(folder, change):
            return [change.path]
        # Renaming onto another name of the same file does nothing, so no such name may be left over.
        landing.sweep(folder, change)
        landing.stage(folder, change)
        landing.land(folder, change)
    except ConflictError:
        return [change.path]
    finally:
        landing.sweep(folder, change)
    return []


def settle(root: Path, journal_dir: Path, record: Journal) -> None:
    """All files are in place: make that durable, and keep the journal only as long as it can be undone."""
    beneath.remove_folders(root, record.leaves)
    _sync(root, record)
    if record.undoes:
        journal.remove(journal_dir, record.undoes, "done")
        journal.remove(journal_dir, record.id, "committed")
    else:
        journal.move(journal_dir, record.id, "committed", "done")


def take_back(root: Path, journal_dir: Path, record: Journal) -> list[RelPath]:
    """Bring every file to its `before`; the ones that are somebody else's."""
    left = complete(root, journal.reverse(record.changes))
    beneath.remove_folders(root, record.folders)
    _sync(root, record)
    journal.remove(journal_dir, record.id, "reverting")
    return left


def discard(root: Path, journal_dir: Path, record: Journal) -> None:
    """Remove what waits beside the files; none of them has been touched."""
    for change in record.changes:
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            beneath.folder(root, change.folder) as folder,
        ):
            landing.sweep(folder, change)
    beneath.remove_folders(root, record.folders)
    journal.remove(journal_dir, record.id, "prepared")


def missing_folders(root: Path, changes: Iterable[Change]) -> list[str]:
    """The folders that these changes need and that are not there, outer ones first."""
    needed = [change.folder for change in changes if change.after is not None]
    return beneath.missing_folders(root, needed)


def _sync(root: Path, record: Journal) -> None:
    """Make the names durable, each folder once, and the rights of files that got no new content."""
    alone = [change for change in record.changes if change.rights_only]
    folders = {change.folder for change in record.changes if not change.rights_only}
    folders |= {folder.rpartition("/")[0] for folder in record.folders}
    wanted = [(change.folder, change.name) for change in alone] + [(folder, "") for folder in sorted(folders)]
    for at in range(0, len(wanted), landing.AT_ONCE):
        with contextlib.ExitStack() as opened:
            descriptors: list[int] = []
            for path, name in wanted[at : at + landing.AT_ONCE]:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    folder = opened.enter_context(beneath.folder(root, path))
                    if name:
                        folder = landing.to_sync(folder, name)
                        opened.callback(os.close, folder)
                    descriptors.append(folder)
            landing.sync(descriptors)

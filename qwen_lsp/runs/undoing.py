"""All that has landed of a run taken back on the disk, also what an editor changed and a person saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from qwen_lsp.errors import ConflictError, FileUnreadable, UserError
from qwen_lsp.runs import landing
from qwen_lsp.runs.landed import Step, composed, latest, note_undone, steps
from qwen_lsp.runs.stored import infos
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit, ended, reversed_edit
from qwen_lsp.workspace import disk, journal
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.transaction import Undo, commit, undo, undoable


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back."""

    files: tuple[RelPath, ...]
    left: tuple[RelPath, ...] = ()
    """Files that an editor changed and the disk has as they were before: not saved, or taken back there."""


async def undo_last(session: Session, run: str | None = None) -> Undone:
    """Take back the latest landing, or all of one run, on the disk.

    Raises ConflictError naming the files that changed since, UserError or WorkspaceError where nothing can be
    undone; nothing is changed then.
    """
    named = run or await asyncio.to_thread(_landed_last, session)
    landings = await asyncio.to_thread(steps, named) if named else []
    if not landings:
        return Undone(tuple(await landing.undo_last(session, run)))
    work = partial(_taken_back, session, named, landings)
    undone = await landing.whole(work)
    session.hint(set(undone.files))
    await session.refresh()
    return undone


def _landed_last(session: Session) -> str:
    """The run that landed last through an editor, unless something was written without one since."""
    try:
        run = latest([info.run for info in infos(session.root)])
    except UserError:
        return ""
    written = undoable(session.root, session.journal)
    known = {step.journal for step in steps(run)}
    return (
        run
        if not written or written[0].id in known or written[0].when.isoformat() <= steps(run)[-1].at
        else ""
    )


def _taken_back(session: Session, run: str, landings: Sequence[Step]) -> Undone:
    def now(path: str) -> str | None:
        try:
            return disk.read(session.root, RelPath(path)).text
        except FileUnreadable:
            return None

    by_editor = [seen(edit, now) for edit in composed(landings, "editor")]
    by_disk = [seen(edit, now) for edit in composed(landings, "disk")]
    if changed := [one.edit.path for one in (*by_editor, *by_disk) if one.state == "changed"]:
        raise ConflictError(f"{', '.join(sorted(changed))}: changed since the edit; nothing was taken back")
    back = [one.edit for one in (*by_editor, *by_disk) if one.state == "made"]
    left = tuple(RelPath(one.edit.path) for one in by_editor if one.state == "back")
    if not back:
        raise UserError(
            f"nothing of the run {run} is on the disk: {', '.join(left) or 'it'} was changed in an editor "
            "and not saved, or was taken back already. What an editor still shows is undone "
            "there (qwen.undoEdit)"
        )
    kept = [s for s in landings if is_kept(session, s)] if all(o.state == "made" for o in by_disk) else []
    by_journal = {file.edit.path for step in kept for file in step.files if file.way == "disk"}
    write_back(session, [edit for edit in back if reversed_edit(edit).path not in by_journal], kept)
    if not left:
        note_undone(run)
    return Undone(tuple(sorted(landing.paths_of(back))), left)


@dataclass(frozen=True, slots=True)
class Seen:
    """An edit that takes one back, from what the file is now."""

    edit: FileEdit
    state: Literal["made", "back", "changed"]


def seen(made: FileEdit, now: Callable[[str], str | None]) -> Seen:
    """How a file stands that was made so: as it was made, taken back already, or neither."""
    back = reversed_edit(made)
    there = now(made.path)
    if ended(there) == ended(made.after):
        elsewhere = now(back.path) if back.path != made.path else None
        return Seen(replace(back, before=there), "made" if elsewhere is None else "changed")
    origin = now(back.path)
    gone = there is None or back.path == made.path
    return Seen(back, "back" if gone and ended(origin) == ended(back.after) else "changed")


def is_kept(session: Session, step: Step) -> bool:
    """Whether the journal of what was written is still there: it gives back every byte."""
    return bool(step.journal) and journal.load(session.journal, step.journal, "done") is not None


def write_back(session: Session, edits: Sequence[FileEdit], journals: Sequence[Step]) -> None:
    if edits:
        commit(session.root, edits, session.journal)
    for step in reversed(journals):
        paths = tuple(RelPath(file.edit.path) for file in step.files if file.way == "disk")
        undo(session.root, session.journal, Undo(step.journal, paths))

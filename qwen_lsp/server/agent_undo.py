"""`qwen.undoEdit`: all that has landed of a run taken back, or refused where somebody worked on since."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from qwen_lsp.errors import ConflictError, UserError
from qwen_lsp.server.agent_applying import ended, names, on_disk, text_now
from qwen_lsp.server.agent_landing import (
    Landing,
    Manner,
    Parts,
    carried_out,
    divided,
    reversed_edit,
    written,
)
from qwen_lsp.server.agent_turns import Asking, landing, seen_through
from qwen_lsp.server.host import Server
from qwen_lsp.server.workspace_edit import Label
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath

if TYPE_CHECKING:
    from qwen_lsp.runs.landed import Step
    from qwen_lsp.session import Session


async def taken_back(ls: Server, session: Session, run: str) -> Landing:
    """Take back all that has landed of a run.

    Raises ConflictError naming the files that are neither as they were made nor as they were before, and
    UserError when nothing of the run is there to take back.
    """
    asking = Asking()

    async def whole() -> Landing:
        async with landing(ls, session):
            return await _taken_back(ls, session, run, Manner(Label("Qwen: undo"), asked=asking.asked))

    return await seen_through(ls, asking, whole())


async def _taken_back(ls: Server, session: Session, run: str, manner: Manner) -> Landing:
    from qwen_lsp.runs.landed import composed, note_undone, steps

    landings = await asyncio.to_thread(steps, run)
    if not landings:
        raise UserError(f"Nothing of the run {run} is there to take back.")
    by_editor = [_seen(edit, lambda path: text_now(session, path)) for edit in composed(landings, "editor")]
    by_disk = [_seen(edit, lambda path: on_disk(session, path)) for edit in composed(landings, "disk")]
    if changed := [seen.edit.path for seen in (*by_editor, *by_disk) if seen.state == "changed"]:
        raise ConflictError(
            f"Nothing was taken back, because these files changed since: {', '.join(sorted(changed))}"
        )
    parts = divided(ls, session, [seen.edit for seen in by_editor if seen.state == "made"])
    stored = [seen.edit for seen in by_disk if seen.state == "made"]
    as_written = len(stored) == len(by_disk)

    def undo() -> None:
        kept = [step for step in landings if _is_kept(session, step)] if as_written else []
        by_journal = {file.edit.path for step in kept for file in step.files}
        rest = [edit for edit in stored if reversed_edit(edit).path not in by_journal]
        _take_back(session, [*parts.disk, *rest], kept)

    async def write() -> str:
        await written(session, names([*parts.disk, *stored]), undo)
        return ""

    whole = Parts(parts.editor, (*parts.disk, *stored))
    made = await carried_out(ls, session, whole, write, manner)
    if made.applied or not made.files:
        await asyncio.to_thread(note_undone, run)
    return made


@dataclass(frozen=True, slots=True)
class _Seen:
    """An edit that takes one back, from what the file is now."""

    edit: FileEdit
    state: Literal["made", "back", "changed"]


def _seen(made: FileEdit, now: Callable[[str], str | None]) -> _Seen:
    """How a file stands that was made so: as it was made, taken back already, or neither."""
    back = reversed_edit(made)
    there = now(made.path)
    if ended(there) == ended(made.after):
        elsewhere = now(back.path) if back.path != made.path else None
        return _Seen(replace(back, before=there), "made" if elsewhere is None else "changed")
    origin = now(back.path)
    gone = there is None or back.path == made.path
    return _Seen(back, "back" if gone and ended(origin) == ended(back.after) else "changed")


def _is_kept(session: Session, step: Step) -> bool:
    """Whether the journal of what was written is still there: it gives back every byte."""
    from qwen_lsp.workspace import journal

    return bool(step.journal) and journal.load(session.journal, step.journal, "done") is not None


def _take_back(session: Session, edits: Sequence[FileEdit], journals: Sequence[Step]) -> None:
    from qwen_lsp.workspace.transaction import Undo, commit, undo

    if edits:
        commit(session.root, edits, session.journal)
    for step in reversed(journals):
        paths = tuple(RelPath(file.edit.path) for file in step.files if file.way == "disk")
        undo(session.root, session.journal, Undo(step.journal, paths))

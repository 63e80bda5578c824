"""`qwen.undoEdit`: all that has landed of a run taken back, or refused where somebody worked on since."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from qwen_lsp.errors import ConflictError, UserError
from qwen_lsp.runs.undoing import is_kept, seen, write_back
from qwen_lsp.server.agent_applying import names, on_disk, text_now
from qwen_lsp.server.agent_landing import (
    Landing,
    Manner,
    Parts,
    carried_out,
    divided,
    written,
)
from qwen_lsp.server.agent_turns import Asking, landing, seen_through
from qwen_lsp.server.host import Server
from qwen_lsp.server.workspace_edit import Label
from qwen_lsp.text.edits import reversed_edit

if TYPE_CHECKING:
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
    by_editor = [seen(edit, lambda path: text_now(session, path)) for edit in composed(landings, "editor")]
    by_disk = [seen(edit, lambda path: on_disk(session, path)) for edit in composed(landings, "disk")]
    if changed := [one.edit.path for one in (*by_editor, *by_disk) if one.state == "changed"]:
        raise ConflictError(
            f"Nothing was taken back, because these files changed since: {', '.join(sorted(changed))}"
        )
    parts = divided(ls, session, [one.edit for one in by_editor if one.state == "made"])
    stored = [one.edit for one in by_disk if one.state == "made"]
    as_written = len(stored) == len(by_disk)

    def undo() -> None:
        kept = [step for step in landings if is_kept(session, step)] if as_written else []
        by_journal = {file.edit.path for step in kept for file in step.files}
        rest = [edit for edit in stored if reversed_edit(edit).path not in by_journal]
        write_back(session, [*parts.disk, *rest], kept)

    async def write() -> str:
        await written(session, names([*parts.disk, *stored]), undo)
        return ""

    whole = Parts(parts.editor, (*parts.disk, *stored))
    made = await carried_out(ls, session, whole, write, manner)
    if made.applied or not made.files:
        await asyncio.to_thread(note_undone, run)
    return made

"""What lands from an editor is written down with its run, so that it can be taken back as a whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qwen_lsp.errors import UserError, WorkspaceError
from qwen_lsp.server.agent_asking import agree
from qwen_lsp.server.agent_landing import Landing, Manner, land
from qwen_lsp.server.agent_turns import Asking, landing, seen_through
from qwen_lsp.server.host import Server
from qwen_lsp.server.workspace_edit import Label
from qwen_lsp.text.edits import FileEdit, unified

if TYPE_CHECKING:
    from qwen_lsp.session import Session

log = logging.getLogger(__name__)


async def landed_and_kept(
    ls: Server,
    session: Session,
    run: str | None,
    edits: Sequence[FileEdit],
    *,
    title: str,
    reason: str,
    confirm: bool = True,
    unasked: bool = False,
    wait: bool = False,
) -> Landing:
    """Land edits, and keep with their run what has landed of them. A clash is a problem of the landing.

    `confirm`: the person is shown the edit first. `unasked`: files may be written where that is not possible.
    `wait`: for another landing in this workspace to end; else that is a UserError.
    """
    asking = Asking()
    label = Label(title, _first_line(reason), confirm=confirm, each=True)

    async def question(title: str, detail: str, diff: str) -> bool | None:
        return await agree(ls, "edit", title, detail, asking.asked, diff=diff)

    manner = Manner(label, question if confirm else None, unasked, run or "", asking.asked)

    async def whole() -> Landing:
        async with landing(ls, session, wait=wait):
            made = await land(ls, session, edits, manner)
            if run is not None:
                await asyncio.to_thread(_keep, run, made)
            return made

    try:
        return await seen_through(ls, asking, whole())
    except (WorkspaceError, UserError) as error:
        return Landing(problem=str(error))


def _keep(run: str, made: Landing) -> None:
    from qwen_lsp.runs.landed import LandedEdit, note

    files = [LandedEdit(file.edit, file.way) for file in made.files if file.state != "unchanged"]
    if files:
        try:
            note(run, files, made.journal)
        except OSError as error:
            log.error("what has landed cannot be written down: %s", error.strerror)


def answered(ls: Server, session: Session, made: Landing) -> dict[str, Any]:
    """A landing as part of a command's result."""
    files = [
        {
            "path": file.edit.path,
            "uri": ls.target(session, file.edit.path).uri,
            "state": file.state,
            "way": file.way,
        }
        for file in made.files
    ]
    answer: dict[str, Any] = {"applied": made.applied, "files": files}
    return answer | {"problem": ls.rpc.scrub(made.problem)} if made.problem else answer


def changes(ls: Server, session: Session, edits: Sequence[FileEdit]) -> list[dict[str, Any]]:
    """What edits change, file by file, as part of a command's result: for a list with a diff to each."""
    return [_change(ls, session, edit) for edit in edits]


def _change(ls: Server, session: Session, edit: FileEdit) -> dict[str, Any]:
    from qwen_lsp.runs.diffs import sizes

    diff = unified(edit)
    added, removed = sizes(diff)
    gone, new = edit.after is None, edit.before is None
    return {
        "path": edit.path,
        "uri": ls.target(session, edit.path).uri,
        "kind": "created" if new else "deleted" if gone else "moved" if edit.moved_from else "changed",
        "from": edit.moved_from,
        "added": added,
        "removed": removed,
        "diff": diff,
    }


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")

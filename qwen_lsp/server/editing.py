"""`qwen.edit`: a task carried out beside the editor, then one edit for the person to review."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from qwen_lsp.errors import EndpointMissing, FileUnreadable, UserError
from qwen_lsp.server import convert
from qwen_lsp.server.arguments import Token, selection_of, text_of
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.progress import Progress, progress
from qwen_lsp.text.edits import FileEdit, unified
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

if TYPE_CHECKING:
    from qwen_lsp.features.agent.events import AgentEvent
    from qwen_lsp.index.snapshot import Snapshot
    from qwen_lsp.session import Session

_SETTLING = 2.0  # seconds for an editor to report what it changed, after it said that it did


async def edit(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Carry out a task, then hand the editor one edit to review: the agent's, or one of a selection."""
    task = text_of(arguments, "task")
    place = ls.place(text_of(arguments, "uri")) if arguments.get("uri") else None
    session = place.session if place else next(ls.sessions(), None)
    if session is None:
        raise UserError("qwen.edit needs an open folder or the `uri` of an open file")
    if session.endpoint is None:
        raise EndpointMissing("qwen.edit")
    snapshot = place.snapshot if place else ls.arrival().snapshots[session]
    selection = selection_of(ls, place, arguments) if place else None
    with progress(ls, "Qwen is editing", token) as bar:
        if place is not None and arguments.get("scope") == "selection":
            answer, edits = await _edit_selection(ls, place, selection, task)
        else:
            answer, edits = await _run_agent(session, snapshot, place, selection, task, bar)

    from qwen_lsp.index.landing import landed

    edits = landed(edits, session.snapshot)
    answer |= {"diff": "".join(unified(e) for e in edits), "applied": False, "files": []}
    if edits and arguments.get("apply", True):
        answer |= await apply_edits(ls, session, edits, label="Qwen", description=task)
    return answer


async def _edit_selection(
    ls: Server, place: Place, selection: Span | None, task: str
) -> tuple[dict[str, Any], Sequence[FileEdit]]:
    from qwen_lsp.features.actions import edit_selection

    session = place.session
    changes = await edit_selection(
        place.snapshot,
        place.path,
        # An empty selection is a cursor, and a place like any other; only none at all is the file's start.
        Span(0, 0) if selection is None else selection,
        task,
        endpoint=session.endpoint,
        gate=session.gate,
        settings=session.settings.actions,
        count=session.count,
        held=await session.held("action"),
    )
    return {"ended": "done", "reason": "", "summary": changes.description, "turns": 1}, changes.edits


async def _run_agent(
    session: Session,
    snapshot: Snapshot,
    place: Place | None,
    selection: Span | None,
    task: str,
    bar: Progress,
) -> tuple[dict[str, Any], Sequence[FileEdit]]:
    from qwen_lsp.runs.front import Plain
    from qwen_lsp.runs.run import carry_out

    ran = await carry_out(
        session,
        task,
        front=Plain(lambda event: _show_event(bar, event)),
        snapshot=snapshot,
        paths=[place.path] if place else (),
        selection=_quoted(place, selection) if place and selection else "",
    )
    result = ran.result
    answer = {
        "ended": result.ended,
        "reason": result.reason,
        "summary": result.summary,
        "turns": result.turns,
    }
    return answer, ran.edits


async def apply_edits(
    ls: Server, session: Session, edits: Sequence[FileEdit], *, label: str, description: str
) -> dict[str, Any]:
    """Ask the editor to apply edits, and look afterwards at what came of it.

    An editor's `applied: true` may cover a part only, so each file is compared with what was meant.
    """
    try:
        whole = convert.workspace_edit(
            edits,
            target=lambda path: ls.target(session, path),
            encoding=ls.encoding,
            support=ls.edit_support,
            label=label,
            description=description,
            confirm=True,
        )
    except UserError as error:
        return {"applied": False, "problem": str(error)}
    try:
        # No time-out: the answer comes when a person has looked at the preview.
        reply = await ls.rpc.ask(
            lsp.WORKSPACE_APPLY_EDIT, lsp.ApplyWorkspaceEditParams(label=label, edit=whole)
        )
    except JsonRpcException as error:
        return {"applied": False, "problem": f"the editor refused the edit: {ls.rpc.scrub(error.message)}"}
    session.hint({RelPath(e.path) for e in edits})
    files = [{"path": e.path, "uri": ls.target(session, e.path).uri} for e in edits]
    states = await _settled(session, edits) if reply.applied else [_state(session, e) for e in edits]
    for file, state in zip(files, states, strict=True):
        file["state"] = state
    answer: dict[str, Any] = {"applied": set(states) == {"applied"}, "files": files}
    if reply.failure_reason:
        answer["problem"] = reply.failure_reason
    return answer


async def _settled(session: Session, edits: Sequence[FileEdit]) -> list[str]:
    """The states once they all say "applied", or after a moment: an editor may report its changes late."""
    changed = asyncio.Event()
    unsubscribe = session.store.subscribe(lambda snapshot: changed.set())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLING):
                while any(_state(session, edit) != "applied" for edit in edits):
                    await changed.wait()
                    changed.clear()
    finally:
        unsubscribe()
    return [_state(session, edit) for edit in edits]


def _state(session: Session, edit: FileEdit) -> str:
    try:
        now = session.snapshot.text(RelPath(edit.path))
    except FileUnreadable:
        now = None
    if now != edit.after and now == edit.before:
        return "unchanged"
    return "applied" if _ended(now) == _ended(edit.after) else "different"


def _ended(text: str | None) -> str | None:
    """A text without its last line breaks, which editors set by a rule of their own."""
    return None if text is None else text.rstrip("\r\n")


def _show_event(bar: Progress, event: AgentEvent) -> None:
    """One line of what the agent does; never the text it works on."""
    from qwen_lsp.features.agent.events import Called, Turned

    if isinstance(event, Called):
        bar.report(
            f"{event.tool} {event.arguments.get('file_path') or event.arguments.get('path') or ''}".strip()
        )
    elif isinstance(event, Turned):
        bar.report(f"turn {event.turn}")


def _quoted(place: Place, selection: Span) -> str:
    """What is selected, as far as a model may see it."""
    from qwen_lsp.features.excerpts import same_lines

    # The gate sees the file itself: its name may withhold it, and a key may be cut by the selection.
    admitted = place.session.gate.admit(place.path, place.lines.text).text
    if admitted is None:
        return ""
    first, last = place.lines.line_at(selection.start) + 1, place.lines.line_at(selection.end) + 1
    shown = same_lines(place.lines.text, admitted, selection)
    text = admitted[shown.start : shown.end]
    return f"{place.path}, lines {first} to {last}:\n{text}" if text.strip() else ""

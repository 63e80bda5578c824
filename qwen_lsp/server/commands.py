"""The `qwen.*` commands of docs/protocol.md: one JSON object in, one JSON value out."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from qwen_lsp import __version__
from qwen_lsp.errors import EndpointMissing, FileUnreadable, UserError
from qwen_lsp.server import convert
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.progress import Progress, progress
from qwen_lsp.text.edits import FileEdit, unified
from qwen_lsp.text.positions import Position, Span
from qwen_lsp.workspace.paths import RelPath, uri_of

if TYPE_CHECKING:
    from pathlib import Path

    from qwen_lsp.features.agent.events import AgentEvent
    from qwen_lsp.index.snapshot import Snapshot
    from qwen_lsp.session import Session

log = logging.getLogger(__name__)

Token = int | str | None
_SETTLING = 2.0  # seconds for an editor to report what it changed, after it said that it did
STREAM = "qwen/stream"
"""Notification with one piece of text for a command that was called with a `stream` token."""


async def execute(ls: Server, params: lsp.ExecuteCommandParams) -> Any:
    command = COMMANDS.get(params.command)
    if command is None:
        raise JsonRpcInvalidParams(f"unknown command: {params.command[:100]}")
    arguments = list(params.arguments or [{}])
    if len(arguments) != 1 or not isinstance(arguments[0], Mapping):
        raise UserError(f"{params.command} takes one JSON object as its argument")
    return await command(ls, cast("Mapping[str, Any]", arguments[0]), params.work_done_token)


# -- explain -------------------------------------------------------------------------------------------


async def explain_file(ls: Server, arguments: Mapping[str, Any], token: Token) -> str:
    """Markdown about a file or a selection of it; its pieces also as `qwen/stream`, when asked for."""
    place = ls.place(_string(arguments, "uri"))
    selection = _selection(ls, place, arguments)

    from qwen_lsp.features.explain import explain

    stream = arguments.get("stream")
    session, said = place.session, ""
    with progress(ls, f"Explaining {place.path}", token) as bar:
        pieces = explain(
            place.snapshot,
            place.path,
            selection,
            endpoint=session.endpoint,
            gate=session.gate,
            settings=session.settings.explain,
            count=session.count,
        )
        async with contextlib.aclosing(cast("AsyncGenerator[str, None]", pieces)):
            async for piece in pieces:
                said += piece
                if isinstance(stream, int | str):
                    ls.rpc.notify_raw(STREAM, {"stream": stream, "text": piece})
                bar.report(f"{len(said)} characters")
    if arguments.get("show") is True:
        await _show(ls, said)
    return said


async def _show(ls: Server, markdown: str) -> None:
    """Put a text before the person, as well as the editor can."""
    if not ls.supports(lambda c: c.window.show_document.support):  # pyright: ignore[reportOptionalMemberAccess]
        return ls.say(markdown, lsp.MessageType.Info)
    from qwen_lsp.session import state_folder

    path = state_folder() / "explanation.md"
    await asyncio.to_thread(_write, path, markdown)
    with contextlib.suppress(JsonRpcException):
        shown = lsp.ShowDocumentParams(uri=uri_of(path), take_focus=True)
        await ls.rpc.ask(lsp.WINDOW_SHOW_DOCUMENT, shown)
    return None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text, encoding="utf-8")


# -- edit ----------------------------------------------------------------------------------------------


async def edit(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Carry out a task, then hand the editor one edit to review: the agent's, or one of a selection."""
    task = _string(arguments, "task")
    place = ls.place(_string(arguments, "uri")) if arguments.get("uri") else None
    session = place.session if place else next(ls.sessions(), None)
    if session is None:
        raise UserError("qwen.edit needs an open folder or the `uri` of an open file")
    if session.endpoint is None:
        raise EndpointMissing("qwen.edit")
    snapshot = place.snapshot if place else ls.arrival().snapshots[session]
    selection = _selection(ls, place, arguments) if place else None
    with progress(ls, "Qwen is editing", token) as bar:
        if place is not None and arguments.get("scope") == "selection":
            answer, edits = await _edit_selection(ls, place, selection, task)
        else:
            answer, edits = await _run_agent(session, snapshot, place, selection, task, bar)

    from qwen_lsp.features.agent.task import landed

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
        selection or Span(0, 0),
        task,
        endpoint=session.endpoint,
        gate=session.gate,
        settings=session.settings.actions,
        count=session.count,
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
    from qwen_lsp.features.agent.task import run

    if session.endpoint is None:
        raise EndpointMissing("qwen.edit")
    result = await run(
        snapshot,
        task,
        endpoint=session.endpoint,
        gate=session.gate,
        settings=session.settings.agent,
        count=session.count,
        max_tokens=session.settings.endpoint.max_output_tokens,
        on_event=lambda event: _show_event(bar, event),
        record=lambda message: None,
        paths=[place.path] if place else (),
        selection=_quoted(place, selection) if place and selection else "",
    )
    answer = {
        "ended": result.ended,
        "reason": result.reason,
        "summary": result.summary,
        "turns": result.turns,
    }
    return answer, result.edits


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
    return "applied" if now == edit.after else "unchanged" if now == edit.before else "different"


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
    first, last = place.lines.line_at(selection.start) + 1, place.lines.line_at(selection.end) + 1
    text = place.lines.text[selection.start : selection.end]
    return f"{place.path}, lines {first} to {last}:\n{text}" if text.strip() else ""


# -- context and status --------------------------------------------------------------------------------


async def show_context(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """What would be sent around a place: each part with its tokens and its why, and what was withheld."""
    from qwen_lsp.context.pack import pack
    from qwen_lsp.context.rank import rank
    from qwen_lsp.context.render import receipt

    del token
    place = ls.place(_string(arguments, "uri"))
    session = place.session
    offset = place.lines.offset(_position(arguments.get("position"), "position"), ls.encoding)
    budget = arguments.get("budget", session.settings.completion.budget_tokens)
    if not isinstance(budget, int) or isinstance(budget, bool) or not 0 < budget <= 1_000_000:
        raise UserError("`budget` is a number of tokens between 1 and 1000000")

    def work() -> dict[str, Any]:
        candidates = rank(place.snapshot, place.path, offset, recent=list(session.recent))
        packed = pack(place.snapshot, candidates, budget=budget, count=session.count, gate=session.gate)
        return receipt(packed)

    return await asyncio.to_thread(work)


async def status(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """How things stand, for a status line or a bug report; no file names, no key."""
    del arguments, token
    settings = ls.current_settings()
    return {
        "version": __version__,
        "positionEncoding": ls.encoding,
        "endpoint": _endpoint(ls),
        "folders": [_folder(session) for session in ls.folders.values()],
        "openDocuments": len(ls.documents),
        "completion": {"enabled": settings.completion.enabled, "trigger": settings.completion.trigger},
        "errors": [error for session in ls.sessions() for error in session.errors],
    }


def _endpoint(ls: Server) -> dict[str, Any]:
    settings = ls.current_settings().endpoint
    endpoint = next((s.endpoint for s in ls.sessions() if s.endpoint is not None), None)
    if endpoint is None:
        return {"configured": False}
    host = urlsplit(settings.base_url).netloc.rpartition("@")[2]
    return {"configured": True, "host": host, "model": endpoint.model, "kind": endpoint.kind}


def _folder(session: Session) -> dict[str, Any]:
    snapshot, report = session.snapshot, session.report
    return {
        "name": session.root.name,
        "uri": uri_of(session.root),
        "index": {
            "complete": snapshot.complete,
            "files": len(snapshot.files),
            "skipped": len(snapshot.skipped),
            "definitions": report.definitions if report else 0,
            "seconds": round(report.seconds, 3) if report else None,
            "languages": report.languages if report else {},
        },
        "usage": dataclasses.asdict(session.ledger.totals()),
    }


# -- arguments -----------------------------------------------------------------------------------------


def _string(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"`{name}` is missing or not a text")
    return value


def _selection(ls: Server, place: Place, arguments: Mapping[str, Any]) -> Span | None:
    value = arguments.get("range")
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise UserError("`range` has a `start` and an `end`, each with a `line` and a `character`")
    value = cast("Mapping[str, Any]", value)
    start, end = _position(value.get("start"), "range.start"), _position(value.get("end"), "range.end")
    return place.lines.span(start, end, ls.encoding)


def _position(value: object, name: str) -> Position:
    if isinstance(value, Mapping):
        value = cast("Mapping[str, Any]", value)
        line, character = value.get("line"), value.get("character")
        if type(line) is int and type(character) is int and line >= 0 and character >= 0:
            return Position(line, character)
    raise UserError(f"`{name}` needs a `line` and a `character`, both counted from 0")


COMMANDS: Mapping[str, Callable[[Server, Mapping[str, Any], Token], Awaitable[Any]]] = {
    "qwen.explainFile": explain_file,
    "qwen.edit": edit,
    "qwen.showContext": show_context,
    "qwen.status": status,
}

"""The `qwen.*` commands of docs/protocol.md: one JSON object in, one JSON value out."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from qwen_lsp import __version__
from qwen_lsp.errors import UserError
from qwen_lsp.server.agent_edit import edit
from qwen_lsp.server.agent_git import commit_edit
from qwen_lsp.server.agent_page import show_run
from qwen_lsp.server.agent_runs import agent_runs, land_edit, stop_edit, undo_edit
from qwen_lsp.server.arguments import Token, selection_of, text_of
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.progress import progress
from qwen_lsp.server.showing import show_context, show_text
from qwen_lsp.server.suggestions import completion_status, why_suggestion
from qwen_lsp.workspace.paths import uri_of

if TYPE_CHECKING:
    from qwen_lsp.session import Session

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
    place = ls.place(text_of(arguments, "uri"))
    selection = selection_of(ls, place, arguments)

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
            held=await session.held("explain"),
        )
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                said += piece
                if isinstance(stream, int | str):
                    ls.rpc.notify_raw(STREAM, {"stream": stream, "text": piece})
                bar.report(f"{len(said)} characters")
    if arguments.get("show") is True:
        await show_text(ls, said)
    return said


# -- status -------------------------------------------------------------------------------------------


async def status(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """How things stand, for a status line or a bug report; no key, no text."""
    del token
    found: dict[str, Any] = {
        "version": __version__,
        "positionEncoding": ls.encoding,
        "endpoint": _endpoint(ls),
        "folders": [_folder(session) for session in ls.folders.values()],
        "openDocuments": len(ls.documents),
        "completion": completion_status(ls),
        "errors": [ls.rpc.scrub(error) for session in ls.sessions() for error in session.errors],
    }
    if arguments.get("uri") is not None:
        place = ls.place(text_of(arguments, "uri"))
        found["document"] = await asyncio.to_thread(_document, place)
    return found


def _document(place: Place) -> dict[str, Any]:
    facts = place.snapshot.facts(place.path)
    return {
        "version": place.version,
        "language": facts.language if facts else None,
        "lines": place.lines.line_count,
        "definitions": len(facts.definitions) if facts else 0,
        "hasErrors": facts.has_errors if facts else False,
    }


def _endpoint(ls: Server) -> dict[str, Any]:
    settings = ls.current_settings().endpoint
    endpoint = next((s.endpoint for s in ls.sessions() if s.endpoint is not None), None)
    if endpoint is None:
        return {"configured": False}
    host = urlsplit(settings.base_url).netloc.rpartition("@")[2]
    return {"configured": True, "host": host, "model": endpoint.model, "kind": endpoint.kind}


def _folder(session: Session) -> dict[str, Any]:
    from qwen_lsp.index.build import IndexReport

    report = session.report
    return {
        "name": session.root.name,
        "uri": uri_of(session.root),
        "index": {
            **dataclasses.asdict(report or IndexReport()),
            "complete": report is not None and session.snapshot.complete,
            "files": len(session.snapshot.files),
        },
        "learning": session.learning,
        "usage": dataclasses.asdict(session.ledger.totals()),
    }


COMMANDS: Mapping[str, Callable[[Server, Mapping[str, Any], Token], Awaitable[Any]]] = {
    "qwen.explainFile": explain_file,
    "qwen.edit": edit,
    "qwen.stopEdit": stop_edit,
    "qwen.agentRuns": agent_runs,
    "qwen.landEdit": land_edit,
    "qwen.undoEdit": undo_edit,
    "qwen.commitEdit": commit_edit,
    "qwen.showRun": show_run,
    "qwen.showContext": show_context,
    "qwen.whySuggestion": why_suggestion,
    "qwen.status": status,
}

"""The `qwen.*` commands of docs/protocol.md: one JSON object in, one JSON value out."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from qwen_lsp import __version__
from qwen_lsp.errors import UserError
from qwen_lsp.server.arguments import Token, budget_of, position_of, selection_of, text_of
from qwen_lsp.server.editing import edit
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.progress import progress
from qwen_lsp.workspace.paths import uri_of

if TYPE_CHECKING:
    from pathlib import Path

    from qwen_lsp.context.candidates import Candidate
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
        await _show(ls, said)
    return said


async def _show(ls: Server, markdown: str) -> None:
    """Put a text before the person, as well as the editor can."""
    if not ls.supports(lambda c: c.window.show_document.support):  # pyright: ignore[reportOptionalMemberAccess]
        return ls.say(markdown, lsp.MessageType.Info)
    from qwen_lsp.session.state import state_folder

    path = state_folder() / "explanation.md"
    await asyncio.to_thread(_write, path, markdown)
    with contextlib.suppress(JsonRpcException):
        shown = lsp.ShowDocumentParams(uri=uri_of(path), take_focus=True)
        await ls.rpc.ask(lsp.WINDOW_SHOW_DOCUMENT, shown)
    return None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text, encoding="utf-8")


# -- context and status --------------------------------------------------------------------------------


async def show_context(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """What would be sent around a place: each part with its tokens and its why, and what was withheld."""
    from qwen_lsp.context.pack import pack
    from qwen_lsp.context.rank import rank
    from qwen_lsp.context.render import receipt

    del token
    place = ls.place(text_of(arguments, "uri"))
    session = place.session
    offset = place.lines.offset(position_of(arguments.get("position"), "position"), ls.encoding)
    feature = arguments.get("feature", "completion")
    if feature != "completion":
        return await _large_context(place, offset, feature, arguments)
    budget = budget_of(arguments, session.settings.completion.budget_tokens)

    def work() -> dict[str, Any]:
        candidates = rank(place.snapshot, place.path, offset, recent=session.recent)
        packed = pack(place.snapshot, candidates, budget=budget, count=session.count, gate=session.gate)
        return receipt(packed)

    return await asyncio.to_thread(work)


async def _large_context(
    place: Place, offset: int, feature: object, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """What the next large prompt of a feature would be given, and what of it the last one had."""
    from qwen_lsp.context.budget import steady
    from qwen_lsp.context.rank import rank, rank_file, rank_task
    from qwen_lsp.context.render import receipt
    from qwen_lsp.features.surroundings import Question, preview

    session, snapshot, path = place.session, place.snapshot, place.path
    settings, endpoint = session.settings, session.endpoint
    match feature:
        case "explain":
            wanted, reply = settings.explain.budget_tokens, settings.explain.max_tokens
        case "action":
            wanted, reply = settings.actions.budget_tokens, settings.actions.max_tokens
        case "agent":
            wanted, reply = settings.agent.budget_tokens, 0
        case _:
            raise UserError("feature: one of completion, explain, action, agent")
    total = budget_of(arguments, wanted)
    if endpoint is not None:
        window = await endpoint.window()
        total = min(total, window // 2) if feature == "agent" else steady(window, reply=reply, wanted=total)

    def ranked(limit: int) -> Sequence[Candidate]:
        if feature == "agent":
            return rank_task(snapshot, "", [path], limit=limit)
        if feature == "explain":
            return rank_file(snapshot, path, limit=limit)
        return rank(snapshot, path, offset, limit=limit)

    current = None if feature == "agent" else path
    question = Question(snapshot, ranked, current, session.gate, session.count)
    held, model = await session.held(str(feature)), endpoint.model if endpoint is not None else ""
    return receipt(await asyncio.to_thread(preview, question, held, model, max(1, total)))


async def status(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """How things stand, for a status line or a bug report; no key, no text."""
    del token
    settings = ls.current_settings()
    found: dict[str, Any] = {
        "version": __version__,
        "positionEncoding": ls.encoding,
        "endpoint": _endpoint(ls),
        "folders": [_folder(session) for session in ls.folders.values()],
        "openDocuments": len(ls.documents),
        "completion": {"enabled": settings.completion.enabled, "trigger": settings.completion.trigger},
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
    "qwen.showContext": show_context,
    "qwen.status": status,
}

"""`qwen.status` of docs/protocol.md, and the short form of it that a status line shows."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from lsprotocol import types as lsp

from qwen_lsp import __version__
from qwen_lsp.server.arguments import Token, text_of
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.suggestions import completion_status
from qwen_lsp.workspace.paths import uri_of

if TYPE_CHECKING:
    from qwen_lsp.model.ledger import Total
    from qwen_lsp.session import Session

State = Literal["off", "indexing", "ready", "working", "failing", "embedded"]


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
        "state": standing(ls),
        "errors": [ls.rpc.scrub(error) for session in ls.sessions() for error in session.errors],
    }
    if arguments.get("uri") is not None:
        place = ls.place(text_of(arguments, "uri"))
        found["document"] = await asyncio.to_thread(_document, place)
    if arguments.get("show") is True:
        ls.say(found["state"]["text"], lsp.MessageType.Info)
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


# -- one line of it ------------------------------------------------------------------------------------


def standing(ls: Server) -> dict[str, Any]:
    """How things stand, in one word and one sentence, with what was spent since the server started."""
    endpoint = _endpoint(ls)
    host, model = endpoint.get("host"), endpoint.get("model")
    ledgers = [session.ledger for session in ls.sessions()]
    problem = ls.rpc.scrub(next((ledger.problem for ledger in ledgers if ledger.problem), ""))
    state = _state(ls, endpoint["configured"], problem)
    spent = _sum([ledger.totals().all for ledger in ledgers])
    usage = spent.usage if spent else None
    return {
        "state": state,
        "text": _sentence(ls, state, f"{model or 'The model'} at {host}", problem),
        "host": host,
        "model": model,
        "tokens": {
            "prompt": usage.prompt if usage else 0,
            "completion": usage.completion if usage else 0,
            "cached": usage.cached if usage else 0,
        },
        "cost": spent.cost if spent else None,
        "problem": problem or None,
    }


def _sum(totals: list[Total]) -> Total | None:
    found: Total | None = None
    for total in totals:
        found = total if found is None else found + total
    return found


def _state(ls: Server, configured: bool, problem: str) -> State:
    if any(session.ledger.under_way for session in ls.sessions()):
        return "working"
    if not ls.current_settings().completion.enabled:
        return "off"
    if any(session.report is None for session in ls.folders.values()):
        return "indexing"
    if not configured:
        return "embedded"
    return "failing" if problem else "ready"


def _sentence(ls: Server, state: State, who: str, problem: str) -> str:
    embedded = ls.current_settings().completion.embedded
    match state:
        case "working":
            return f"Asking {who}."
        case "off":
            return "Completions are turned off; everything else works."
        case "indexing":
            return "Reading the workspace. What is known of it so far is used already."
        case "ready":
            return f"{who}."
        case "failing":
            said = problem if problem.endswith((".", "?", "!")) else f"{problem}."
            return f"{said} The embedded default completes meanwhile." if embedded else said
        case "embedded":
            what = "The embedded default completes from your own files." if embedded else ""
            return f"No endpoint is set. {what}".rstrip() + " OPENAI_BASE_URL and OPENAI_MODEL set one."

"""`qwen.status` of docs/protocol.md, and the short form of it that a status line shows."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lsprotocol import types as lsp

from qwen_lsp import __version__
from qwen_lsp.server.arguments import Token, text_of
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.status_words import State, checks, rows, sentence, word
from qwen_lsp.server.suggestions import completion_status
from qwen_lsp.workspace.paths import uri_of

if TYPE_CHECKING:
    from qwen_lsp.session import Session


async def status(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """How things stand, for a status line or a bug report; no key, no text."""
    del token
    stands, endpoint = standing(ls), _endpoint(ls)
    found: dict[str, Any] = {
        "version": __version__,
        "positionEncoding": ls.encoding,
        "endpoint": endpoint,
        "folders": [_folder(session) for session in ls.folders.values()],
        "openDocuments": len(ls.documents),
        "completion": completion_status(ls),
        "state": stands,
        "checks": checks(endpoint, stands["problem"]),
        "errors": [ls.rpc.worded(error) for session in ls.sessions() for error in session.errors],
    }
    if arguments.get("uri") is not None:
        place = ls.place(text_of(arguments, "uri"))
        found["document"] = await asyncio.to_thread(_document, place)
    if arguments.get("show") is True:
        ls.say(stands["text"], lsp.MessageType.Info)
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
    from qwen_lsp.model.ledger import Total
    from qwen_lsp.runs import words

    endpoint = _endpoint(ls)
    host, model = endpoint.get("host"), endpoint.get("model")
    ledgers = [session.ledger for session in ls.sessions()]
    problem = ls.rpc.worded(next((ledger.problem for ledger in ledgers if ledger.problem), ""))
    state, embedded = _state(ls, endpoint["configured"], problem), ls.current_settings().completion.embedded
    spent = sum((ledger.totals().all for ledger in ledgers), Total())
    return {
        "state": state,
        "text": sentence(state, f"{model or 'The model'} at {host}", problem, embedded=embedded),
        "word": word(state),
        "spent": words.spent(spent.usage, spent.cost) if spent.usage.prompt + spent.usage.completion else "",
        "rows": rows(host, model, spent.usage, spent.cost, problem),
        "host": host,
        "model": model,
        "tokens": {
            "prompt": spent.usage.prompt,
            "completion": spent.usage.completion,
            "cached": spent.usage.cached,
        },
        "cost": spent.cost,
        "problem": problem or None,
    }


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

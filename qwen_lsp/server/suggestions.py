"""`qwen.whySuggestion` of docs/protocol.md, and what `qwen.status` says of completion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qwen_lsp.server.arguments import Token, index_of, text_of
from qwen_lsp.server.host import Server
from qwen_lsp.server.showing import show_text

if TYPE_CHECKING:
    from qwen_lsp.features.complete.outcome import Outcome
    from qwen_lsp.features.complete.why import Why
    from qwen_lsp.session import Session
    from qwen_lsp.workspace.paths import RelPath


async def why_suggestion(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Where the last suggestion came from, or why there was none."""
    from qwen_lsp.features.complete.receipt import as_json

    del token
    index = index_of(arguments)
    path: RelPath | None = None
    if arguments.get("uri") is not None:
        session, path = ls.locate(text_of(arguments, "uri"))
    else:
        session = _latest(ls)
    found = _why(ls, session, path, index)
    # The sentence alone: what the model said is shown as it is.
    found = replace(found, nothing=ls.rpc.worded(found.nothing))
    markdown = ls.rpc.scrub(found.markdown)
    if arguments.get("show") is True:
        await show_text(ls, markdown)
    return {
        "suggestion": None if found.suggestion is None else as_json(found.suggestion),
        "nothing": found.nothing or None,
        "answer": None if found.answer is None else as_json(found.answer),
        "markdown": markdown,
    }


def _why(ls: Server, session: Session | None, path: RelPath | None, index: int) -> Why:
    from qwen_lsp.features.complete.why import NEVER, Why, why

    if session is None or session not in ls.completing:
        return Why(None, NEVER, None)
    return why(ls.completing[session], session.gate, path, index)


def _latest(ls: Server) -> Session | None:
    """The session in which something was asked for last."""
    asked = [(last.began, session) for session in ls.completing if (last := _last(ls, session)) is not None]
    return max(asked, key=lambda pair: pair[0])[1] if asked else None


def _last(ls: Server, session: Session) -> Outcome | None:
    return ls.completing[session].outcomes.last()


def completion_status(ls: Server) -> dict[str, Any]:
    """What a status line needs: how completion is set, where the last suggestion came from, the counts."""
    from qwen_lsp.features.complete.tally import statistics

    settings = ls.current_settings().completion
    session = _latest(ls)
    last = None if session is None else _last(ls, session)
    shown = [] if session is None else [r for r in ls.completing[session].receipts if r.text]
    return {
        "enabled": settings.enabled,
        "trigger": settings.trigger,
        "last": {
            "source": shown[-1].source if shown else None,
            "problem": ls.rpc.worded(shown[-1].problem) if shown else "",
            "nothing": None if last is None else ls.rpc.worded(last.sentence) or None,
        },
        "statistics": statistics(completions.tally for completions in ls.completing.values()),
    }

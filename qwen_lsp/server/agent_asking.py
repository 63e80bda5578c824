"""Leave and answers from the person at the editor: by requests of our own, or by a message with buttons.

A client that announces `experimental: {"qwen": {"approvals": true}}` gets `qwen/approve` and `qwen/ask`;
another one gets `window/showMessageRequest`, where it has that. Nobody there to ask: no. There is no
time-out, and cancelling whoever waits takes the question back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from qwen_lsp.server.host import Server

if TYPE_CHECKING:
    from qwen_lsp.features.agent.approval import Answer, Ask
    from qwen_lsp.features.agent.asking import Question

APPROVE = "qwen/approve"
"""Request: may this be done?"""
ASK = "qwen/ask"
"""Request: what does the person say?"""

ANSWERS: Mapping[str, Answer] = {"Allow once": "once", "Allow for this run": "request", "Refuse": "no"}
"""The buttons of a message, and what each means."""
_YES: Mapping[str, str] = {"edit": "Apply", "commit": "Yes"}
_NOT = "Leave as it is"


def _unnamed(name: str) -> None:
    """Nobody takes the request back but whoever waits for it."""


def can_approve(ls: Server) -> bool:
    """Whether the client has our own requests."""
    return ls.announces("approvals")


def can_choose(ls: Server) -> bool:
    """Whether the client shows a message with buttons."""
    return ls.supports(lambda c: c.window and c.window.show_message is not None)


async def leave(ls: Server, run: str, ask: Ask) -> Answer:
    """What the person says to one thing that wants leave; "no" where nobody can be asked."""
    if can_approve(ls):
        params = {"run": run, "title": ask.title, "detail": ask.detail, "kind": ask.kind}
        reply = await _reply(ls, APPROVE, params)
        answer = reply.get("answer")
        return answer if answer in ("once", "request", "no") else "no"
    chosen = await _chosen(ls, f"{ask.title}\n{ask.detail}", tuple(ANSWERS))
    return ANSWERS.get(chosen, "no")


def can_ask(ls: Server) -> bool:
    """Whether a question can be put to the person; one without options needs a client with our requests."""
    return can_approve(ls) or can_choose(ls)


async def answer(ls: Server, run: str, question: Question) -> str:
    """The person's answer to the model's question; empty when there is none."""
    if can_approve(ls):
        params = {"run": run, "question": question.text, "options": list(question.choices)}
        said = (await _reply(ls, ASK, params)).get("answer")
        return said if isinstance(said, str) else ""
    return await _chosen(ls, question.text, question.choices) if question.choices else ""


Matter = Literal["edit", "commit"]
"""What the person decides beside an `Ask` of a run: an edit that the editor does not preview, a commit."""


async def agree(
    ls: Server,
    matter: Matter,
    title: str,
    detail: str,
    named: Callable[[str], None] = _unnamed,
    *,
    diff: str = "",
) -> bool | None:
    """Whether that may be done; None where nobody can be asked. `named` is told the id of the request.

    `diff` goes to a client with our own requests, which can show it.
    """
    if can_approve(ls):
        params = {"run": "", "title": title, "detail": detail, "kind": matter}
        reply = await _reply(ls, APPROVE, params | ({"diff": diff} if diff else {}), named)
        return reply.get("answer") in ("once", "request")
    if not can_choose(ls):
        return None
    return await _chosen(ls, f"{title}\n{detail}", (_YES[matter], _NOT), named) == _YES[matter]


async def _reply(
    ls: Server, method: str, params: Mapping[str, Any], named: Callable[[str], None] = _unnamed
) -> Mapping[str, Any]:
    try:
        reply = await ls.rpc.ask(method, params, named)
    except JsonRpcException:
        return {}
    return cast("Mapping[str, Any]", reply) if isinstance(reply, dict) else {}


async def _chosen(
    ls: Server, message: str, titles: Sequence[str], named: Callable[[str], None] = _unnamed
) -> str:
    """The title of the button that was pressed; empty for none."""
    if not can_choose(ls):
        return ""
    actions = [lsp.MessageActionItem(title=title) for title in titles]
    params = lsp.ShowMessageRequestParams(type=lsp.MessageType.Info, message=message, actions=actions)
    try:
        reply = await ls.rpc.ask(lsp.WINDOW_SHOW_MESSAGE_REQUEST, params, named)
    except JsonRpcException:
        return ""
    return reply.title if isinstance(reply, lsp.MessageActionItem) and reply.title in titles else ""

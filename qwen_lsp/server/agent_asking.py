"""Leave and answers from the person at the editor: by requests of our own, or by a message with buttons.

A client that announces `experimental: {"qwen": {"approvals": true}}` gets `qwen/approve` and `qwen/ask`;
another one gets `window/showMessageRequest`, where it has that. Nobody there to ask: no. There is no
time-out, and cancelling whoever waits takes the question back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
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

Matter = Literal["edit", "commit"]
"""What the person decides beside an `Ask` of a run: an edit that the editor does not preview, a commit."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be given: a key for it, what a button says, and what is sent back."""

    key: str
    text: str
    answer: str


_LEAVE = (
    Choice("y", "Allow once", "once"),
    Choice("a", "Allow for this run", "request"),
    Choice("n", "Refuse", "no"),
)
_NOT = Choice("n", "Leave as it is", "no")
_AGREEING: Mapping[Matter, tuple[Choice, Choice]] = {
    "edit": (Choice("y", "Apply", "once"), _NOT),
    "commit": (Choice("y", "Yes", "once"), _NOT),
}


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
        params = {"run": run, "kind": ask.kind, **_asked(ask.title, _LEAVE, ask.detail)}
        answer = (await _reply(ls, APPROVE, params)).get("answer")
    else:
        answer = await _chosen(ls, f"{ask.title}\n{ask.detail}", _LEAVE)
    return answer if answer in ("once", "request", "no") else "no"


def can_ask(ls: Server) -> bool:
    """Whether a question can be put to the person; one without options needs a client with our requests."""
    return can_approve(ls) or can_choose(ls)


async def answer(ls: Server, run: str, question: Question) -> str:
    """The person's answer to the model's question; empty when there is none."""
    choices = [Choice(str(at), text, text) for at, text in enumerate(question.choices, 1)]
    if can_approve(ls):
        params = {"run": run, **_asked(question.text, choices, free=True)}
        said = (await _reply(ls, ASK, params)).get("answer")
        return said if isinstance(said, str) else ""
    return await _chosen(ls, question.text, choices) if choices else ""


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
        params = {"run": "", "kind": matter, **_asked(title, _AGREEING[matter], detail, diff)}
        return (await _reply(ls, APPROVE, params, named)).get("answer") in ("once", "request")
    if not can_choose(ls):
        return None
    return await _chosen(ls, f"{title}\n{detail}", _AGREEING[matter], named) == "once"


def _asked(
    title: str, choices: Sequence[Choice], detail: str = "", diff: str = "", *, free: bool = False
) -> dict[str, Any]:
    """A question for a client with our requests; `free`: another answer may be given than the choices."""
    from qwen_lsp.runs import lines

    offered = [f"{choice.key}: {choice.text}" for choice in choices] if free else ()
    params = {
        "title": title,
        "detail": detail,
        "lines": lines.as_json(lines.question(title, detail, diff, offered)),
        "choices": [asdict(choice) for choice in choices],
        "free": free,
    }
    return {**params, "diff": diff} if diff else params


async def _reply(
    ls: Server, method: str, params: Mapping[str, Any], named: Callable[[str], None] = _unnamed
) -> Mapping[str, Any]:
    try:
        reply = await ls.rpc.ask(method, params, named)
    except JsonRpcException:
        return {}
    return cast("Mapping[str, Any]", reply) if isinstance(reply, dict) else {}


async def _chosen(
    ls: Server, message: str, choices: Sequence[Choice], named: Callable[[str], None] = _unnamed
) -> str:
    """The answer of the button that was pressed; empty for none."""
    if not can_choose(ls):
        return ""
    actions = [lsp.MessageActionItem(title=choice.text) for choice in choices]
    params = lsp.ShowMessageRequestParams(type=lsp.MessageType.Info, message=message, actions=actions)
    try:
        reply = await ls.rpc.ask(lsp.WINDOW_SHOW_MESSAGE_REQUEST, params, named)
    except JsonRpcException:
        return ""
    title = reply.title if isinstance(reply, lsp.MessageActionItem) else ""
    return next((choice.answer for choice in choices if choice.text == title), "")

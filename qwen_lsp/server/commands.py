"""The `qwen.*` commands of docs/protocol.md: one JSON object in, one JSON value out."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from qwen_lsp.errors import QwenLspError, UserError
from qwen_lsp.server import plainly
from qwen_lsp.server.acting import COMMAND, act
from qwen_lsp.server.agent_edit import edit
from qwen_lsp.server.agent_git import commit_edit
from qwen_lsp.server.agent_page import show_run
from qwen_lsp.server.agent_runs import agent_runs, land_edit, stop_edit, undo_edit
from qwen_lsp.server.arguments import Token, selection_of, text_of
from qwen_lsp.server.finding import find_endpoints
from qwen_lsp.server.host import Server
from qwen_lsp.server.outcome import sentence
from qwen_lsp.server.progress import progress
from qwen_lsp.server.showing import show_context, show_text
from qwen_lsp.server.status import status
from qwen_lsp.server.suggestions import why_suggestion

STREAM = "qwen/stream"
"""Notification with one piece of text for a command that was called with a `stream` token."""


async def execute(ls: Server, params: lsp.ExecuteCommandParams) -> Any:
    command = COMMANDS.get(params.command)
    if command is None:
        raise JsonRpcInvalidParams(f"unknown command: {params.command[:100]}")
    arguments = list(params.arguments or [{}])
    if len(arguments) != 1 or not isinstance(arguments[0], Mapping):
        raise UserError(f"{params.command} takes one JSON object as its argument")
    argument = cast("Mapping[str, Any]", arguments[0])
    going = _told(ls, params.command, command(ls, argument, params.work_done_token))
    if argument.get("wait") is False:
        ls.spawn(_unwaited(going), params.command)
        return None
    return await going


async def _told(ls: Server, name: str, going: Awaitable[Any]) -> Any:
    """The result of a command; what comes of it is also told to a person whose editor would not."""
    try:
        result = await going
    except QwenLspError as error:
        plainly.refused(ls, error)
        raise
    _worded(name, result)
    plainly.done(ls, name, result)
    return result


def _worded(name: str, result: object) -> None:
    """What came of it in a sentence, beside the rest of a result."""
    if isinstance(result, dict):
        told = cast("dict[str, Any]", result)
        if said := sentence(name, told):
            told["text"] = said


async def _unwaited(going: Awaitable[Any]) -> None:
    """See a command through that was answered already; why it failed was told as a message."""
    with contextlib.suppress(QwenLspError):
        await going


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


COMMANDS: Mapping[str, Callable[[Server, Mapping[str, Any], Token], Awaitable[Any]]] = {
    "qwen.explainFile": explain_file,
    COMMAND: act,
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
    "qwen.findEndpoints": find_endpoints,
}

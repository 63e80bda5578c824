"""Who may ask what when, and exactly one answer for each request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from qwen_lsp.errors import UserError
from qwen_lsp.server.protocol import (
    InternalError,
    InvalidParams,
    InvalidRequest,
    MethodNotFound,
    ParseError,
    RequestCancelled,
    RequestFailed,
    ServerNotInitialized,
)
from qwen_lsp.server.table import build
from tests.support.editor import CAPABILITIES, TIME, Editor, EditorError, attached, in_process

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": CAPABILITIES}


async def probe(editor: Editor) -> None:
    """The server still answers."""
    assert (await editor.command("qwen.status"))["version"]


async def error_of(editor: Editor, method: str, params: object = None) -> int:
    with pytest.raises(EditorError) as caught:
        await editor.request(method, params)
    assert set(caught.value.error) == {"code", "message"}
    assert "Traceback" not in str(caught.value)
    return caught.value.code


async def test_requests_before_initialize_are_refused() -> None:
    async with in_process() as editor:
        assert await error_of(editor, "shutdown") == ServerNotInitialized
        assert await error_of(editor, "workspace/symbol", {"query": ""}) == ServerNotInitialized
        editor.notify("textDocument/didClose", {"textDocument": {"uri": "file:///a.py"}})
        await editor.initialize()
        await probe(editor)


async def test_a_second_initialize_is_refused() -> None:
    async with in_process() as editor:
        await editor.initialize()
        assert await error_of(editor, "initialize", INITIALIZE) == InvalidRequest
        await probe(editor)


async def test_an_invalid_initialize_may_be_repeated() -> None:
    async with in_process() as editor:
        assert await error_of(editor, "initialize", {"capabilities": 5}) == InvalidParams
        assert await error_of(editor, "initialize") == InvalidParams
        await editor.initialize()


async def test_nothing_is_served_after_shutdown_but_exit() -> None:
    async with in_process() as editor:
        await editor.initialize()
        assert await editor.request("shutdown") is None
        assert await error_of(editor, "shutdown") == InvalidRequest
        assert await error_of(editor, "initialize", INITIALIZE) == InvalidRequest
        assert await error_of(editor, "no/such") == InvalidRequest
        editor.notify("exit")


BAD_REQUESTS: list[tuple[str, object, int]] = [
    ("no/such/method", {}, MethodNotFound),
    ("$/noSuchRequest", {}, MethodNotFound),
    ("textDocument/hover", {"textDocument": {"uri": "file:///a"}}, MethodNotFound),
    ("textDocument/didOpen", {}, MethodNotFound),
    ("exit", None, MethodNotFound),
    ("textDocument/inlineCompletion", {}, InvalidParams),
    ("textDocument/inlineCompletion", None, InvalidParams),
    ("textDocument/inlineCompletion", 5, InvalidParams),
    ("textDocument/inlineCompletion", [1, 2], InvalidParams),
    ("textDocument/completion", {"textDocument": "file:///a", "position": {}}, InvalidParams),
    ("textDocument/codeAction", {"textDocument": {"uri": 5}}, InvalidParams),
    ("workspace/symbol", {}, InvalidParams),
    ("workspace/executeCommand", {"arguments": []}, InvalidParams),
    ("workspace/executeCommand", {"command": "no.such"}, InvalidParams),
    ("workspace/executeCommand", {"command": "qwen.status", "arguments": [1]}, RequestFailed),
    ("workspace/executeCommand", {"command": "qwen.status", "arguments": [{}, {}]}, RequestFailed),
    ("workspace/executeCommand", {"command": "qwen.explainFile", "arguments": [{}]}, RequestFailed),
    ("workspace/executeCommand", {"command": "qwen.edit", "arguments": [{"task": 7}]}, RequestFailed),
    ("codeAction/resolve", {"title": "x", "data": {"offer": "y"}}, RequestFailed),
    ("codeAction/resolve", {"title": "x"}, RequestFailed),
]


@pytest.mark.parametrize(("method", "params", "code"), BAD_REQUESTS)
async def test_bad_requests_get_one_error(method: str, params: object, code: int) -> None:
    async with in_process() as editor:
        await editor.initialize()
        assert await error_of(editor, method, params) == code
        await probe(editor)


@pytest.mark.parametrize(
    ("message", "msg_id", "code"),
    [
        ([], None, InvalidRequest),
        ([{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}], None, InvalidRequest),
        (5, None, InvalidRequest),
        (None, None, InvalidRequest),
        ("shutdown", None, InvalidRequest),
        ({}, None, InvalidRequest),
        ({"id": 900, "method": "shutdown"}, 900, InvalidRequest),
        ({"jsonrpc": "1.0", "id": 901, "method": "shutdown"}, 901, InvalidRequest),
        ({"jsonrpc": 2.0, "id": 902, "method": "shutdown"}, 902, InvalidRequest),
        ({"jsonrpc": "2.0", "id": 903}, 903, InvalidRequest),
        ({"jsonrpc": "2.0", "id": 904, "method": 5}, 904, InvalidRequest),
        ({"jsonrpc": "2.0", "id": 905, "method": None}, 905, InvalidRequest),
        ({"jsonrpc": "2.0", "id": None, "method": "shutdown"}, None, InvalidRequest),
        ({"jsonrpc": "2.0", "id": True, "method": "shutdown"}, True, InvalidRequest),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "shutdown"}, 1.5, InvalidRequest),
        ({"jsonrpc": "2.0", "id": [1], "method": "shutdown"}, [1], InvalidRequest),
        ({"jsonrpc": "2.0", "id": {"a": 1}, "method": "shutdown"}, {"a": 1}, InvalidRequest),
        ({"jsonrpc": "2.0", "id": "", "method": "nope"}, "", MethodNotFound),
        ({"jsonrpc": "2.0", "id": -1, "method": "nope"}, -1, MethodNotFound),
        ({"jsonrpc": "2.0", "id": 10**30, "method": "nope"}, 10**30, MethodNotFound),
        ({"jsonrpc": "2.0", "id": "\ud800", "method": "nope"}, "\ud800", MethodNotFound),
    ],
)
async def test_odd_messages_are_answered_with_their_id(message: object, msg_id: object, code: int) -> None:
    async with in_process() as editor:
        await editor.initialize()
        editor.post(message)
        await probe(editor)
        errors = [m["error"]["code"] for m in editor.replies(msg_id)]
        assert errors == [code]


async def test_bytes_that_are_no_message_are_answered_once_without_an_id() -> None:
    async with in_process() as editor:
        await editor.initialize()
        editor.raw(b"Content-Length: 4\r\n\r\n{bad")
        await probe(editor)
        assert [m["error"]["code"] for m in editor.replies(None)] == [ParseError]


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "$/noSuchNotification", "params": {}},
        {"jsonrpc": "2.0", "method": "no/such/notification"},
        {"jsonrpc": "2.0", "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": 5}},
        {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": None},
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 77}},
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": [1]}},
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": 5},
        {"jsonrpc": "2.0", "method": "$/cancelRequest"},
        {"jsonrpc": "2.0", "method": "window/workDoneProgress/cancel", "params": {"token": "unknown"}},
        {"jsonrpc": "2.0", "method": "$/setTrace", "params": {"value": "verbose"}},
        {"jsonrpc": "2.0", "id": 999, "result": None},
        {"jsonrpc": "2.0", "id": "unknown", "result": None},
        {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "x"}},
        {"jsonrpc": "2.0", "id": [1], "error": 5},
    ],
)
async def test_what_asks_for_no_answer_gets_none(message: dict[str, Any]) -> None:
    async with in_process() as editor:
        await editor.initialize()
        before = len(editor.messages)
        editor.post(message)
        await probe(editor)
        assert len(editor.messages) == before + 1


# -- with handlers of our own ----------------------------------------------------------------------------


async def serving(handler: Any) -> Editor:
    """An editor of a server with one more request, that does what a test says."""
    server = build()
    server.feature("textDocument/documentLink")(handler)
    editor, _ = attached(server)
    await editor.request("initialize", INITIALIZE)
    return editor


LINK = {"textDocument": {"uri": "file:///a.py"}}


async def test_a_running_request_is_cancelled_and_answered_once() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def handler(ls: Any, params: lsp.DocumentLinkParams) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    editor = await serving(handler)
    msg_id, reply = editor.ask("textDocument/documentLink", LINK)
    await begun.wait()
    editor.notify("$/cancelRequest", {"id": msg_id})
    editor.notify("$/cancelRequest", {"id": msg_id})
    async with asyncio.timeout(TIME):
        assert (await reply)["error"]["code"] == RequestCancelled
    assert ended.is_set()
    editor.notify("$/cancelRequest", {"id": msg_id})
    assert len(editor.replies(msg_id)) == 1


async def test_a_request_cancelled_in_the_same_packet_never_runs() -> None:
    ran: list[int] = []

    async def handler(ls: Any, params: lsp.DocumentLinkParams) -> None:
        ran.append(1)

    editor = await serving(handler)
    editor.notify("$/cancelRequest", {"id": 2})  # not yet seen: ignored
    msg_id, reply = editor.ask("textDocument/documentLink", LINK)
    assert msg_id == 2
    editor.notify("$/cancelRequest", {"id": 2})
    assert (await reply)["error"]["code"] == RequestCancelled
    assert not ran


async def test_an_id_in_use_is_refused_and_the_first_request_goes_on() -> None:
    go = asyncio.Event()

    async def handler(ls: Any, params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink]:
        await go.wait()
        return []

    editor = await serving(handler)
    for _ in range(2):
        editor.post({"jsonrpc": "2.0", "id": "same", "method": "textDocument/documentLink", "params": LINK})
    await asyncio.sleep(0)
    go.set()
    await editor.until(lambda m: m.get("result") == [])
    assert [m.get("error", {}).get("code") for m in editor.replies("same")] == [InvalidRequest, None]


async def test_one_and_the_text_one_are_different_ids() -> None:
    async def handler(ls: Any, params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink]:
        return []

    editor = await serving(handler)
    for msg_id in (41, "41"):
        editor.post({"jsonrpc": "2.0", "id": msg_id, "method": "textDocument/documentLink", "params": LINK})
    await editor.until(lambda m: m.get("id") == "41")
    assert [m["result"] for m in editor.replies(41)] == [[]]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UserError("Pick a file first."), RequestFailed, "Pick a file first."),
        (JsonRpcException("odd", -32042), -32042, "odd"),
        (RuntimeError("/home/me/secret.py exploded"), InternalError, "internal error; the log says more"),
        (RecursionError(), InternalError, "internal error; the log says more"),
    ],
)
async def test_errors_speak_to_the_user(error: Exception, code: int, message: str, late: bool) -> None:
    async def handler(ls: Any, params: lsp.DocumentLinkParams) -> None:
        if late:
            await asyncio.sleep(0)
        raise error

    editor = await serving(handler)
    with pytest.raises(EditorError) as caught:
        await editor.request("textDocument/documentLink", LINK)
    assert caught.value.error == {"code": code, "message": message}
    assert not [m for m in editor.messages if "method" in m]


async def test_a_result_that_cannot_be_sent_is_an_internal_error() -> None:
    async def handler(ls: Any, params: lsp.DocumentLinkParams) -> Any:
        return {"x": float("nan")}

    editor = await serving(handler)
    with pytest.raises(EditorError) as caught:
        await editor.request("textDocument/documentLink", LINK)
    assert caught.value.code == InternalError


async def test_shutdown_cancels_what_is_running() -> None:
    async def handler(ls: Any, params: lsp.DocumentLinkParams) -> None:
        await asyncio.Event().wait()

    editor = await serving(handler)
    _, reply = editor.ask("textDocument/documentLink", LINK)
    assert await editor.request("shutdown") is None
    assert (await reply)["error"]["code"] == RequestCancelled

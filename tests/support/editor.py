"""A small editor: speaks to the server in this process, in another one, or over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from qwen_lsp.server.app import converse
from qwen_lsp.server.host import Server
from qwen_lsp.server.table import build
from qwen_lsp.server.wire import Connection, FrameReader, Message

TIME = 20.0
"""Seconds that a wait may take at most; on a good day all take milliseconds."""

Json = dict[str, Any]

SERVE = "from qwen_lsp.server.app import serve_stdio; raise SystemExit(serve_stdio())"

CAPABILITIES: Json = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True},
    "workspace": {
        "applyEdit": True,
        "workspaceFolders": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create", "rename", "delete"],
            "changeAnnotationSupport": {},
        },
    },
}


class EditorError(Exception):
    """The server's error reply."""

    def __init__(self, error: Json) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.error = error


class Editor:
    """One side of a connection; `send` puts bytes on it, `received` takes what comes back."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._reader = FrameReader()
        self._ids = 0
        self._waiting: dict[Any, asyncio.Future[Json]] = {}
        self.arrived = asyncio.Event()
        self.messages: list[Json] = []
        self.answers: dict[str, Callable[[Any], Any]] = {
            "client/registerCapability": lambda params: None,
            "window/workDoneProgress/create": lambda params: None,
        }
        self.process: asyncio.subprocess.Process | None = None

    # -- out -----------------------------------------------------------------------------------------

    def raw(self, data: bytes) -> None:
        self._send(data)

    def post(self, message: object) -> None:
        self._send(frame(message))

    def notify(self, method: str, params: object = None) -> None:
        self.post({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: object = None) -> tuple[int, asyncio.Future[Json]]:
        """Send a request; its id, and the whole reply to come."""
        self._ids += 1
        reply = self.reply(self._ids)
        self.post({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params})
        return self._ids, reply

    def reply(self, msg_id: object) -> asyncio.Future[Json]:
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[json.dumps(msg_id)] = future
        return future

    async def request(self, method: str, params: object = None) -> Any:
        """The result of a request. Raises EditorError for an error reply."""
        async with asyncio.timeout(TIME):
            reply = await self.ask(method, params)[1]
        if "error" in reply:
            raise EditorError(reply["error"])
        return reply["result"]

    async def command(self, name: str, argument: Mapping[str, Any] | None = None, **more: Any) -> Any:
        arguments = [] if argument is None else [argument]
        return await self.request(
            "workspace/executeCommand", {"command": name, "arguments": arguments, **more}
        )

    # -- in ------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            assert isinstance(event, Message), event
            self._take(cast(Json, event.value))
        self.arrived.set()

    def _take(self, message: Json) -> None:
        self.messages.append(message)
        method = message.get("method")
        if method is None:
            future = self._waiting.pop(json.dumps(message["id"]), None)
            if future is not None and not future.done():
                future.set_result(message)
        elif "id" in message and method in self.answers:
            result = self.answers[method](message["params"])
            self.post({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def until(self, holds: Callable[[Json], bool]) -> Json:
        """The first message, past or to come, of which this holds."""
        seen = 0
        async with asyncio.timeout(TIME):
            while True:
                for message in self.messages[seen:]:
                    if holds(message):
                        return message
                seen = len(self.messages)
                self.arrived.clear()
                await self.arrived.wait()

    async def notified(self, method: str) -> Any:
        return (await self.until(lambda m: m.get("method") == method))["params"]

    def replies(self, msg_id: object) -> list[Json]:
        """What was answered to an id; 1, 1.0 and true are three ids."""
        key = json.dumps(msg_id)
        return [m for m in self.messages if "method" not in m and json.dumps(m["id"]) == key]

    # -- an editor's day -----------------------------------------------------------------------------

    async def initialize(self, *roots: Path, **more: Any) -> Json:
        folders = [{"uri": root.as_uri(), "name": root.name} for root in roots]
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": CAPABILITIES,
            "workspaceFolders": folders,
        }
        result = await self.request("initialize", {**params, **more})
        self.notify("initialized", {})
        await self.command("qwen.status")  # answered once the folders are there
        return result

    def open(self, uri: str, text: str, version: int = 1, language: str = "python") -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, *changes: Json) -> None:
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    async def leave(self) -> None:
        await self.request("shutdown")
        self.notify("exit")


async def indexed(editor: Editor, folders: int = 1) -> Json:
    """The status once all folders are indexed."""
    async with asyncio.timeout(TIME):
        while True:
            status = await editor.command("qwen.status")
            states = [folder["index"]["complete"] for folder in status["folders"]]
            if len(states) == folders and all(states):
                return status
            # Asking without a pause would keep the interpreter from the threads that index.
            await asyncio.sleep(0.02)


def frame(message: object) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def replace(start: tuple[int, int], end: tuple[int, int], text: str) -> Json:
    """One content change."""
    return {"range": span(start, end), "text": text}


def span(start: tuple[int, int], end: tuple[int, int]) -> Json:
    return {"start": place(*start), "end": place(*end)}


def place(line: int, character: int) -> Json:
    return {"line": line, "character": character}


class _Loopback(asyncio.WriteTransport):
    """What the server writes, handed to the editor."""

    def __init__(self, received: Callable[[bytes], None]) -> None:
        super().__init__()
        self._received = received
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._received(bytes(data))

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True


def attached(server: Server) -> tuple[Editor, Connection]:
    """An editor in this process; only the operating system's pipe is left out. Nothing is closed."""
    connection = Connection(server.rpc.receive)
    server.rpc.connection = connection
    editor = Editor(connection.data_received)
    connection.set_writer(_Loopback(editor.received))
    return editor, connection


@contextlib.asynccontextmanager
async def in_process(server: Server | None = None) -> AsyncGenerator[Editor]:
    """The whole server in this process, closed at the end as in its own."""
    server = server or build()
    editor, connection = attached(server)
    serving = asyncio.ensure_future(converse(server, connection))
    try:
        yield editor
    finally:
        connection.end()
        async with asyncio.timeout(TIME):
            await serving


@contextlib.asynccontextmanager
async def spawned(
    command: Sequence[str] = (sys.executable, "-c", SERVE), environ: Mapping[str, str] | None = None
) -> AsyncGenerator[Editor]:
    """The real server in a process of its own, over real pipes."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **(environ or {})},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    editor = Editor(process.stdin.write)
    editor.process = process
    reading = asyncio.ensure_future(_pump(process.stdout, editor))
    try:
        yield editor
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


@contextlib.asynccontextmanager
async def connected(host: str, port: int) -> AsyncGenerator[Editor]:
    """Over TCP."""
    reader, writer = await asyncio.open_connection(host, port)
    editor = Editor(writer.write)
    reading = asyncio.ensure_future(_pump(reader, editor))
    try:
        yield editor
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        await reading


async def _pump(reader: asyncio.StreamReader, editor: Editor) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            editor.received(data)

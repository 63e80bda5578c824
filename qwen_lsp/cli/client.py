"""A small editor: starts the real server as a process and speaks the protocol to it over stdio."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

from qwen_lsp.errors import QwenLspError

Json = Any
_GONE = "the server ended before it answered; `--log FILE` keeps what it had to say"

Handler = Callable[[str, Json], Json]


class Client:
    """One connection. Requests of the server are answered by `on_request`, notifications are passed on."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        on_request: Handler,
        on_notification: Callable[[str, Json], None],
    ) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the server must be started with pipes")
        self._writer, self._reader = process.stdin, process.stdout
        self._on_request, self._on_notification = on_request, on_notification
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._last_id = 0

    async def request(self, method: str, params: Json) -> Json:
        """The result of a request. Raises QwenLspError with the server's message."""
        self._last_id += 1
        future = self._waiting[self._last_id] = asyncio.get_running_loop().create_future()
        self._send({"id": self._last_id, "method": method, "params": params})
        return await future

    def notify(self, method: str, params: Json) -> None:
        self._send({"method": method, "params": params})

    async def listen(self) -> None:
        """Handle what the server sends until it closes its end."""
        try:
            while (message := await self._receive()) is not None:
                self._handle(message)
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(QwenLspError(_GONE))

    def _handle(self, message: Mapping[str, Json]) -> None:
        if "method" not in message:
            future = self._waiting.pop(message["id"], None)
            if future is None or future.done():
                return
            if "error" in message:
                future.set_exception(QwenLspError(str(message["error"].get("message", "unknown error"))))
            else:
                future.set_result(message.get("result"))
        elif "id" in message:
            result = self._on_request(message["method"], message.get("params"))
            self._send({"id": message["id"], "result": result})
        else:
            self._on_notification(message["method"], message.get("params"))

    async def _receive(self) -> dict[str, Json] | None:
        length = 0
        while (line := await self._reader.readline()).strip():
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        if not line:
            return None
        return json.loads(await self._reader.readexactly(length))

    def _send(self, message: Mapping[str, Json]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


@contextlib.asynccontextmanager
async def started(
    root: Path,
    *,
    options: Json,
    on_request: Handler,
    on_notification: Callable[[str, Json], None],
    log: Path | None = None,
) -> AsyncGenerator[tuple[Client, Json]]:
    """A server on one workspace folder, and its `initialize` result; shut down in order at the end."""
    with contextlib.ExitStack() as files:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qwen_lsp", "serve",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=files.enter_context(log.open("ab")) if log else asyncio.subprocess.DEVNULL,
            limit=64 * 1024 * 1024,
        )  # fmt: skip
        client = Client(process, on_request, on_notification)
        listening = asyncio.create_task(client.listen())
        try:
            uri = root.as_uri()
            result = await client.request(
                "initialize",
                {
                    "processId": None,
                    "clientInfo": {"name": "qwen-lsp tour"},
                    "rootUri": uri,
                    "workspaceFolders": [{"uri": uri, "name": root.name}],
                    "capabilities": {
                        "general": {"positionEncodings": ["utf-16"]},
                        "window": {"workDoneProgress": True},
                        "workspace": {"applyEdit": True, "workspaceFolders": True},
                        "textDocument": {
                            "inlineCompletion": {},
                            "codeAction": {
                                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": [""]}},
                                "resolveSupport": {"properties": ["edit"]},
                                "dataSupport": True,
                                "disabledSupport": True,
                            },
                        },
                    },
                    "initializationOptions": options,
                },
            )
            client.notify("initialized", {})
            yield client, result
            await client.request("shutdown", None)
            client.notify("exit", None)
            await asyncio.wait_for(process.wait(), 10)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

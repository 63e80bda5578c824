"""The ways to reach the server: standard input and output, or TCP.

Kept light: the protocol's types are imported by `_build`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from qwen_lsp.imports import load
from qwen_lsp.server.wire import Connection
from qwen_lsp.stdio import claim, is_pipe, log_to_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen_lsp.server.host import Server

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_FLUSH_TIME = 2.0  # seconds for the client to take the last replies
_CHUNK = 256 * 1024
_SILENT = "pygls"
"""Logs whole messages, and with them the text of documents and prompts."""


def _build() -> Server:
    load("qwen_lsp.server.table")
    from qwen_lsp.server.table import build

    return build()


async def converse(server: Server, connection: Connection) -> int:
    """Serve one connection until it ends; the exit status that the protocol asks for."""
    from qwen_lsp.server.lifetime import close

    stopping = asyncio.ensure_future(server.stopping.wait())
    try:
        await asyncio.wait({stopping, connection.closed}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        connection.end()
        await close(server)
    return server.exit_code


# -- standard input and output -------------------------------------------------------------------------


def serve_stdio() -> int:
    """Serve one client over standard input and output; returns the exit status."""
    log_to_stderr(_SILENT)
    source, sink = claim()
    return asyncio.run(_stdio(source, sink))


async def _stdio(source: int, sink: int) -> int:
    server = _build()
    connection = Connection(server.rpc.receive)
    server.rpc.connection = connection
    _stop_on_signal(server)
    loop = asyncio.get_running_loop()
    out = _Output(connection)
    if is_pipe(sink):
        await loop.connect_write_pipe(lambda: out, os.fdopen(sink, "wb", buffering=0))
    else:
        out.connection_made(_File(sink))
    if not is_pipe(source):
        reading = asyncio.ensure_future(_read_blocking(connection, source))
        code = await converse(server, connection)
        await out.finish()
        if not reading.done():
            os._exit(code)  # a thread waits in a read that nothing can interrupt
        return code
    transport, _ = await loop.connect_read_pipe(lambda: connection, os.fdopen(source, "rb", buffering=0))
    try:
        return await converse(server, connection)
    finally:
        transport.close()
        await out.finish()


async def _read_blocking(connection: Connection, source: int) -> None:
    """Read in large pieces from what the event loop cannot wait for."""
    with contextlib.suppress(OSError):
        while data := await asyncio.to_thread(os.read, source, _CHUNK):
            connection.data_received(data)
    connection.end()


class _Output(asyncio.BaseProtocol):
    """The client's end of standard output; when that is lost, so is the client."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._transport: asyncio.WriteTransport | None = None
        self._lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
        self._transport = transport
        self._connection.set_writer(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.end()
        if not self._lost.done():
            self._lost.set_result(None)

    async def finish(self) -> None:
        """Close, after the client has taken what was written, if it takes it in time."""
        if isinstance(self._transport, _File) or self._transport is None:
            return
        self._transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_TIME):
                await self._lost


class _File(asyncio.WriteTransport):
    """Standard output that is a file, a terminal, or anything on Windows: written at once."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._gone = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        while view and not self._gone:
            try:
                view = view[os.write(self._descriptor, view) :]
            except OSError:
                self._gone = True

    def is_closing(self) -> bool:
        return self._gone


# -- TCP -----------------------------------------------------------------------------------------------


def serve_tcp(host: str = LOOPBACK, port: int = 0, on_ready: Callable[[int], None] | None = None) -> int:
    """Serve a client for each connection, until interrupted. There is no password: stay on loopback."""
    log_to_stderr(_SILENT)
    return asyncio.run(_tcp(host, port, on_ready))


async def _tcp(host: str, port: int, on_ready: Callable[[int], None] | None) -> int:
    serving: set[asyncio.Task[None]] = set()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def accept() -> Connection:
        server = _build()
        server.watches_parent = False
        server.rpc.connection = connection = Connection(server.rpc.receive)
        task = loop.create_task(_serve_connection(server, connection))
        serving.add(task)
        task.add_done_callback(serving.discard)
        return connection

    _build()  # so that the first client does not wait for the imports
    listener = await loop.create_server(accept, host, port)
    port = listener.sockets[0].getsockname()[1]
    print(f"qwen-lsp listens on {host}:{port}", file=sys.stderr, flush=True)
    if on_ready is not None:
        on_ready(port)
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
    try:
        await stopping.wait()
    finally:
        listener.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
    return 0


async def _serve_connection(server: Server, connection: Connection) -> None:
    try:
        await converse(server, connection)
    finally:
        connection.close()


def _stop_on_signal(server: Server) -> None:
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stopping.set)

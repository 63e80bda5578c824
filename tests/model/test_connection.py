"""Connections of our own: kept, found dead, closed at once, and never trusted further than the reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from qwen_lsp.errors import AuthenticationFailed, EndpointUnreachable, MalformedReply
from qwen_lsp.model import connection
from qwen_lsp.model.connection import Connections, Lost
from qwen_lsp.model.http1 import BadReply
from qwen_lsp.model.messages import FimRequest
from qwen_lsp.model.transport import Transport
from tests.model.test_endpoint import client_of, complete
from tests.support.endpoint import ScriptedEndpoint

ASK = b"POST /v1/completions HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
Behaviour = Callable[["Visit"], Awaitable[None]]


class Bare:
    """A server that does with every connection what a test says."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self._tasks: set[asyncio.Task[None] | None] = set()
        self.port = 0
        self.connections = 0
        self.requests = 0
        self.gone = asyncio.Event()
        """Set when a client closed its connection."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await self._behave(Visit(self, self.connections, reader, writer))
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def stop(self) -> None:
        tasks = [task for task in self._tasks if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Visit:
    """One connection to a bare server; `number` counts from 1."""

    bare: Bare
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bool:
        """Read one request; False when the client left instead."""
        data = await self.reader.read(65_536)
        self.bare.requests += bool(data)
        if not data:
            self.bare.gone.set()
        return bool(data)

    async def say(self, reply: bytes) -> None:
        self.writer.write(reply)
        await self.writer.drain()


@asynccontextmanager
async def serving(behave: Behaviour) -> AsyncGenerator[tuple[Bare, Connections]]:
    bare = Bare(behave)
    server = await asyncio.start_server(bare.serve, "127.0.0.1", 0)
    bare.port = server.sockets[0].getsockname()[1]
    connections = Connections("127.0.0.1", bare.port, 5.0)
    async with server:
        try:
            yield bare, connections
        finally:
            connections.close()
            await bare.stop()


async def exchange(connections: Connections, *, patience: float = 5.0, ask: bytes = ASK) -> bytes:
    """One whole exchange; the body of the reply."""
    deadline = asyncio.get_running_loop().time() + patience
    reply = await connections.exchange(ask, deadline)
    body = b""
    try:
        while piece := await reply.read(deadline):
            body += piece
    except BaseException:
        await reply.leave(whole=False)
        raise
    await reply.leave(whole=True)
    return body


@asynccontextmanager
async def answering(*replies: bytes) -> AsyncGenerator[tuple[Bare, Connections]]:
    """Each request of a connection gets the next of these replies; then the connection is closed."""

    async def behave(visit: Visit) -> None:
        for reply in replies:
            if not await visit.request():
                return
            await visit.say(reply)

    async with serving(behave) as served:
        yield served


async def test_a_connection_is_used_again_and_one_that_the_server_closed_is_replaced() -> None:
    async with answering(HELLO, HELLO) as (bare, connections):
        assert [await exchange(connections) for _ in range(5)] == [b"hello"] * 5
        assert (bare.connections, bare.requests) == (3, 5)


async def test_a_connection_that_dies_on_being_used_again_costs_one_more_try_and_no_more() -> None:
    async def behave(visit: Visit) -> None:
        await visit.request()
        if visit.number < 3:
            await visit.say(HELLO)
            # The next request is read, and the connection closed without a word.
            await visit.request()

    async with serving(behave) as (bare, connections):
        assert await exchange(connections) == b"hello"
        assert await exchange(connections) == b"hello"
        assert (bare.connections, bare.requests) == (2, 3)
        # The second dies too, and so does the one made for the second try.
        with pytest.raises(Lost, match="closed before the reply was whole"):
            await exchange(connections)
        assert (bare.connections, bare.requests) == (3, 5)


async def test_a_request_is_not_sent_again_once_its_reply_began() -> None:
    async with answering(HELLO, b"HTTP/1.1 2") as (bare, connections):
        assert await exchange(connections) == b"hello"
        with pytest.raises(Lost):
            await exchange(connections)
        assert bare.requests == 2


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        HELLO + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ],
)
async def test_a_connection_that_cannot_be_trusted_any_more_is_not_used_again(reply: bytes) -> None:
    async with answering(reply, HELLO) as (bare, connections):
        assert [await exchange(connections) for _ in range(2)] == [b"hello"] * 2
        assert bare.connections == 2


async def test_bytes_that_nobody_asked_for_close_the_connection() -> None:
    go = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(HELLO)
        if visit.number == 1:
            await go.wait()
            await visit.say(HELLO.replace(b"hello", b"evil!"))
        await visit.request()

    async with serving(behave) as (bare, connections):
        assert await exchange(connections) == b"hello"
        go.set()
        await soon(bare.gone)
        assert await exchange(connections) == b"hello"
        assert bare.connections == 2


async def soon(event: asyncio.Event) -> None:
    """Wait for what must happen at once; fails instead of hanging."""
    async with asyncio.timeout(5):
        await event.wait()


@pytest.mark.parametrize("reply", [b"", HELLO[:-8], HELLO[:-1]])
async def test_a_cancelled_exchange_closes_the_socket(reply: bytes) -> None:
    asked = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(reply)
        asked.set()
        await visit.request()

    async with serving(behave) as (bare, connections):
        task = asyncio.create_task(exchange(connections))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await soon(bare.gone)


@pytest.mark.parametrize("reply", [b"", HELLO[:-8], HELLO[:-1]])
async def test_silence_ends_in_a_timeout_and_a_closed_socket(reply: bytes) -> None:
    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(reply)
        await visit.request()

    async with serving(behave) as (bare, connections):
        with pytest.raises(TimeoutError):
            await exchange(connections, patience=0.05)
        await soon(bare.gone)


async def test_closing_ends_exchanges_and_keeps_nothing_that_ends_later() -> None:
    hold = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(HELLO[:-1])
        await hold.wait()
        await visit.say(HELLO[-1:])
        await visit.request()

    async with serving(behave) as (bare, connections):
        deadline = asyncio.get_running_loop().time() + 5
        reply = await connections.exchange(ASK, deadline)
        assert await reply.read(deadline) == b"hell"
        connections.close()
        with pytest.raises(Lost, match="closed"):
            await reply.read(deadline)
        hold.set()
        assert await exchange(connections) == b"hello"
        await bare.stop()
        assert bare.gone.is_set()


async def test_a_connection_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEP_ALIVE", 0.01)
    async with answering(HELLO, HELLO) as (bare, connections):
        assert await exchange(connections) == b"hello"
        await soon(bare.gone)


async def test_a_server_that_talks_without_end_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_UNREAD", 100_000)
    size = 30_000_000
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size) as (
        _,
        connections,
    ):
        deadline = asyncio.get_running_loop().time() + 30
        reply = await connections.exchange(ASK, deadline)
        found = 0
        while piece := await reply.read(deadline):
            # Whoever reads goes slower than the server writes.
            for _ in range(10):
                await asyncio.sleep(0)
            assert reply.unread <= 100_000 + connection.READ
            found += len(piece)
        assert found == size
        await reply.leave(whole=True)


async def test_what_nobody_read_of_one_reply_does_not_hold_back_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "MOST_UNREAD", 1_000)
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 800\r\n\r\n" + b"x" * 800
    async with answering(*[long] * 4) as (bare, connections):
        for _ in range(3):
            reply = await connections.exchange(ASK, asyncio.get_running_loop().time() + 5)
            await reply.leave(whole=True)
            assert reply.unread == 0
        assert len(await exchange(connections)) == 800
        assert bare.connections == 1


async def test_a_time_limit_is_for_the_server_and_not_for_whoever_reads() -> None:
    go = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(HELLO[:-4])
        await go.wait()
        await visit.say(HELLO[-4:])
        await visit.request()

    async with serving(behave) as (_, connections):
        loop = asyncio.get_running_loop()
        limit = loop.time() + 0.05
        reply = await connections.exchange(ASK, limit)
        assert await reply.read(limit) == b"h"
        # The reader is busy with something else until the time is over.
        loop.call_at(limit + 0.01, go.set)
        await soon(go)
        assert await reply.read(loop.time() + 5) == b"ello"
        await reply.leave(whole=True)


async def test_what_is_no_http_is_told_as_such() -> None:
    async with answering(b"SSH-2.0-OpenSSH_9.6\r\n") as (_, connections):
        with pytest.raises(BadReply):
            await exchange(connections)
    async with answering(b"SSH-2.0-OpenSSH_9.6\r\n") as (bare, _):
        transport = Transport(f"http://127.0.0.1:{bare.port}/v1")
        with pytest.raises(MalformedReply, match=r"does not answer in HTTP/1\.1"):
            await transport.ask("GET", f"{transport.base}/models", timeout=5)


async def test_a_reply_that_was_compressed_unasked_is_refused() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply("x", headers={"Content-Encoding": "gzip"})
        with pytest.raises(MalformedReply, match="compressed"):
            await complete(client)
        assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_key_that_is_none_never_reaches_the_wire() -> None:
    async with ScriptedEndpoint() as server, client_of(server, api_key="key\r\nX-Evil: 1") as client:
        with pytest.raises(AuthenticationFailed, match="OPENAI_API_KEY") as caught:
            await complete(client)
        assert "Evil" not in str(caught.value)
        assert server.connections == 0


async def test_the_parts_of_an_address_reach_the_server() -> None:
    async with ScriptedEndpoint() as server:
        url = f"http://me:p%40ss@127.0.0.1:{server.port}/v1"
        async with client_of(server, base_url=url) as client:
            server.reply("x")
            assert await complete(client) == "x"
        sent = server.requests[0].headers
        assert sent["authorization"] == "Basic bWU6cEBzcw=="
        assert sent["host"] == f"127.0.0.1:{server.port}"
        async with client_of(server, base_url=f"http://localhost:{server.port}/v1") as client:
            server.reply("x")
            assert await complete(client) == "x"


async def test_a_text_that_no_encoding_has_is_sent_all_the_same() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply("x")
        assert await complete(client, FimRequest("a", "a\ud800b", "")) == "x"
        assert server.requests[0].json["prompt"].startswith("<|fim_prefix|>a?b")


async def test_a_name_that_is_not_known() -> None:
    transport = Transport("http://no-such-host.invalid/v1")
    with pytest.raises(EndpointUnreachable, match="cannot be reached"):
        await transport.ask("GET", f"{transport.base}/models", timeout=5)

"""Connections to a server in plain HTTP: kept alive, closed at once on cancel, one timer for each.

A completion is many small pieces; what stands between the socket and the text is paid for each of them. So
there is nothing between them but one protocol object: no streams, no locks, no context for every read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from qwen_lsp.model import profiles
from qwen_lsp.model.http1 import BadReply, ReplyReader

MOST_IDLE = 8
"""Connections kept open for later requests."""
KEEP_ALIVE = 60.0
"""Seconds that a connection is kept without a request."""
DRAIN = 0.1
"""Seconds for the end of a body of which all that matters was read; as a rule it is there already."""
READ = 64 * 1024
MOST_UNREAD = 1024 * 1024
"""Bytes that may wait to be read before the server is held back."""


class Lost(ConnectionError):
    """The connection was closed. `fresh` says that no byte of the reply had arrived."""

    def __init__(self, reason: str, *, fresh: bool) -> None:
        super().__init__(reason)
        self.fresh = fresh


class Connection(asyncio.BufferedProtocol):
    """One connection, one exchange at a time: `begin`, `read` until it gives nothing, `leave`."""

    def __init__(self, pool: Connections) -> None:
        self._loop = asyncio.get_running_loop()
        self._pool = pool
        self._buffer = pool.buffer
        self._transport: asyncio.Transport | None = None
        self._reader: ReplyReader | None = None
        self._body: deque[bytes] = deque()
        self.unread = 0
        """Bytes of the body that arrived and were not read yet."""
        self._paused = False
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = float("inf")
        self._draining = False

    # --- for whoever asks

    @property
    def status(self) -> int:
        return self._reader.status if self._reader else 0

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case."""
        return self._reader.headers if self._reader else {}

    async def begin(self, request: bytes, deadline: float) -> None:
        """Send a request and wait for the head of its reply.

        `deadline` is a time of the loop's clock. Raises TimeoutError, Lost and BadReply.
        """
        if self._transport is None or self._transport.is_closing():
            raise Lost("connection closed", fresh=True)
        self._reader = reader = ReplyReader()
        self._limit(deadline)
        self._transport.write(request)
        while not reader.status:
            await self._wait()

    async def read(self, deadline: float) -> bytes:
        """The next bytes of the body, none at its end. Raises TimeoutError, Lost and BadReply."""
        reader = self._reader
        assert reader is not None  # noqa: S101
        if not self._body:
            self._limit(deadline)
            while not self._body:
                if reader.ended:
                    return b""
                await self._wait()
        piece = self._body.popleft()
        self.unread -= len(piece)
        if self._paused and self._transport is not None and self.unread < MOST_UNREAD:
            self._paused = False
            self._transport.resume_reading()
        return piece

    async def leave(self, *, whole: bool) -> None:
        """End the exchange: keep the connection when the reply is `whole`, else close it at once."""
        if not whole or self._failure is not None or self._transport is None:
            self.abort()
            return
        self._draining = True
        self._body.clear()
        self.unread = 0
        if self._reader is not None and self._reader.ended:
            self._rest()
        else:
            self._limit(self._loop.time() + DRAIN)

    def abort(self) -> None:
        """Close the socket now; the server sees it at once."""
        self._stop_timer()
        self._pool.forget(self)
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _rest(self) -> None:
        """Wait for the next request, or close when the server or its reply will not have one."""
        reader, self._reader = self._reader, None
        self._draining = False
        if reader is None or not reader.reusable or self._paused or not self._pool.keep(self):
            self.abort()
        else:
            self._limit(self._loop.time() + KEEP_ALIVE)

    # --- waiting

    async def _wait(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        if self._failure is not None and not self._body:
            raise self._failure

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _limit(self, deadline: float) -> None:
        self._deadline = deadline
        # A timer that is too early finds out when it fires, and goes on from there.
        if self._timer is None or self._timer.when() > deadline:
            self._stop_timer()
            self._timer = self._loop.call_at(deadline, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._loop.time() < self._deadline:
            self._limit(self._deadline)
        elif self._reader is None or self._draining:
            self.abort()
        elif self._waiter is not None:
            self.fail(TimeoutError())
        # Else it is not the server that is slow: whoever reads next brings a time of their own.

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def fail(self, error: Exception) -> None:
        """Close the socket, and have whoever waits raise `error`."""
        self._failure = self._failure or error
        self.abort()
        self._wake()

    # --- asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        reader = self._reader
        if reader is None or reader.ended:
            # Nothing was asked: whatever this is, the next reply would be taken for something else.
            self.abort()
            return
        try:
            body = reader.feed(bytes(self._buffer[:nbytes]))
        except BadReply as error:
            self.fail(error)
            return
        if self._draining:
            if reader.ended:
                self._rest()
            return
        if body:
            self._body.append(body)
            self.unread += len(body)
            if self.unread > MOST_UNREAD and not self._paused and self._transport is not None:
                self._paused = True
                self._transport.pause_reading()
        if body or reader.status:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        reader = self._reader
        if reader is not None and not reader.ended:
            try:
                reader.eof()
            except BadReply as error:
                reason = "connection reset" if isinstance(exc, ConnectionResetError) else str(exc or error)
                self._failure = self._failure or Lost(reason, fresh=not reader.begun)
        self.abort()
        self._wake()


class Connections:
    """The connections to one server: `host` and `port` as a socket takes them."""

    def __init__(self, host: str, port: int, connect_timeout: float) -> None:
        self._host = host
        self._port = port
        self._connect_timeout = connect_timeout
        # Trying addresses side by side is for names that may have one that leads nowhere.
        self._race = None if profiles.has_one_address(host) else 0.25
        self._idle: list[Connection] = []
        self._every: set[Connection] = set()
        self._closed = False
        # What arrives is taken out of it before anything else can, so that one serves all.
        self.buffer = memoryview(bytearray(READ))

    async def exchange(self, request: bytes, deadline: float) -> Connection:
        """A connection on which the head of the reply to `request` has arrived.

        Raises what `begin` raises, OSError when no connection comes about, and ConnectTimeout.
        """
        if self._idle:
            connection = self._idle.pop()
            try:
                return await self._begun(connection, request, deadline)
            except Lost as error:
                # That the server closed it meanwhile is found out only by using it. Then nothing was asked
                # yet, and the other ones are no younger.
                if not error.fresh:
                    raise
                for other in tuple(self._idle):
                    other.abort()
        return await self._begun(await self._open(deadline), request, deadline)

    async def _begun(self, connection: Connection, request: bytes, deadline: float) -> Connection:
        try:
            await connection.begin(request, deadline)
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _open(self, deadline: float) -> Connection:
        loop = asyncio.get_running_loop()
        limit = min(deadline, loop.time() + self._connect_timeout)
        try:
            async with asyncio.timeout_at(limit):
                _, connection = await loop.create_connection(
                    lambda: Connection(self), self._host, self._port, happy_eyeballs_delay=self._race
                )
        except TimeoutError as error:
            # The kernel gives up too, long before or after us; that is not this time limit.
            if error.errno is not None:
                raise Lost(str(error), fresh=True) from None
            if limit == deadline:
                raise
            raise ConnectTimeout from None
        self._every.add(connection)
        return connection

    def keep(self, connection: Connection) -> bool:
        """Keep a connection for the next request; False when there are enough."""
        if self._closed or len(self._idle) >= MOST_IDLE:
            return False
        self._idle.append(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """A connection was closed."""
        self._every.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def close(self) -> None:
        """Close every connection, those in use too."""
        self._closed = True
        for connection in tuple(self._every):
            connection.fail(Lost("closed", fresh=False))


class ConnectTimeout(Exception):
    """No connection came about in the time allowed for that."""

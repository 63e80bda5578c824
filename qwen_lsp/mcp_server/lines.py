"""Messages, one a line, over the two descriptors that are the protocol's."""

from __future__ import annotations

import asyncio
import contextlib
import os

from qwen_lsp.stdio import is_pipe

_LONGEST = 256 * 1024 * 1024
"""Bytes of one message; a client that sends more is not answered any more."""
_FLUSH_TIME = 2.0
"""Seconds that a client has to take the last answers."""


class Lines:
    """Both directions. Made by `open_lines`; everything is called on the event loop."""

    def __init__(self, reader: asyncio.StreamReader, sink: _Sink) -> None:
        self._reader, self._sink = reader, sink
        self._source: asyncio.ReadTransport | None = None
        self._blocking: asyncio.Task[None] | None = None

    async def read(self) -> str | None:
        """The next message; None when no more will come."""
        with contextlib.suppress(ValueError):  # longer than any message
            line = await self._reader.readline()
            return line.decode("utf-8", "replace") if line else None
        return None

    async def write(self, line: str) -> None:
        await self._sink.write(line.encode())

    def end(self) -> None:
        """Read no more: the client is gone, or the process is to stop."""
        if self._source is not None:
            self._source.close()
        else:
            self._reader.feed_eof()

    async def finish(self) -> bool:
        """Close, after the client has taken what was written; whether a thread is left that still reads."""
        self.end()
        await self._sink.finish()
        return self._blocking is not None and not self._blocking.done()

    def from_pipe(self, transport: asyncio.ReadTransport) -> None:
        self._source = transport

    def from_file(self, descriptor: int) -> None:
        self._blocking = asyncio.create_task(self._feed(descriptor), name="standard input")

    async def _feed(self, descriptor: int) -> None:
        """Read in large pieces from what the event loop cannot wait for."""
        with contextlib.suppress(OSError):
            while data := await asyncio.to_thread(os.read, descriptor, 256 * 1024):
                if self._reader.at_eof():
                    return
                self._reader.feed_data(data)
        self._reader.feed_eof()


class _Sink(asyncio.BaseProtocol):
    """Standard output, waiting where the client reads slowly. `lost` is called once when it is gone."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor
        self._transport: asyncio.WriteTransport | None = None
        self._free = asyncio.Event()
        self._free.set()
        self._gone = asyncio.Event()
        self.lines: Lines | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
        self._transport = transport

    def pause_writing(self) -> None:
        self._free.clear()

    def resume_writing(self) -> None:
        self._free.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._free.set()
        if self.lines is not None:
            self.lines.end()

    async def write(self, data: bytes) -> None:
        await self._free.wait()
        if self._transport is not None:
            if not self._gone.is_set():
                self._transport.write(data)
        elif self._descriptor is not None:
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]

    async def finish(self) -> None:
        if self._transport is not None:
            self._transport.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_TIME):
                    await self._gone.wait()


async def open_lines(source: int, sink: int) -> Lines:
    """Both descriptors are owned by what this returns."""
    loop = asyncio.get_running_loop()
    out = _Sink(None if is_pipe(sink) else sink)
    reader = asyncio.StreamReader(limit=_LONGEST)
    out.lines = lines = Lines(reader, out)
    if is_pipe(sink):
        await loop.connect_write_pipe(lambda: out, os.fdopen(sink, "wb", buffering=0))
    if is_pipe(source):
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb", buffering=0)
        )
        lines.from_pipe(transport)
    else:
        lines.from_file(source)
    return lines

"""A model server that costs next to nothing: one fixed answer to every POST, streamed as OpenAI's would be.

    python -m bench.stub [--latency-ms N] [--text ANSWER]

Prints its port. `GET /count` tells how many completions were asked for, and how many clients left before
their answer came. For timing only: the tests use `tests.support.endpoint`, which checks what it is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncGenerator

TEXT = "value_of(item, 1)"
MODELS = json.dumps({"object": "list", "data": [{"id": "qwen3-coder", "owned_by": "vllm"}]}).encode()


def answer(text: str) -> bytes:
    """The whole reply, head included: a piece of text, the end, and `[DONE]`."""
    events = (
        {"choices": [{"index": 0, "text": text, "finish_reason": None}]},
        {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]},
    )
    lines = [f"data: {json.dumps(event)}\n\n".encode() for event in events] + [b"data: [DONE]\n\n"]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(line), line) for line in lines)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\n\r\n"


class Stub(asyncio.Protocol):
    """One connection."""

    asked = left = 0
    closed_at = 0.0

    def __init__(self, reply: bytes, latency: float) -> None:
        self._reply, self._latency = reply, latency
        self._data = b""
        self._pending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._pending is not None:
            self._pending.cancel()
            Stub.left += 1
            Stub.closed_at = time.time()

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        size = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        if not found or len(body) < size:
            return
        self._data = body[size:]
        if head.startswith(b"GET"):
            self._tell(head)
            return
        Stub.asked += 1
        if self._latency:
            self._pending = asyncio.get_running_loop().call_later(self._latency, self._answer)
        else:
            self._transport.write(self._reply)

    def _answer(self) -> None:
        self._pending = None
        self._transport.write(self._reply)

    def _tell(self, head: bytes) -> None:
        counts = {"asked": Stub.asked, "left": Stub.left, "closed_at": Stub.closed_at}
        body = json.dumps(counts).encode() if b"/count" in head.split(b"\r\n")[0] else MODELS
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )


@contextlib.asynccontextmanager
async def stub(*, latency_ms: float = 0, text: str = TEXT) -> AsyncGenerator[int]:
    """The stub in a process of its own; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.stub", "--latency-ms", str(latency_ms), "--text", text,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()


async def counts(port: int) -> dict[str, float]:
    """What the stub has seen so far."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /count HTTP/1.1\r\nHost: stub\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    body = await reader.readexactly(size)
    writer.close()
    await writer.wait_closed()
    found: dict[str, float] = json.loads(body)
    return found


async def _serve(latency: float, text: str) -> None:
    reply = answer(text)
    server = await asyncio.get_running_loop().create_server(lambda: Stub(reply, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--text", default=TEXT)
    args = parser.parse_args()
    asyncio.run(_serve(args.latency_ms / 1000, args.text))


if __name__ == "__main__":
    main()

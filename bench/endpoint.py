"""What a completion through our client costs beside a bare HTTP call and a bare socket.

    python -m bench.endpoint [--requests N]     CPU and time of one, also piece by piece; how fast a cancel is
    python -m bench.endpoint --memory           what thousands of completions leave behind

All sides ask the same scripted server, in turns, in one run; the server is a process of its own, so that
only the client's CPU is counted. The ratios are the figures: times depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import socket
import statistics
import sys
import time
import tracemalloc
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from qwen_lsp.model import fim, tokens
from qwen_lsp.model.client import Client
from qwen_lsp.model.ledger import Ledger
from qwen_lsp.model.messages import FimRequest
from qwen_lsp.settings import EndpointSettings
from tests.support.endpoint import ScriptedEndpoint

BEFORE = (
    "".join(f"def function_{i}(a, b):\n    return a * {i} + b\n\n\n" for i in range(60))
    + "def total(values):\n    result = combined(values, start=0, largest=1_000)\n    return result\n\n\n"
    + "def last(values):\n    result = com"
)
"""The scripted server answers with the rest of the earlier line, in ten pieces."""
REQUEST = FimRequest("bench.py", BEFORE, "\n\n\nprint(last([1, 2]))\n", max_tokens=64)
PACE = 0.002
"""Seconds between two pieces where each arrives alone, as from a fast model."""
Ask = Callable[[], Awaitable[object]]


@contextlib.asynccontextmanager
async def server_process(pace: float = 0.0) -> AsyncGenerator[str]:
    """The scripted endpoint in another process; its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.endpoint", "--pace", str(pace), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    try:
        yield line.split()[0].removeprefix("OPENAI_BASE_URL=")
    finally:
        process.terminate()
        await process.wait()


async def cost_of(ask: Ask, times: int) -> tuple[float, float]:
    """CPU milliseconds of this process for one request, and the median of their wall milliseconds."""
    walls: list[float] = []
    started = time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        walls.append((time.perf_counter() - began) * 1_000)
    return (time.process_time() - started) * 1_000 / times, statistics.median(walls)


class RawSocket:
    """The floor: the same bytes over one socket, read until the last chunk, and nothing understood."""

    def __init__(self, url: str, body: dict[str, object]) -> None:
        parts = urlsplit(url)
        self._place = (parts.hostname or "", parts.port or 80)
        content = json.dumps(body).encode()
        self._request = (
            b"POST %s/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (parts.path.encode(), len(content), content)
        )
        self._socket: socket.socket | None = None

    async def ask(self) -> bytes:
        """One exchange; the reply as it came."""
        loop = asyncio.get_running_loop()
        if self._socket is None:
            self._socket = socket.create_connection(self._place)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_sendall(self._socket, self._request)
        reply = b""
        while not reply.endswith(b"\r\n0\r\n\r\n"):
            reply += await loop.sock_recv(self._socket, 65_536)
        return reply

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()


async def per_completion(requests: int, pace: float = 0.0) -> dict[str, float]:
    """CPU and wall milliseconds of a streamed completion: ours, the library's, a bare socket's, in turns."""
    async with server_process(pace) as url:
        client = Client(EndpointSettings(base_url=url, model="qwen3-coder", kind="vllm"), Ledger())
        bare = httpx2.AsyncClient(trust_env=False)
        prompt = fim.prompt(REQUEST)
        options = {"include_usage": True}
        body: dict[str, object] = {"model": "m", "prompt": prompt, "stream": True, "stream_options": options}
        raw = RawSocket(url, body)

        async def ours() -> object:
            return [piece async for piece in client.complete(REQUEST)]

        async def direct() -> object:
            async with bare.stream("POST", f"{url}/completions", json=body) as response:
                return [line async for line in response.aiter_lines()]

        sides: dict[str, Ask] = {"ours": ours, "library": direct, "socket": raw.ask}
        for ask in sides.values():
            await cost_of(ask, 20)
        rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(5):
            for name, ask in sides.items():
                rounds[name].append(await cost_of(ask, max(1, requests // 5)))
        await client.aclose()
        await bare.aclose()
        raw.close()
    figures: dict[str, float] = {}
    for name, costs in rounds.items():
        figures[f"{name}_cpu_ms"] = statistics.median(cpu for cpu, _ in costs)
        figures[f"{name}_p50_ms"] = statistics.median(wall for _, wall in costs)
    figures["ours_to_library"] = figures["ours_cpu_ms"] / figures["library_cpu_ms"]
    figures["ours_to_socket"] = figures["ours_cpu_ms"] / figures["socket_cpu_ms"]
    return {f"{name}_paced" if pace else name: figure for name, figure in figures.items()}


async def cancel_delays(times: int) -> dict[str, float]:
    """Milliseconds from `task.cancel()` until the server sees the connection close."""
    delays: list[float] = []
    async with ScriptedEndpoint() as server:
        settings = EndpointSettings(base_url=server.base_url, model=server.model, kind="vllm")
        client = Client(settings, Ledger(), first_token_timeout=30)
        for count in range(1, times + 1):
            server.reply(chunks=["a", "b"], hang_after=1)
            begun = asyncio.Event()

            async def ask(begun: asyncio.Event = begun) -> None:
                async for _ in client.complete(REQUEST):
                    begun.set()

            task = asyncio.create_task(ask())
            await begun.wait()
            started = time.perf_counter()
            task.cancel()
            await server.wait_early_closes(count)
            delays.append((time.perf_counter() - started) * 1_000)
            await asyncio.gather(task, return_exceptions=True)
        await client.aclose()
    delays.sort()
    return {"cancel_p50_ms": statistics.median(delays), "cancel_max_ms": delays[-1]}


def loading() -> dict[str, float]:
    """CPU of loading the tokenizer, and its speed."""
    started = time.process_time()
    tokens.preload()
    loaded = time.process_time() - started
    text = BEFORE * 200
    started = time.process_time()
    tokens.count(text)
    return {
        "tokenizer_load_cpu_ms": loaded * 1_000,
        "tokenizer_mb_per_cpu_s": len(text) / 1e6 / (time.process_time() - started),
    }


async def memory(rounds: tuple[int, ...] = (1_000, 10_000)) -> dict[str, float]:
    """Memory after 1,000 completions and after 10,000 more: a sixth is left early, a sixth cancelled.

    `rss_mb` is the process's, `python_kb` what the Python allocator holds, counted in a second run.
    """
    figures: dict[str, float] = {}
    async with server_process() as url:
        for traced in (False, True):
            client = Client(EndpointSettings(base_url=url, model="qwen3-coder", kind="vllm"), Ledger())
            if traced:
                tracemalloc.start()
            done = 0
            for count in rounds:
                for i in range(count):
                    await _used(client, i % 6)
                done += count
                gc.collect()
                name, size = "rss_mb", _rss()
                if traced:
                    name, size = "python_kb", tracemalloc.get_traced_memory()[0] / 1_024
                figures[f"{name}_after_{done}"] = size
            await client.aclose()
            tracemalloc.stop()
    return figures


async def _used(client: Client, way: int) -> None:
    """One completion: left after its first piece, cancelled while it runs, or read to its end."""
    if way == 0:
        async with contextlib.aclosing(client.complete(REQUEST)) as pieces:
            async for _ in pieces:
                return
    elif way == 1:

        async def ask() -> None:
            async for _ in client.complete(REQUEST):
                pass

        task = asyncio.create_task(ask())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    else:
        async for _ in client.complete(REQUEST):
            pass


def _rss() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4_096 / 1_048_576


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--memory", action="store_true")
    args = parser.parse_args()
    requests: int = args.requests
    if args.memory:
        figures = asyncio.run(memory())
    else:
        figures = loading() | asyncio.run(per_completion(requests))
        figures |= asyncio.run(per_completion(requests // 2, PACE)) | asyncio.run(cancel_delays(50))
    sys.stdout.write(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()

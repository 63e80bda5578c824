"""What a completion through our client costs beside a bare HTTP call, and how fast a cancel arrives.

    python -m bench.endpoint [--requests N]

Both sides ask the same scripted server, in turns, in one run; the server is a process of its own, so that
only the client's CPU is counted. The ratio is the figure: times depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx2

from qwen_lsp.model import fim, tokens
from qwen_lsp.model.endpoint import Client
from qwen_lsp.model.ledger import Ledger
from qwen_lsp.model.messages import FimRequest
from qwen_lsp.settings import EndpointSettings
from tests.support.endpoint import ScriptedEndpoint

BEFORE = (
    "".join(f"def function_{i}(a, b):\n    return a * {i} + b\n\n\n" for i in range(60))
    + "def last(a, b):\n    "
)
REQUEST = FimRequest("bench.py", BEFORE, "\n\n\nprint(last(1, 2))\n", max_tokens=64)


@contextlib.asynccontextmanager
async def server_process() -> AsyncGenerator[str]:
    """The scripted endpoint in another process; its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.endpoint", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    try:
        yield line.split()[0].removeprefix("OPENAI_BASE_URL=")
    finally:
        process.terminate()
        await process.wait()


async def cpu_of(ask: Callable[[], Awaitable[object]], times: int) -> float:
    """CPU milliseconds of this process for one request."""
    started = time.process_time()
    for _ in range(times):
        await ask()
    return (time.process_time() - started) * 1_000 / times


async def per_completion(requests: int) -> dict[str, float]:
    """CPU of a streamed completion, ours and bare, in turns."""
    async with server_process() as url:
        client = Client(EndpointSettings(base_url=url, model="qwen3-coder", kind="vllm"), Ledger())
        bare = httpx2.AsyncClient(trust_env=False)
        body = {"model": "m", "prompt": fim.prompt(REQUEST), "max_tokens": 64, "stream": True}

        async def ours() -> object:
            return [piece async for piece in client.complete(REQUEST)]

        async def direct() -> object:
            async with bare.stream("POST", f"{url}/completions", json=body) as response:
                return [line async for line in response.aiter_lines()]

        await cpu_of(ours, 20)
        await cpu_of(direct, 20)
        rounds = [(await cpu_of(ours, requests // 5), await cpu_of(direct, requests // 5)) for _ in range(5)]
        await client.aclose()
        await bare.aclose()
    mine, raw = (statistics.median(side) for side in zip(*rounds, strict=True))
    return {"ours_cpu_ms": mine, "direct_cpu_ms": raw, "ratio": mine / raw}


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


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    args = parser.parse_args()
    requests: int = args.requests
    figures = loading() | asyncio.run(per_completion(requests)) | asyncio.run(cancel_delays(50))
    sys.stdout.write(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()

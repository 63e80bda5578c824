"""An inline completion beside its floors, in one run: a bare pygls server that echoes, and one that makes a
single direct HTTP call.

    python -m bench.complete [--requests N] [--only latency|known|cancel|burst|prompt|memory]

All sides are processes of their own and talk to the same stub of a model server. One request is one
character typed (didChange) and one `textDocument/inlineCompletion`, the next once it is answered. CPU is
that of all threads of the server's process. Ratios are of figures of the same run, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

from bench.server import rss
from bench.stub import TEXT, counts, stub
from bench.typist import CHARACTERS, ECHO, LONG, SHORT, Typist, direct, environ, opened, typed
from qwen_lsp.model import tokens
from tests.support.editor import SERVE, Json
from tests.support.endpoint import Reply, ScriptedEndpoint

ROUNDS = 5


def row(name: str, times: Sequence[float], cpu_each: float) -> str:
    ordered = sorted(times)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    return f"{name:<44} p50 {p50 * 1e3:7.2f}  p99 {p99 * 1e3:7.2f} ms   CPU {cpu_each * 1e3:6.2f} ms"


async def latency(root: Path, requests: int) -> None:
    """Round trip and CPU, in a short and in a long file."""
    async with stub() as port:
        sides = {
            "echo": (ECHO, SHORT),
            "direct": (direct(port), SHORT),
            "ours": (SERVE, SHORT),
            "ours, long": (SERVE, LONG),
            "echo, long": (ECHO, LONG),
        }
        rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        every: dict[str, list[float]] = {name: [] for name in sides}
        typists: dict[str, Typist] = {}
        async with AsyncExitStack() as stack:
            for name, (program, lines) in sides.items():
                typists[name] = await stack.enter_async_context(opened(program, root, lines, environ(port)))
                await typed(typists[name], 30)
            for _ in range(ROUNDS):
                for name, typist in typists.items():
                    times, each = await typed(typist, requests // ROUNDS)
                    rounds[name].append((statistics.median(times), each))
                    every[name] += times
    middle = {
        name: (statistics.median(p for p, _ in each), statistics.median(c for _, c in each))
        for name, each in rounds.items()
    }
    for name in sides:
        print(row(name, every[name], middle[name][1]))

    def ratio(what: str, index: int, above: str, below: str) -> None:
        print(f"{what:<60} {middle[above][index] / middle[below][index]:5.2f}x")

    ratio("round trip, against bare pygls and one HTTP call", 0, "ours", "direct")
    ratio("CPU, against a bare pygls echo", 1, "ours", "echo")
    ratio("10,000 lines against 400, round trip", 0, "ours, long", "ours")
    ratio("10,000 lines against 400, CPU", 1, "ours, long", "ours")
    ratio("the echo, 10,000 lines against 400, CPU", 1, "echo, long", "echo")


async def known(root: Path, requests: int) -> None:
    """An answer from the cache beside the echo, and that it costs no request."""
    async with stub() as port, AsyncExitStack() as stack:
        echo = await stack.enter_async_context(opened(ECHO, root, SHORT, environ(port)))
        ours = await stack.enter_async_context(opened(SERVE, root, SHORT, environ(port)))
        await ours.ask()
        before = (await counts(port))["asked"]
        times: dict[str, list[list[float]]] = {"echo": [], "ours": []}
        for _ in range(ROUNDS):
            for name, typist in (("echo", echo), ("ours", ours)):
                # Type a character of the answer, ask, take it back, ask: all of it is known.
                taken: list[float] = []
                for n in range(requests // ROUNDS):
                    began = time.perf_counter()
                    if n % 2:
                        typist.back()
                    else:
                        typist.key(TEXT[0])
                    assert await typist.ask()
                    taken.append(time.perf_counter() - began)
                times[name].append(taken)
        asked = (await counts(port))["asked"] - before
    middle = {name: statistics.median(statistics.median(r) for r in each) for name, each in times.items()}
    for name, each in times.items():
        print(row(f"known answer, {name}", [t for r in each for t in r], 0.0))
    print(f"{'known answer, p50, against a bare pygls echo':<60} {middle['ours'] / middle['echo']:5.2f}x")
    print(f"{'requests to the endpoint meanwhile':<60} {asked:5.0f}")


async def cancel(root: Path, requests: int) -> None:
    """From `$/cancelRequest` to the reply, and to the endpoint seeing the connection close."""
    replies: list[float] = []
    closes: list[float] = []
    async with stub(latency_ms=3_000) as port, opened(SERVE, root, SHORT, environ(port)) as typist:
        for n in range(max(5, requests // 20)):
            typist.key(CHARACTERS[n % 20])
            asked = (await counts(port))["asked"]
            msg_id, reply = typist.editor.ask("textDocument/inlineCompletion", typist.params(1))
            await seen(port, lambda c, asked=asked: c["asked"] > asked)
            began, wall = time.perf_counter(), time.time()
            typist.editor.notify("$/cancelRequest", {"id": msg_id})
            await reply
            replies.append(time.perf_counter() - began)
            closed = await seen(port, lambda c, wall=wall: c["closed_at"] >= wall)
            closes.append(closed["closed_at"] - wall)
    for name, each in (("reply", replies), ("the endpoint sees the close", closes)):
        p50, worst = statistics.median(each) * 1e3, max(each) * 1e3
        print(f"{'cancel to ' + name:<44} p50 {p50:6.1f}  max {worst:6.1f} ms")


async def seen(port: int, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """What the stub has seen once this holds."""
    while not holds(found := await counts(port)):  # noqa: ASYNC110 - the stub is another process
        await asyncio.sleep(0.002)
    return found


async def burst(root: Path, requests: int) -> None:
    """Twenty keys thirty milliseconds apart at an endpoint that takes a hundred.

    Twice: what is typed is what the model says, and it never is.
    """
    del requests
    for name, text, keys in (
        # The stub says what follows the first key.
        ("as suggested", "alue_of_the_item_at_the_place(item, 1)", "value_of_the_item_at"),
        ("something else", "~", "abcdefghijklmnopqrst"),
    ):
        upstream: list[float] = []
        last: list[float] = []
        async with (
            stub(latency_ms=100, text=text) as port,
            opened(SERVE, root, SHORT, environ(port)) as typist,
        ):
            for _ in range(8):
                await asyncio.sleep(1)
                typist.next_place()
                before = (await counts(port))["asked"]
                waiting: list[asyncio.Future[Json]] = []
                begun = pressed = time.perf_counter()
                for n, character in enumerate(keys):
                    await asyncio.sleep(max(0, begun + 0.03 * n - time.perf_counter()))
                    typist.key(character)
                    pressed = time.perf_counter()
                    waiting.append(typist.editor.ask("textDocument/inlineCompletion", typist.params())[1])
                await waiting[-1]
                last.append(time.perf_counter() - pressed)
                upstream.append((await counts(port))["asked"] - before)
        asked, took = statistics.median(upstream), statistics.median(last) * 1e3
        print(f"{'20 keys 30 ms apart, ' + name:<44} {asked:.0f} requests (most {max(upstream):.0f})")
        print(f"{'    last answer after the last key':<44} p50 {took:.0f} ms, least {min(last) * 1e3:.0f} ms")


async def memory(root: Path, requests: int) -> None:
    """Resident memory after a thousand completions and after ten thousand more."""
    del requests
    async with stub() as port, opened(SERVE, root, SHORT, environ(port)) as typist:
        assert typist.editor.process is not None
        pid = typist.editor.process.pid
        await typed(typist, 1_000)
        first = rss(pid)
        for n in range(10):
            await typed(typist, 1_000)
            typist.editor.messages.clear()
            if n % 3 == 2:
                typist.next_place()
        print(
            f"{'RSS after 1,000 completions, and 10,000 more':<44} {first:.1f} MB, {rss(pid) - first:+.1f} MB"
        )


async def prompt(root: Path, requests: int) -> None:
    """How much of a prompt is unchanged from its beginning, from key to key on one line."""
    del requests
    async with ScriptedEndpoint(kind="vllm", responder=lambda _: Reply(TEXT)) as server:
        url = {**environ(0), "OPENAI_BASE_URL": server.base_url, "OPENAI_MODEL": server.model}
        async with opened(SERVE, root, SHORT, url) as typist:
            for character in "result = compute(first)":
                typist.key(character)
                await typist.ask()
        sent = [tokens.encode(request.prompt, allow_special=True) for request in server.requests]
    shares = [
        next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old)) / len(new)
        for old, new in pairwise(sent)
    ]
    least, middle = min(shares), statistics.median(shares)
    print(f"{'prompt unchanged between keys, share of its tokens':<60} {middle:.3f}, least {least:.3f}")


PARTS = {
    "latency": latency,
    "known": known,
    "cancel": cancel,
    "burst": burst,
    "prompt": prompt,
    "memory": memory,
}


async def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--only", choices=PARTS)
    args = parser.parse_args()
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
    with tempfile.TemporaryDirectory() as folder:
        for name, part in PARTS.items():
            if args.only in (None, name):
                await part(Path(folder), args.requests)


if __name__ == "__main__":
    asyncio.run(main())

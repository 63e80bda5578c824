"""What the server costs beside a bare pygls server, in one run: start-up, a keystroke, memory.

    python bench/server.py [WORKSPACE]

Start-up is CPU time of the process from spawn to the `initialize` reply. A keystroke is one character
typed in a file of 5,000 lines: didChange, then a request that reads facts of the new text. The bare
server keeps the text with pygls and echoes. Ratios are of medians in the same run.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.editor import SERVE, Editor, replace, spawned

BARE = """
from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "1")

@server.command("qwen.status")
async def status(*arguments: object) -> dict[str, int]:
    return {}

server.start_io()
"""
STARTS = 9
KEYS = 400
FUNCTION = '''def function_{n}(first: int, second: str) -> str:
    """Say something about {n}."""
    total = first * {n}
    if total > 100:
        return second.upper()
    for i in range(total):
        second += str(i)
    return second + str(total)


'''


def cpu(pid: int) -> float:
    """CPU seconds of all threads of a process so far."""
    total = 0.0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0]) / 1e9
    return total


def rss(pid: int) -> float:
    """Resident megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def start(program: str) -> float:
    async with spawned((sys.executable, "-c", program)) as editor:
        assert editor.process is not None
        await editor.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        return cpu(editor.process.pid)


async def type_keys(editor: Editor, uri: str, text: str) -> list[float]:
    """Seconds from each keystroke until an answer from the facts of the new text."""
    line = text.count("\n") // 2
    line += next(i for i, t in enumerate(text.splitlines()[line:]) if t.startswith("    total"))
    editor.open(uri, text)
    times: list[float] = []
    for i in range(KEYS):
        begin = time.perf_counter()
        editor.change(uri, i + 2, replace((line, 9 + i), (line, 9 + i), "x"))
        await editor.command("qwen.status", {"uri": uri})
        times.append(time.perf_counter() - begin)
    return times[10:]


def row(name: str, times: list[float]) -> str:
    ordered = sorted(times)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"{name:<34} p50 {p50 * 1000:7.2f} ms   p99 {p99 * 1000:7.2f} ms"


async def measure_keys(program: str, root: Path) -> tuple[list[float], float]:
    text = "".join(FUNCTION.format(n=n) for n in range(500))
    uri = (root / "typed.py").as_uri()
    async with spawned((sys.executable, "-c", program)) as editor:
        assert editor.process is not None
        await editor.initialize(root)
        times = await type_keys(editor, uri, text)
        return times, rss(editor.process.pid)


async def measure_workspace(root: Path) -> None:
    async with spawned() as editor:
        assert editor.process is not None
        begin = time.perf_counter()
        await editor.initialize(root)
        ready = time.perf_counter() - begin
        worst = 0.0
        while True:
            asked = time.perf_counter()
            status = await editor.command("qwen.status")
            worst = max(worst, time.perf_counter() - asked)
            index = status["folders"][0]["index"]
            if index["complete"]:
                break
            await asyncio.sleep(0.02)  # the machine is the indexer's
        seconds = time.perf_counter() - begin
        megabytes = rss(editor.process.pid)
        print(
            f"{'workspace open and indexed':<34} {megabytes:.0f} MB, {index['files']} files, {seconds:.1f} s"
        )
        print(f"{'spawned to first answer':<34} {ready * 1000:.0f} ms")
        print(f"{'longest answer while indexing':<34} {worst * 1000:.0f} ms")


async def main(workspace: Path) -> None:
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
    bare: list[float] = []
    ours: list[float] = []
    for _ in range(STARTS):
        bare.append(await start(BARE))
        ours.append(await start(SERVE))
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"{'start-up, bare pygls':<34} {statistics.median(bare):.3f} s CPU")
    print(f"{'start-up, qwen-lsp':<34} {statistics.median(ours):.3f} s CPU   {ratio:.2f}x")
    with tempfile.TemporaryDirectory() as folder:
        for name, program in (("keystroke, bare pygls", BARE), ("keystroke, qwen-lsp", SERVE)):
            times, _ = await measure_keys(program, Path(folder))
            print(row(name, times))
    await measure_workspace(workspace)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))

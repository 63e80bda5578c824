"""What `qwen-lsp mcp` costs to start beside a bare server of the protocol's library, in one run.

    python -m bench.mcp [WORKSPACE]

CPU time of the process and its children, from its start to the moment that the client has read: the answer to
`initialize`, the list of tools, and the result of a first call (`find_symbol` here, `echo` there). The bare
server has one tool and no index. The two take turns; medians, and ratios of medians. A loop of plain Python
in the same run says how fast the machine is at the moment: its seconds are those of `spin`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROUNDS = 9
BARE = """
import asyncio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

async def listed(context, params):
    return ListToolsResult(tools=[Tool(name="echo", description="Echo.", input_schema={"type": "object"})])

async def called(context, params):
    return CallToolResult(content=[TextContent(text=str(params.arguments))])

async def main():
    server = Server("bare", on_list_tools=listed, on_call_tool=called)
    async with stdio_server() as streams:
        await server.run(*streams, server.create_initialization_options())

asyncio.run(main())
"""
HANDSHAKE: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
MOMENTS = ("initialize", "tools/list", "tools/call")


def cpu(pid: int) -> float:
    """CPU seconds of a process so far, and of the children of it that have ended or not."""
    total = 0.0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0]) / 1e9
        for child in (thread / "children").read_text().split():
            try:
                total += cpu(int(child))
            except OSError:
                continue
    return total


def spin() -> float:
    """CPU seconds of a fixed amount of plain work."""
    began = time.process_time()
    total = 0
    for number in range(2_000_000):
        total += number * number % 7
    return time.process_time() - began


class Started:
    """One server and what it has cost by each moment."""

    def __init__(self, command: list[str], folder: Path, tool: str, arguments: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.cost: dict[str, float] = {}
        self.wall: dict[str, float] = {}
        began = time.perf_counter()
        asked: dict[str, dict[str, Any]] = {
            "initialize": HANDSHAKE, "tools/list": {}, "tools/call": {"name": tool, "arguments": arguments},
        }  # fmt: skip
        for number, (method, parameters) in enumerate(asked.items()):
            self._send({"id": number, "method": method, "params": parameters})
            self._until(number)
            self.cost[method] = cpu(self.process.pid)
            self.wall[method] = time.perf_counter() - began
            if number == 0:
                self._send({"method": "notifications/initialized"})

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def _until(self, number: int) -> None:
        assert self.process.stdout is not None
        while json.loads(self.process.stdout.readline()).get("id") != number:
            continue

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def own_folders() -> Generator[None]:
    """Caches of a run's own, so that each measure knows what is cached."""
    with tempfile.TemporaryDirectory() as home:
        for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            os.environ[name] = home
        yield


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    ours = [sys.executable, "-m", "qwen_lsp", "mcp"]
    bare = [sys.executable, "-c", BARE]
    with own_folders():
        Started(
            ours, folder, "find_symbol", {"name": "main"}
        ).stop()  # from here on the index is there, as on every day but the first
        runs: dict[str, list[Started]] = {"bare": [], "ours": []}
        spins: list[float] = []
        for _ in range(ROUNDS):
            spins.append(spin())
            runs["bare"].append(Started(bare, folder, "echo", {}))
            runs["bare"][-1].stop()
            runs["ours"].append(Started(ours, folder, "find_symbol", {"name": "main"}))
            runs["ours"][-1].stop()
    print(
        f"{ROUNDS} rounds; spin {statistics.median(spins):.3f} s; CPU seconds, medians; wall seconds of ours"
    )
    for moment in MOMENTS:
        floor, cost = (statistics.median(run.cost[moment] for run in runs[name]) for name in ("bare", "ours"))
        wall = statistics.median(run.wall[moment] for run in runs["ours"])
        print(f"{moment:12} bare {floor:.3f}  ours {cost:.3f}  ratio {cost / floor:.2f}  wall {wall:.2f}")


if __name__ == "__main__":
    main()

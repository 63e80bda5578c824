"""What `qwen-lsp mcp` and `qwen-lsp acp` cost to start, each beside a bare server of its library, in one run.

    python -m bench.starts [WORKSPACE]

CPU time of the process and its children, from its start to the moment that the client has read the answer to
each of its first requests. The bare servers have one tool or an empty session, and no index. They take turns;
medians, and ratios of medians. A loop of plain Python in the same run says how fast the machine is at the
moment: its seconds are those of `spin`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 9
BARE_MCP = """
import asyncio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

async def listed(context, params):
    tool = Tool(name="find_symbol", description="Echo.", input_schema={"type": "object"})
    return ListToolsResult(tools=[tool])

async def called(context, params):
    return CallToolResult(content=[TextContent(text=str(params.arguments))])

async def main():
    server = Server("bare", on_list_tools=listed, on_call_tool=called)
    async with stdio_server() as streams:
        await server.run(*streams, server.create_initialization_options())

asyncio.run(main())
"""
BARE_ACP = """
import asyncio
from acp import Agent, InitializeResponse, NewSessionResponse, run_agent

class Bare(Agent):
    async def initialize(self, protocol_version, **more):
        return InitializeResponse(protocol_version=protocol_version)

    async def new_session(self, cwd, **more):
        return NewSessionResponse(session_id="bare")

asyncio.run(run_agent(Bare()))
"""


@dataclass(frozen=True)
class Protocol:
    """What its client asks first, and the program of a bare server."""

    name: str
    bare: str
    first: Callable[[Path], Mapping[str, Mapping[str, Any]]]
    """The requests for a workspace, by method."""
    then: str | None = None
    """A notification after the first of them."""


def _mcp(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    who = {"protocolVersion": "2025-06-18", "clientInfo": {"name": "bench", "version": "1"}}
    return {
        "initialize": {**who, "capabilities": {}},
        "tools/list": {},
        "tools/call": {"name": "find_symbol", "arguments": {"name": "main"}},
    }


def _acp(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    return {
        "initialize": {"protocolVersion": 1, "clientCapabilities": {}},
        "session/new": {"cwd": str(folder), "mcpServers": []},
    }


PROTOCOLS = (
    Protocol("mcp", BARE_MCP, _mcp, "notifications/initialized"),
    Protocol("acp", BARE_ACP, _acp),
)


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

    def __init__(self, command: list[str], protocol: Protocol, folder: Path) -> None:
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.cost: dict[str, float] = {}
        self.wall: dict[str, float] = {}
        began = time.perf_counter()
        for number, (method, parameters) in enumerate(protocol.first(folder).items()):
            self._send({"id": number, "method": method, "params": parameters})
            self._until(number)
            self.cost[method] = cpu(self.process.pid)
            self.wall[method] = time.perf_counter() - began
            if number == 0 and protocol.then:
                self._send({"method": protocol.then})

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def _until(self, number: int) -> None:
        assert self.process.stdout is not None
        while "method" in (said := json.loads(self.process.stdout.readline())) or said["id"] != number:
            continue
        assert "result" in said, said

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


def compare(protocol: Protocol, folder: Path) -> None:
    """Start ours and the bare one in turns, and print what each had cost by each answer."""
    commands = {
        "bare": [sys.executable, "-c", protocol.bare],
        "ours": [sys.executable, "-m", "qwen_lsp", protocol.name],
    }
    runs: dict[str, list[Started]] = {name: [] for name in commands}
    spins: list[float] = []
    for _ in range(ROUNDS):
        spins.append(spin())
        for name, command in commands.items():
            runs[name].append(Started(command, protocol, folder))
            runs[name][-1].stop()
    print(f"{protocol.name}: spin {statistics.median(spins):.3f} s")
    for moment in protocol.first(folder):
        floor, cost = (statistics.median(run.cost[moment] for run in runs[name]) for name in ("bare", "ours"))
        wall = statistics.median(run.wall[moment] for run in runs["ours"])
        print(f"{moment:12} bare {floor:.3f}  ours {cost:.3f}  ratio {cost / floor:.2f}  wall {wall:.2f}")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    with own_folders():
        # From here on the index is there, as on every day but the first.
        Started([sys.executable, "-m", "qwen_lsp", "mcp"], PROTOCOLS[0], folder).stop()
        print(f"{ROUNDS} rounds; CPU seconds, medians; wall seconds of ours")
        for protocol in PROTOCOLS:
            compare(protocol, folder)


if __name__ == "__main__":
    main()

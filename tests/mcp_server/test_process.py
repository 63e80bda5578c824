"""The server as a process: what it writes where, how calls end, and how it ends itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.cli import main
from tests.mcp_server.conftest import started
from tests.mcp_server.test_lobby import INITIALIZED, Json, handshake
from tests.support.endpoint import ScriptedEndpoint

pytestmark = pytest.mark.slow

NOISY = """
import os, sys
from qwen_lsp.cli import main
from qwen_lsp.mcp_server import lobby
take = lobby.Lobby.take
def noisy(self, line):
    print("a stray print")
    os.write(1, b"a stray write\\n")
    os.system("echo a stray child; cat")
    return take(self, line)
lobby.Lobby.take = noisy
sys.exit(main(["mcp"]))
"""


class Raw:
    """A client that sees every byte."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._in, self._out = process, process.stdin, process.stdout

    def send(self, message: Json) -> None:
        self._in.write(json.dumps(message).encode() + b"\n")

    async def line(self) -> Json:
        return json.loads(await self._out.readline())

    def call(self, number: int, tool: str, **arguments: Any) -> None:
        parameters = {"name": tool, "arguments": arguments}
        self.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": parameters})

    async def closed(self) -> tuple[int, bytes]:
        """Close its input; its exit status, and what it wrote after what was read."""
        self._in.close()
        rest = await self.rest()
        return await self.process.wait(), rest

    async def rest(self) -> bytes:
        """What comes until its output ends."""
        return await self._out.read()


@asynccontextmanager
async def raw(*command: str, cwd: Path, **environment: str) -> AsyncGenerator[Raw]:
    process = await asyncio.create_subprocess_exec(
        *(command or (sys.executable, "-m", "qwen_lsp", "mcp")), cwd=cwd,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, **environment}, limit=2**24,
    )  # fmt: skip
    try:
        yield Raw(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_standard_output_is_the_protocols_alone_and_the_end_of_the_input_is_the_end(
    project: Path,
) -> None:
    async with raw(sys.executable, "-c", NOISY, cwd=project) as client:
        client.send(handshake())
        assert (await client.line())["result"]["serverInfo"]["name"] == "qwen-lsp"
        client.send(INITIALIZED)
        client.call(1, "find_symbol", name="gross")
        client.send({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
        answers = [await client.line(), await client.line()]
        assert sorted(answer["id"] for answer in answers) == [1, 2]
        client.call(3, "outline", file_path="shop/cart.py")
        assert "class Cart" in (await client.line())["result"]["content"][0]["text"]
        assert await client.closed() == (0, b"")


async def test_the_lists_are_answered_while_the_rest_is_still_on_its_way(project: Path) -> None:
    async with raw(cwd=project) as client:
        client.send(handshake())
        client.call(1, "find_symbol", name="gross")
        client.send({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
        assert [(await client.line())["id"] for _ in range(3)] == [0, 2, 1]


async def test_a_client_that_goes_at_once_leaves_nothing_behind(project: Path) -> None:
    async with raw(cwd=project) as client:
        assert await client.closed() == (0, b"")
    async with raw(cwd=project) as client:
        client.send(handshake())
        await client.line()
        assert await client.closed() == (0, b"")


async def test_input_may_be_a_file(project: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    asked.write_text(f"{json.dumps(handshake())}\nno JSON\n", encoding="utf-8")
    with asked.open("rb") as source:
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "qwen_lsp", "mcp"], cwd=project, stdin=source,
            capture_output=True, check=True,
        )  # fmt: skip
    assert json.loads(done.stdout)["id"] == 0


async def test_a_signal_to_end_is_obeyed(project: Path) -> None:
    async with raw(cwd=project) as client:
        client.send(handshake())
        await client.line()
        client.send(INITIALIZED)
        client.call(1, "find_symbol", name="gross")
        await client.line()
        client.process.send_signal(signal.SIGTERM)
        assert await client.process.wait() == 0


@pytest.mark.skipif(os.name == "nt", reason="no parent to look at")
async def test_it_ends_with_its_client_also_where_another_process_holds_its_input(project: Path) -> None:
    # The shell is the client: it starts the server, says which process that is, and is killed.
    script = f"exec 3<&0; {sys.executable} -m qwen_lsp mcp <&3 & echo $! >&2; wait"
    shell = await asyncio.create_subprocess_exec(
        "sh", "-c", script, cwd=project,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert shell.stderr is not None
    client, server = Raw(shell), int(await shell.stderr.readline())
    client.send(handshake())
    assert (await client.line())["id"] == 0
    shell.kill()
    try:
        async with asyncio.timeout(60):
            assert await client.rest() == b"", "its output ends when it does"
    except TimeoutError:
        os.kill(server, signal.SIGKILL)
        raise
    finally:
        await client.closed()
        await shell.stderr.read()


async def test_cancelling_ends_at_the_socket_and_the_next_call_is_answered(project: Path) -> None:
    async with (
        ScriptedEndpoint(kind="vllm") as endpoint,
        raw(cwd=project, OPENAI_BASE_URL=endpoint.base_url, OPENAI_MODEL=endpoint.model) as client,
    ):
        endpoint.reply("It counts cents, slowly.", hang_after=2)
        client.send(handshake())
        await client.line()
        client.send(INITIALIZED)
        client.call(1, "explain_file", file_path="shop/prices.py")
        await endpoint.wait_for(lambda: any("chat" in request.path for request in endpoint.requests))
        cancelled = {"requestId": 1, "reason": "the person pressed Esc"}
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled})
        await endpoint.wait_early_closes()
        client.call(2, "find_symbol", name="gross")
        assert (await client.line())["id"] == 2


async def test_the_protocols_own_client_is_served_over_standard_input_and_output(project: Path) -> None:
    async with started(str(project), cwd=project.parent) as tools:
        assert "apply_edits" in [tool.name for tool in (await tools.client.list_tools()).tools]
        assert "shop/prices.py" in await tools.call("find_symbol", name="gross")
        assert await tools.map() == await tools.call("repo_map")


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        assert name == "mcp"

    monkeypatch.setattr("importlib.util.find_spec", missing)
    assert main(["mcp"]) == 1
    assert "pip install 'qwen-lsp[mcp]'" in capsys.readouterr().err


def test_a_home_is_refused_before_anything_starts(
    own_user_folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mcp", str(own_user_folders)]) == 1
    assert "is your home folder" in capsys.readouterr().err

"""The command as an editor starts it: real pipes, a client that goes, messages that are none."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.runs.stored import resumable
from tests.acp_server.desk import TIME, desk, spawned
from tests.support.agent import BEFORE, CALLS, NEW_CART, NEW_PRICES, RENAME
from tests.support.endpoint import ScriptedEndpoint

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "qwen_lsp", "acp"]


async def test_a_whole_turn_over_pipes(root: Path, model: ScriptedEndpoint) -> None:
    async with spawned(root) as at:
        at.open("cart.py")
        model.reply("I rename it.", tool_calls=CALLS)
        model.reply("Renamed it.")
        at.answers("apply")

        reply = await at.prompt("Rename net.")

        assert reply.stop_reason == "end_turn"
        assert (at.text("prices.py"), at.text("cart.py")) == (NEW_PRICES, NEW_CART)
        await at.prompt("/undo")
        assert {path: at.text(path) for path in BEFORE} == BEFORE


class Raw:
    """A client that writes what it likes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        assert process.stdin is not None and process.stdout is not None
        self.stdin, self.stdout = process.stdin, process.stdout

    def send(self, line: str) -> None:
        self.stdin.write(f"{line}\n".encode())

    def call(self, id: int, method: str, params: Any) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))

    async def answer(self, id: int) -> dict[str, Any]:
        """The reply to a request; every line on the way is a message of the protocol."""
        async with asyncio.timeout(TIME):
            while True:
                message = json.loads(await self.stdout.readline())
                assert message["jsonrpc"] == "2.0"
                if message.get("id") == id and "method" not in message:
                    return message


async def started(root: Path) -> Raw:
    return Raw(
        await asyncio.create_subprocess_exec(
            *COMMAND,
            cwd=root,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    )


async def ended(raw: Raw) -> int:
    async with asyncio.timeout(TIME):
        return await raw.process.wait()


async def test_messages_that_are_none_do_no_harm(root: Path, model: ScriptedEndpoint) -> None:
    raw = await started(root)
    for line in ("no json", "[]", '"text"', "{}", '{"jsonrpc": "2.0", "method": 3}', '{"id": []}'):
        raw.send(line)
    raw.call(1, "initialize", {"protocolVersion": 99})
    assert (await raw.answer(1))["result"]["protocolVersion"] == 1
    raw.call(2, "no/such", {})
    assert (await raw.answer(2))["error"]["code"] == -32601
    raw.call(3, "_vendor/thing", {})
    assert (await raw.answer(3))["error"]["code"] == -32601
    raw.call(4, "session/prompt", {"sessionId": 3, "prompt": "text"})
    assert (await raw.answer(4))["error"]["code"] == -32602
    raw.call(5, "session/new", {"cwd": str(root), "mcpServers": []})
    session = (await raw.answer(5))["result"]["sessionId"]
    raw.call(6, "session/prompt", {"sessionId": session, "prompt": []})
    assert "no text" in (await raw.answer(6))["error"]["message"]
    raw.call(7, "session/prompt", {"sessionId": session, "prompt": [{"type": "hologram"}]})
    assert (await raw.answer(7))["error"]["code"] == -32602
    raw.send(json.dumps({"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": "none"}}))
    raw.call(8, "session/fork", {"sessionId": session, "cwd": str(root), "mcpServers": []})
    assert (await raw.answer(8))["error"]["code"] == -32601
    model.reply("Hello.")
    raw.call(9, "session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": "Hello?"}]})
    assert (await raw.answer(9))["result"]["stopReason"] == "end_turn"
    raw.stdin.close()
    assert await ended(raw) == 0


@pytest.mark.parametrize("how", ["closed", "terminated", "killed"])
async def test_a_client_that_goes_ends_all_and_the_turn_can_be_gone_on_with(
    root: Path, model: ScriptedEndpoint, how: str
) -> None:
    model.reply(tool_calls=[RENAME])
    model.reply("x" * 400, hang_after=20)
    raw = await started(root)
    raw.call(1, "initialize", {"protocolVersion": 1})
    raw.call(2, "session/new", {"cwd": str(root), "mcpServers": []})
    session = (await raw.answer(2))["result"]["sessionId"]
    raw.call(3, "session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": "Rename net."}]})
    async with asyncio.timeout(TIME):
        while len(model.requests) < 2:
            await raw.stdout.readline()

    if how == "closed":
        raw.stdin.close()
    elif how == "terminated":
        raw.process.terminate()
    else:
        raw.process.kill()
    rest = await asyncio.wait_for(raw.stdout.read(), TIME)

    assert (await ended(raw) == 0) is (how != "killed")
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
    await model.wait_early_closes()
    assert [info.run for info in resumable(root)] == [session]
    async with desk(root, begin=False) as at:
        await at.agent.load_session(cwd=str(root), session_id=session)
        model.reply("Done.")
        at.answers("apply")
        await at.prompt("Go on.", session=session)
        assert at.text("prices.py") == NEW_PRICES


def test_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'acp' else find(name, *more)\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        COMMAND, env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'qwen-lsp[acp]'" in done.stderr

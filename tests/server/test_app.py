"""The real process over real pipes: how it begins, how it ends, and what damage it takes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.server.test_wire import DAMAGED
from tests.support.editor import CAPABILITIES, SERVE, TIME, Editor, Json, connected, frame, spawned

pytestmark = pytest.mark.slow

TCP = "from qwen_lsp.server.app import serve_tcp; raise SystemExit(serve_tcp('127.0.0.1', 0))"


async def ended(editor: Editor) -> int:
    assert editor.process is not None
    async with asyncio.timeout(TIME):
        return await editor.process.wait()


async def test_exit_after_shutdown_is_a_success() -> None:
    async with spawned() as editor:
        await editor.initialize()
        await editor.leave()
        assert await ended(editor) == 0


async def test_exit_without_shutdown_is_a_failure() -> None:
    async with spawned() as editor:
        await editor.initialize()
        editor.notify("exit")
        assert await ended(editor) == 1


async def test_exit_before_initialize_ends_too() -> None:
    async with spawned() as editor:
        editor.notify("exit")
        assert await ended(editor) == 1


@pytest.mark.parametrize(("shut_down", "code"), [(False, 1), (True, 0)])
async def test_the_end_of_input_ends_the_server(shut_down: bool, code: int) -> None:
    async with spawned() as editor:
        await editor.initialize()
        if shut_down:
            await editor.request("shutdown")
        assert editor.process is not None
        assert editor.process.stdin is not None
        editor.process.stdin.close()
        assert await ended(editor) == code


async def test_the_server_ends_with_the_editors_process() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    async with spawned() as editor:
        await editor.initialize(processId=parent.pid)
        assert (await editor.command("qwen.status"))["version"]
        parent.kill()
        await parent.wait()
        assert await ended(editor) == 1


async def test_a_client_that_closes_its_ear_ends_the_server() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, stdin=asyncio.subprocess.PIPE, stdout=(pipe := os.pipe())[1],
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(pipe[1])
    os.close(pipe[0])
    assert process.stdin is not None
    process.stdin.write(frame({"jsonrpc": "2.0", "id": 1, "method": "shutdown"}) * 5)
    async with asyncio.timeout(TIME):
        _, log = await process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in log


async def test_input_may_be_a_file(tmp_path: Path) -> None:
    source, sink = tmp_path / "in", tmp_path / "out"
    params: Json = {"processId": None, "rootUri": None, "capabilities": {}}
    source.write_bytes(
        frame({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
        + frame({"jsonrpc": "2.0", "id": 2, "method": "shutdown"})
        + frame({"jsonrpc": "2.0", "method": "exit"})
    )
    with source.open("rb") as stdin, sink.open("wb") as stdout:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVE, stdin=stdin, stdout=stdout
        )
        async with asyncio.timeout(TIME):
            assert await process.wait() == 0
    assert sink.read_bytes().count(b"Content-Length") == 2


async def test_each_tcp_connection_is_a_client_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", TCP, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(TIME):
            port = int((await process.stderr.readline()).rpartition(b":")[2])
        for _ in range(2):
            async with connected("127.0.0.1", port) as editor:
                await editor.initialize()
                await editor.leave()
        async with connected("127.0.0.1", port) as first, connected("127.0.0.1", port) as second:
            await first.initialize()
            await second.initialize(capabilities={"general": {"positionEncodings": ["utf-8"]}})
            assert (await first.command("qwen.status"))["positionEncoding"] == "utf-16"
            assert (await second.command("qwen.status"))["positionEncoding"] == "utf-8"
    finally:
        process.terminate()
        async with asyncio.timeout(TIME):
            assert await process.wait() == 0


async def test_damage_of_every_kind_is_survived_by_one_process() -> None:
    """After each kind a probe is answered, well within three seconds."""
    async with spawned() as editor:
        await editor.initialize()
        for kind, damage in DAMAGED.items():
            editor.raw(damage)
            _, reply = editor.ask("workspace/executeCommand", {"command": "qwen.status"})
            async with asyncio.timeout(3):
                assert "result" in await reply, kind
        await editor.leave()
        assert await ended(editor) == 0


async def test_nothing_heavy_is_imported_before_the_initialize_reply() -> None:
    heavy = ("openai", "tree_sitter", "tiktoken", "mcp", "pydantic", "watchdog", "rich", "sqlite3", "httpx")
    program = (
        "import atexit, json, os, sys\n"
        "from qwen_lsp.server.app import serve_stdio\n"
        f"found = lambda: json.dumps([m for m in {heavy!r} if m in sys.modules])\n"
        "atexit.register(lambda: os.write(2, found().encode()))\n"
        "raise SystemExit(serve_stdio())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    params = {"processId": None, "rootUri": Path.cwd().as_uri(), "capabilities": CAPABILITIES}
    async with asyncio.timeout(TIME):
        out, log = await process.communicate(
            frame({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
            + frame({"jsonrpc": "2.0", "method": "exit"})
        )
    assert b'"capabilities"' in out
    assert json.loads(log) == []

"""The server started once as a client would: whether it answers, after how long, and what it lends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from qwen_lsp.errors import UserError

WAIT = 60.0
"""Seconds: what the clients are told to wait."""

PASSED_ON = (
    "HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER",
    "APPDATA", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PROCESSOR_ARCHITECTURE", "PROGRAMFILES",
    "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "USERNAME", "USERPROFILE",
)  # fmt: skip
"""Variables that any client passes on to a server, however few it does."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How the server began."""

    seconds: float
    tools: tuple[str, ...]


async def tried(command: Sequence[str]) -> Tried:
    """Start the server in an empty folder and ask for its tools. Raises UserError when it does not answer."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="qwen-lsp-", ignore_cleanup_errors=True) as empty:
        environment["XDG_CACHE_HOME"] = empty  # the index of an empty folder is not worth keeping
        try:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=empty, env=environment, limit=1 << 22,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise UserError(f"{command[0]} cannot be started: {error.strerror or error}") from None
        try:
            async with asyncio.timeout(WAIT):
                await _asked(process, 1, "initialize", _HELLO)
                listed = await _asked(process, 2, "tools/list", {})
                seconds = time.monotonic() - began
        except TimeoutError:
            raise UserError(f"{' '.join(command)} does not answer within {WAIT:g} s") from None
        except (EOFError, ValueError, OSError):
            raise UserError(await _last_words(command, process)) from None
        finally:
            await _ended(process)
    tools = cast("list[dict[str, Any]]", listed.get("tools", []))
    return Tried(seconds, tuple(str(tool.get("name")) for tool in tools))


_HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "qwen-lsp setup", "version": "1"},
}


async def _asked(
    process: asyncio.subprocess.Process, number: int, method: str, params: dict[str, Any]
) -> dict[str, Any]:
    assert process.stdin and process.stdout  # noqa: S101 - both are pipes
    messages: list[dict[str, Any]] = [{"jsonrpc": "2.0", "id": number, "method": method, "params": params}]
    if method != "initialize":
        messages.insert(0, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    process.stdin.write("".join(json.dumps(message) + "\n" for message in messages).encode())
    await process.stdin.drain()
    while line := await process.stdout.readline():
        answer = json.loads(line)
        if answer.get("id") == number and "method" not in answer:
            return cast("dict[str, Any]", answer.get("result", {}))
    raise EOFError


async def _last_words(command: Sequence[str], process: asyncio.subprocess.Process) -> str:
    """What the server has said before it ended."""
    said = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            assert process.stderr  # noqa: S101 - a pipe
            said = (await process.stderr.read()).decode("utf-8", "replace").strip()
    last = said.splitlines()[-1].removeprefix("qwen-lsp: ") if said else "it said nothing"
    return f"{' '.join(command)} does not start, so nothing was written: {last}"


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

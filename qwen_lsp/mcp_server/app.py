"""`qwen-lsp mcp` over standard input and output: from the first message to the end of the input.

Kept light: what is heavy is imported in a thread, once the client has its first answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import logging
import os
import signal
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from qwen_lsp.mcp_server.lines import Lines, open_lines
from qwen_lsp.mcp_server.lobby import Lobby
from qwen_lsp.stdio import claim, log_to_stderr

if TYPE_CHECKING:
    from qwen_lsp.mcp_server.rooms import Rooms

log = logging.getLogger(__name__)

_PARENT_CHECK = 2.0
"""Seconds between two looks whether the client's process is there."""


def serve(path: Path | None) -> int:
    """Serve one client; the workspace is `path`, else what the client names, else the current folder."""
    # Above what the library says of each message; what goes wrong in it comes back as an error of the call.
    log_to_stderr("mcp")
    source, sink = claim()
    return asyncio.run(_serve(source, sink, path))


async def _serve(source: int, sink: int, path: Path | None) -> int:
    lines = await open_lines(source, sink)
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lines.end)
    orphaned = asyncio.create_task(_until_orphaned(lines), name="parent")
    try:
        await _converse(lines, path)
    finally:
        orphaned.cancel()
        if await lines.finish():
            os._exit(0)  # a thread waits in a read that nothing can interrupt
    return 0


async def _converse(lines: Lines, path: Path | None) -> None:
    lobby = Lobby()
    first = await lines.read()
    if first is None:
        return
    if (answer := lobby.take(first)) is not None:
        await lines.write(answer)
    here = Path.cwd()
    work = asyncio.create_task(_load(lobby, path, here), name="imports")
    pending: asyncio.Task[str | None] = asyncio.create_task(lines.read())
    while not work.done():
        await asyncio.wait({work, pending}, return_when=asyncio.FIRST_COMPLETED)
        if pending.done():
            if (line := pending.result()) is None:
                break
            if (answer := lobby.take(line)) is not None:
                await lines.write(answer)
            pending = asyncio.create_task(lines.read())
    rooms = await work
    from mcp.server.stdio import stdio_server

    from qwen_lsp.mcp_server.serving import Serving

    serving = Serving(rooms, here)
    try:
        incoming, outgoing = _Incoming(lobby.kept, pending, lines), _Outgoing(lobby.answered, lines)
        # The library takes anything that yields lines and anything that can be written to.
        async with stdio_server(cast("Any", incoming), cast("Any", outgoing)) as streams:
            await serving.server.run(*streams, serving.server.create_initialization_options())
    finally:
        await serving.aclose()


async def _load(lobby: Lobby, path: Path | None, here: Path) -> Rooms:
    """Import the index, begin with it where it is known which folder it is about, then import the library."""
    await asyncio.to_thread(_imported, "qwen_lsp.mcp_server.rooms")
    from qwen_lsp.mcp_server.rooms import Rooms
    from qwen_lsp.workspace.user_config import merged

    settings = merged()
    logging.getLogger("qwen_lsp").setLevel(settings.log_level.upper())
    known = [path] if path is not None else [here] if lobby.open and not lobby.roots else []
    rooms = Rooms(settings, known, fixed=path is not None)
    await asyncio.to_thread(_imported, "qwen_lsp.mcp_server.serving")
    return rooms


def _imported(module: str) -> None:
    """Out of the garbage collector's way: nothing that is imported is ever garbage."""
    gc.disable()
    try:
        importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()


class _Incoming:
    """What the client has said so far, and then what it says, for the library."""

    def __init__(self, kept: Sequence[str], pending: asyncio.Task[str | None], lines: Lines) -> None:
        self._kept, self._pending, self._lines = kept, pending, lines

    async def __aiter__(self) -> AsyncGenerator[str]:
        for line in self._kept:
            yield line
        line = await self._pending
        while line is not None:
            yield line
            line = await self._lines.read()


class _Outgoing:
    """What the library says, without its answers to what the lobby has answered."""

    def __init__(self, answered: Sequence[Any], lines: Lines) -> None:
        self._answered, self._lines = list(answered), lines

    async def write(self, text: str) -> None:
        if not (self._answered and self._is_answered(text)):
            await self._lines.write(text)

    async def flush(self) -> None:
        """Every write goes out at once."""

    def _is_answered(self, text: str) -> bool:
        message: dict[str, Any] = json.loads(text)
        if "method" in message or message.get("id") not in self._answered:
            return False
        self._answered.remove(message["id"])
        return True


async def _until_orphaned(lines: Lines) -> None:
    """End with the client, also where it died and another process holds our input open."""
    if os.name == "nt":  # where nothing tells; the end of the input has to do
        return
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - there is nothing to wait for that works everywhere
        await asyncio.sleep(_PARENT_CHECK)
    log.warning("the client's process is gone")
    lines.end()

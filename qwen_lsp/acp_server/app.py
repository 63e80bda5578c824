"""The agent over standard input and output, until the client closes them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys

from acp import run_agent
from acp.stdio import stdio_streams

from qwen_lsp.acp_server.agent import QwenAgent
from qwen_lsp.acp_server.wire import Wire
from qwen_lsp.errors import UserError
from qwen_lsp.workspace.user_config import merged

_LONGEST_PIECE = 1024 * 1024
"""Bytes of a line that are read at once; a line may be longer."""


def serve() -> int:
    """Serve one client; returns the exit status. Raises UserError where there is none."""
    logging.basicConfig(stream=sys.stderr, level=merged().log_level.upper(), format="qwen-lsp: %(message)s")
    if sys.stdin.isatty():
        raise UserError("`qwen-lsp acp` speaks a protocol: an editor starts it. See docs/acp.md")
    _keep_output()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_served())
    return 0


def _keep_output() -> None:
    """Standard output is the protocol's alone: whatever else prints goes to standard error."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = own


async def _served() -> None:
    serving = asyncio.current_task()
    with contextlib.suppress(NotImplementedError):  # Windows has no signals to wait for
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel if serving else lambda: None)
    reader, writer = await stdio_streams(limit=_LONGEST_PIECE)
    sys.stdout = sys.stderr
    await converse(reader, writer)


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client until it goes; everything that was begun for it has ended then."""
    agent = QwenAgent()
    try:
        await run_agent(agent, Wire(reader, writer), use_unstable_protocol=True)
    finally:
        await agent.aclose()

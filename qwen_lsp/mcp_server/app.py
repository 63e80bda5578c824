"""`qwen-lsp mcp` over standard input and output, from its start to the end of its input."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from qwen_lsp.mcp_server.rooms import Rooms
from qwen_lsp.workspace.user_config import merged


def serve(path: Path | None) -> int:
    """Serve one client; the workspace is `path`, else what the client names, else the current folder."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    logging.raiseExceptions = False  # a client may close our standard error
    return asyncio.run(_serve(path))


async def _serve(path: Path | None) -> int:
    from mcp.server.stdio import stdio_server

    from qwen_lsp.mcp_server.serving import Serving

    settings = merged()
    logging.getLogger("qwen_lsp").setLevel(settings.log_level.upper())
    serving = Serving(Rooms(settings, [] if path is None else [path]), Path.cwd())
    try:
        async with stdio_server() as (incoming, outgoing):
            await serving.server.run(incoming, outgoing, serving.server.create_initialization_options())
    finally:
        await serving.aclose()
    return 0

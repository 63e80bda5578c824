"""The protocol's library around the tools: lists, calls, progress, and where the client works."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    ListRootsRequest,
    ListRootsResult,
    ListToolsResult,
    NotificationParams,
    PaginatedRequestParams,
    RootsCapability,
    TextContent,
    Tool,
)

from qwen_lsp import __version__
from qwen_lsp.errors import QwenLspError
from qwen_lsp.mcp_server import tools
from qwen_lsp.mcp_server.catalog import ENTRIES, INSTRUCTIONS, NAME, TITLE
from qwen_lsp.mcp_server.rooms import Rooms
from qwen_lsp.workspace.paths import from_uri

log = logging.getLogger(__name__)

_Context = ServerRequestContext[Any, Any]
_ANSWER_TIME = 5.0
"""Seconds that a client has to name its folders; then it is the current one."""


class Serving:
    """The server of one connection."""

    def __init__(self, rooms: Rooms, here: Path) -> None:
        self.rooms, self._here = rooms, here
        self._work: set[asyncio.Task[Any]] = set()
        self.server = Server(
            NAME, version=__version__, title=TITLE, instructions=INSTRUCTIONS,
            on_list_tools=self._list_tools, on_call_tool=self._call_tool,
        )  # fmt: skip
        follow = self.server.add_notification_handler
        follow("notifications/initialized", NotificationParams, self._initialized)
        follow("notifications/roots/list_changed", NotificationParams, self._roots_changed)

    async def aclose(self) -> None:
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self.rooms.aclose()

    async def _list_tools(self, context: _Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        del context, params
        return ListToolsResult(tools=[Tool.model_validate(entry.wire()) for entry in ENTRIES.values()])

    async def _call_tool(self, context: _Context, params: CallToolRequestParams) -> CallToolResult:
        async def tell(done: float, total: float | None, said: str) -> None:
            await context.session.report_progress(done, total, said)

        if not self.rooms.settled:
            self._spawn(self._settle(context))
        # A task of its own: a cancelled call ends there once, down to the socket, and the library goes on.
        task = self._spawn(tools.call(self.rooms, params.name, params.arguments or {}, tell))
        try:
            text, failed = await asyncio.shield(task), False
        except asyncio.CancelledError:
            task.cancel()
            raise
        except QwenLspError as error:
            text, failed = str(error), True
        except Exception:
            log.exception("%s failed", params.name)
            text, failed = "Internal error; what happened is in the server's log (standard error).", True
        return CallToolResult(content=[TextContent(text=text)], is_error=failed)

    # -- where the client works ------------------------------------------------------------------------

    async def _initialized(self, context: _Context, params: NotificationParams) -> None:
        del params
        if not self.rooms.settled:
            self._spawn(self._settle(context))

    async def _roots_changed(self, context: _Context, params: NotificationParams) -> None:
        del params
        self._spawn(self._settle(context))

    async def _settle(self, context: _Context) -> None:
        roots = await self._roots(context)
        for room in self.rooms.settle(roots or [self._here]):
            await room.aclose()

    async def _roots(self, context: _Context) -> list[Path]:
        """The folders that the client names, as far as they are folders here."""
        if not context.session.check_client_capability(ClientCapabilities(roots=RootsCapability())):
            return []
        try:
            async with asyncio.timeout(_ANSWER_TIME):
                answer = await context.session.send_request(ListRootsRequest(), ListRootsResult)
        except (MCPError, NoBackChannelError, TimeoutError) as error:
            log.warning("the client did not name its folders (%s)", type(error).__name__)
            return []
        named = (from_uri(str(root.uri)) for root in answer.roots)
        return await asyncio.to_thread(lambda: [Path(path).resolve() for path in named if path is not None])

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

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
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    ListResourcesResult,
    ListRootsRequest,
    ListRootsResult,
    ListToolsResult,
    NotificationParams,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    RootsCapability,
    TextContent,
    TextResourceContents,
    Tool,
)

from qwen_lsp import __version__
from qwen_lsp.errors import QwenLspError
from qwen_lsp.mcp_server import tools
from qwen_lsp.mcp_server.catalog import ENTRIES, INSTRUCTIONS, MAP, MAP_URI, NAME, TITLE
from qwen_lsp.mcp_server.rooms import Rooms, Tell
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
            on_list_resources=self._list_resources, on_read_resource=self._read_resource,
        )  # fmt: skip
        self.server.middleware.clear()  # it tells a collector of traces, where one is set up, what is called
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

    async def _list_resources(
        self, context: _Context, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        del context, params
        return ListResourcesResult(resources=[Resource.model_validate(MAP)])

    async def _call_tool(self, context: _Context, params: CallToolRequestParams) -> CallToolResult:
        work = tools.call(self.rooms, params.name, params.arguments or {}, self._teller(context))
        try:
            text, failed = await self._done(context, work), False
        except QwenLspError as error:
            text, failed = str(error), True
        except Exception:
            log.exception("%s failed", params.name)
            text, failed = "Internal error; what happened is in the server's log (standard error).", True
        return CallToolResult(content=[TextContent(text=text)], is_error=failed)

    async def _read_resource(
        self, context: _Context, params: ReadResourceRequestParams
    ) -> ReadResourceResult:
        if str(params.uri) != MAP_URI:
            raise MCPError(INVALID_PARAMS, f"There is no resource {params.uri}; there is {MAP_URI}.")
        try:
            text = await self._done(context, tools.map_of(self.rooms, self._teller(context)))
        except QwenLspError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from None
        return ReadResourceResult(
            contents=[TextResourceContents(uri=MAP_URI, mime_type=MAP["mimeType"], text=text)]
        )

    def _teller(self, context: _Context) -> Tell:
        async def tell(done: float, total: float | None, said: str) -> None:
            await context.session.report_progress(done, total, said)

        return tell

    async def _done(self, context: _Context, work: Coroutine[Any, Any, str]) -> str:
        """Do some work in a task of its own: cancelled, it ends there once, down to the socket."""
        if not self.rooms.settled:
            self._spawn(self._settle(context))
        task = self._spawn(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise

    # -- where the client works ------------------------------------------------------------------------

    async def _initialized(self, context: _Context, params: NotificationParams) -> None:
        del params
        if not self.rooms.settled:
            self._spawn(self._settle(context))

    async def _roots_changed(self, context: _Context, params: NotificationParams) -> None:
        del params
        if not self.rooms.fixed:
            self.rooms.unsettle()
            self._spawn(self._settle(context))

    async def _settle(self, context: _Context) -> None:
        try:
            roots = await self._roots(context)
        except Exception:
            log.exception("the client did not name its folders")
            roots = []
        for room in self.rooms.settle(roots or [self._here]):
            await room.aclose()

    async def _roots(self, context: _Context) -> list[Path]:
        """The folders that the client names, as far as they are folders here."""
        if not context.session.check_client_capability(ClientCapabilities(roots=RootsCapability())):
            return []
        try:
            async with asyncio.timeout(_ANSWER_TIME):
                answer = await context.session.send_request(ListRootsRequest(), ListRootsResult)
            named = [from_uri(str(root.uri)) for root in answer.roots]
        except (MCPError, NoBackChannelError, TimeoutError, ValueError) as error:
            log.warning("the client did not name its folders (%s)", type(error).__name__)
            return []
        return await asyncio.to_thread(lambda: [Path(path).resolve() for path in named if path is not None])

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

"""One running server: a process that is started, asked for its tools, called, and stopped with its children.

The protocol's library opens and closes a connection in one task, while calls come from many: a task of its
own keeps the connection for as long as the server is wanted.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import os
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO, cast

from qwen_lsp import __version__
from qwen_lsp.errors import ExternalFailed
from qwen_lsp.imports import missing
from qwen_lsp.mcp_client.launch import Launch
from qwen_lsp.mcp_client.offered import Offered
from qwen_lsp.text.unseen import without_control, without_hidden

if TYPE_CHECKING:
    import mcp
    from mcp_types import CallToolResult, ContentBlock

LONGEST_RESULT = 40_000
"""Characters of a result that a model gets; the middle of a longer one is left out."""
_MOST_PAGES = 50
_STOPPING = 10.0
"""Seconds for a server to end by itself and then by signals; the library's own waits are shorter together."""
_TAIL = 600


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered: text without control characters or what nobody sees, and whether it failed."""

    text: str
    ok: bool


class Server:
    """A server and its process. Everything is called on the event loop."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self._client: mcp.Client | None = None
        self._life: asyncio.Task[None] | None = None
        self._end = asyncio.Event()
        self._said: TextIO | None = None
        self._last_words = ""

    @property
    def running(self) -> bool:
        return self._life is not None and not self._life.done() and not self._end.is_set()

    async def start(self) -> None:
        """Start the process and shake hands. Raises ExternalFailed; nothing is left running then."""
        if remedy := missing("mcp", "mcp"):
            raise ExternalFailed(
                f"MCP servers are configured, but the package that speaks to them is not installed: {remedy}"
            )
        await asyncio.to_thread(importlib.import_module, "mcp")  # takes more than a second
        for name in ("mcp", "client"):
            # A server that talks nonsense is told to the model; the library would log what it said.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._end = asyncio.Event()
        ready: asyncio.Future[mcp.Client] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(ready), name=f"mcp {self.launch.server}")
        try:
            async with asyncio.timeout(self.launch.seconds):
                await asyncio.wait({ready, self._life}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            await self.stop()
            raise self._failure(f"did not start within {self.launch.seconds:g} s") from None
        except asyncio.CancelledError:
            await self.stop()
            raise
        if not ready.done():
            error = self._life.exception()
            await self.stop()
            raise self._failure(f"did not start ({_named(error)})")
        self._client = ready.result()

    async def _live(self, ready: asyncio.Future[mcp.Client]) -> None:
        import mcp
        from mcp import types

        parameters = mcp.StdioServerParameters(
            command=str(self.launch.command), args=list(self.launch.args),
            env=dict(self.launch.environment), cwd=self.launch.folder,
        )  # fmt: skip
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            self._said = said
            client = mcp.Client(
                mcp.stdio_client(parameters, errlog=said), read_timeout_seconds=self.launch.seconds,
                client_info=types.Implementation(name="qwen-lsp", version=__version__),
                cache=None,
            )  # fmt: skip
            try:
                async with client:
                    ready.set_result(client)
                    await self._end.wait()
            finally:
                self._last_words = _tail(said)
                self._said = None

    async def stop(self) -> None:
        """End the process and what it started, by asking first. Does nothing where it has ended."""
        life, self._life, self._client = self._life, None, None
        if life is None:
            return
        self._end.set()
        try:
            done, _ = await asyncio.wait({life}, timeout=_STOPPING)
        except asyncio.CancelledError:
            life.cancel()
            raise
        if not done:
            life.cancel()
            await asyncio.wait({life}, timeout=_STOPPING)
        if life.done() and not life.cancelled():
            life.exception()  # whatever it was: the server is gone

    async def tools(self) -> tuple[Offered, ...]:
        """Every tool that the server lists now. Raises ExternalFailed."""
        listed: list[Offered] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            with self._asking("its tools"):
                page = await self._connected().list_tools(cursor=cursor)
            for tool in page.tools:
                listed.append(Offered(tool.name, tool.description or "", tool.input_schema))
            cursor = page.next_cursor
            if cursor is None:
                return tuple(listed)
        raise self._failure("lists its tools without end")

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Result:
        """Call a tool. Raises ExternalFailed where the server does not answer, or has ended."""
        with self._asking(tool):
            answer = await self._connected().call_tool(
                tool, dict(arguments), read_timeout_seconds=self.launch.seconds
            )
        return _result(answer)

    def _connected(self) -> mcp.Client:
        if self._client is None or not self.running:
            raise self._failure("has ended")
        return self._client

    @contextlib.contextmanager
    def _asking(self, what: str) -> Generator[None]:
        """Turns whatever the library raises about an answer into one kind of error."""
        import anyio
        import mcp
        from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

        try:
            yield
        except mcp.MCPError as error:
            if error.code == CONNECTION_CLOSED:
                self._end.set()
                raise self._failure(f"ended when it was asked for {what}") from None
            if error.code == REQUEST_TIMEOUT:
                raise self._failure(f"gave no answer within {self.launch.seconds:g} s") from None
            raise self._failure(f"refused: {_line(error.message)}") from None
        except (anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
            self._end.set()
            raise self._failure("has ended") from None
        except (RuntimeError, ValueError) as error:
            # An answer that is none by the protocol, or by the schema that the server gave itself.
            raise self._failure(f"gave an answer that cannot be used ({type(error).__name__})") from None

    def _failure(self, what: str) -> ExternalFailed:
        words = _line(self._last_words if self._said is None else _tail(self._said))
        return ExternalFailed(
            f"The MCP server {self.launch.server} {what}." + (f" It last said: {words}" if words else "")
        )


def _result(answer: CallToolResult) -> Result:
    blocks = [_block(block) for block in answer.content]
    if not any(blocks) and answer.structured_content is not None:
        blocks = [json.dumps(answer.structured_content, ensure_ascii=False)]
    text, hidden = without_hidden(without_control("\n".join(blocks)).strip())
    if hidden:
        text += f"\n[{hidden:,} characters that nobody sees were taken out]"
    if len(text) > LONGEST_RESULT:
        half = LONGEST_RESULT // 2
        text = f"{text[:half]}\n[{len(text) - 2 * half:,} characters left out]\n{text[-half:]}"
    return Result(text or "(nothing)", not answer.is_error)


def _block(block: ContentBlock) -> str:
    if block.type == "text":
        return block.text
    if block.type == "resource":
        return str(getattr(block.resource, "text", "[a file that is no text, left out]"))
    if block.type == "resource_link":
        return f"{block.name}: {block.uri}"
    return f"[{block.type} left out]"


def _tail(said: TextIO) -> str:
    """The end of what a process has written, read without moving where it writes on."""
    if not hasattr(os, "pread"):
        return ""
    size = os.fstat(said.fileno()).st_size
    return os.pread(said.fileno(), _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace")


def _line(text: str) -> str:
    return " ".join(without_hidden(without_control(text))[0].split())[-_TAIL:]


def _named(error: BaseException | None) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return "it ended at once" if error is None else _line(str(error)) or type(error).__name__

"""A small project, and the protocol's own client on the server: in this process, or as a client starts it."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mcp
import pytest
from mcp_types import TextContent, TextResourceContents

from qwen_lsp.mcp_server.rooms import Rooms
from qwen_lsp.mcp_server.serving import Serving
from qwen_lsp.settings import Settings
from qwen_lsp.workspace.user_config import merged

KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ"
FILES: Mapping[str, str] = {
    "shop/__init__.py": "",
    "shop/prices.py": (
        '"""What things cost."""\n\nTAX = 19\n\n\ndef gross(net: int) -> int:\n'
        '    """Cents with tax."""\n    return net * (100 + TAX) // 100\n'
    ),
    "shop/cart.py": (
        "from shop.prices import gross\n\n\nclass Cart:\n    def __init__(self) -> None:\n"
        "        self.items: list[int] = []\n\n    def total(self) -> int:\n"
        "        return sum(gross(item) for item in self.items)\n"
    ),
    "README.md": "# A shop\n",
}


@dataclass
class Lent:
    """The tools, called as an agent calls them."""

    client: mcp.Client
    told: list[str] = field(default_factory=list[str])
    """What was said of progress."""

    async def call(self, tool: str, **arguments: Any) -> str:
        """The text of a result that is good."""
        text, failed = await self._called(tool, arguments)
        assert not failed, text
        return text

    async def refused(self, tool: str, **arguments: Any) -> str:
        """The text of a result that tells of a failure."""
        text, failed = await self._called(tool, arguments)
        assert failed, text
        return text

    async def map(self) -> str:
        [content] = (await self.client.read_resource("qwen://map")).contents
        assert isinstance(content, TextResourceContents)
        return content.text

    async def _called(self, tool: str, arguments: dict[str, Any]) -> tuple[str, bool | None]:
        async def tell(progress: float, total: float | None, message: str | None) -> None:
            self.told.append(message or "")

        answer = await self.client.call_tool(tool, arguments, progress_callback=tell)
        [block] = answer.content
        assert isinstance(block, TextContent)
        assert answer.structured_content is None
        return block.text, answer.is_error


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in FILES.items():
        put(root, name, text)
    return root


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def tree(root: Path) -> dict[str, str]:
    """Every file and what it holds."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in files}


@asynccontextmanager
async def lent(
    *roots: Path, here: Path | None = None, settings: Settings | None = None, **options: Any
) -> AsyncGenerator[Lent]:
    """The server in this process; `options` are the client's."""
    serving = Serving(Rooms(settings or merged(), roots), here or roots[0])
    try:
        async with mcp.Client(serving.server, cache=None, mode="legacy", **options) as client:
            yield Lent(client)
    finally:
        await serving.aclose()


@asynccontextmanager
async def started(*arguments: str, cwd: Path, **environment: str) -> AsyncGenerator[Lent]:
    """The server as a process of its own, over standard input and output."""
    parameters = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "qwen_lsp", "mcp", *arguments],
        env={**os.environ, **environment}, cwd=cwd,
    )  # fmt: skip
    async with mcp.Client(mcp.stdio_client(parameters), cache=None, mode="legacy") as client:
        yield Lent(client)

"""A small project, and the protocol's own client on the real server, started as a client starts it."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mcp
import pytest
from mcp_types import TextContent

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

    async def call(self, tool: str, **arguments: Any) -> str:
        """The text of a result that is good."""
        answer = await self.client.call_tool(tool, arguments)
        text = text_of(answer.content)
        assert not answer.is_error, text
        return text

    async def refused(self, tool: str, **arguments: Any) -> str:
        """The text of a result that tells of a failure."""
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error
        return text_of(answer.content)


def text_of(content: Any) -> str:
    [block] = content
    assert isinstance(block, TextContent)
    return block.text


Open = Callable[..., AbstractAsyncContextManager[Lent]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@asynccontextmanager
async def lent(*arguments: str, cwd: Path, **environment: str) -> AsyncGenerator[Lent]:
    """The real server as a process, over standard input and output."""
    parameters = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "qwen_lsp", "mcp", *arguments],
        env={**os.environ, **environment}, cwd=cwd,
    )  # fmt: skip
    async with mcp.Client(mcp.stdio_client(parameters), cache=None) as client:
        yield Lent(client)

"""What a client is told of the tools: changing it changes what people have allowed and written rules for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mcp_server.conftest import lent

pytestmark = pytest.mark.slow


async def test_a_symbol_is_found_in_the_folder_that_the_server_was_started_in(project: Path) -> None:
    async with lent(cwd=project) as tools:
        assert await tools.call("find_symbol", name="gross") == (
            "shop/prices.py:6-8 (function)\ndef gross(net: int) -> int:"
        )

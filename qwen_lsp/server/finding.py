"""`qwen.findEndpoints`: the models that servers on this machine have, for a person to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_lsp.server.arguments import Token
from qwen_lsp.server.host import Server


async def find_endpoints(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Asks the usual ports of this machine, and nobody else; what is configured does not count."""
    from qwen_lsp.model.probe import discover, ranked

    del ls, arguments, token
    found = ranked(await discover())
    return {
        "endpoints": [
            {"kind": server.kind, "baseUrl": server.base_url, "model": model} for server, model in found
        ]
    }

"""What a client is answered before the protocol's library is there, which takes a second of work to import.

Clients drop a server that is slow to answer, some after three seconds on a busy machine, and then work on
without its tools. So the handshake and the lists, which are always the same, are answered from here, exactly
as the library would answer them (tests/mcp_server/test_lobby.py asks both). Everything else waits for the
library, which is given every message, those answered here too, and never learns that there was a lobby.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from qwen_lsp import __version__
from qwen_lsp.mcp_server.catalog import ENTRIES, INSTRUCTIONS, MAP, NAME, TITLE

HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Versions of the protocol that begin with a handshake, oldest first. Later ones are the library's."""


@dataclass(slots=True)
class Lobby:
    """One client, from its first message until the library takes over."""

    answered: list[Any] = field(default_factory=list[Any])
    """The ids of requests that were answered here, in order."""
    kept: list[str] = field(default_factory=list[str])
    """Every message so far, for the library."""
    roots: bool = False
    """Whether the client can say in which folders it works."""
    open: bool = True
    """False for a client that is the library's alone: it did not begin with a handshake known here."""

    def take(self, line: str) -> str | None:
        """Keep a message; the answer to it, where it can be given here."""
        self.kept.append(line)
        if not self.open:
            return None
        request = _request(line)
        if request is None:
            self.open = bool(self.answered)
            return None
        method, parameters = request["method"], request.get("params", {})
        if not self.answered:
            result = self._handshake(method, parameters)
            self.open = result is not None
        else:
            result = _listed(method, parameters)
        if result is None:
            return None
        self.answered.append(request["id"])
        return (
            json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}, ensure_ascii=False) + "\n"
        )

    def _handshake(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        if method != "initialize" or not parameters.keys() <= {
            "protocolVersion",
            "capabilities",
            "clientInfo",
        }:
            return None
        version, info = parameters.get("protocolVersion"), parameters.get("clientInfo")
        capabilities = parameters.get("capabilities")
        if not isinstance(version, str) or not isinstance(capabilities, dict) or not isinstance(info, dict):
            return None
        named = cast("dict[str, object]", info)
        if not isinstance(named.get("name"), str) or not isinstance(named.get("version"), str):
            return None
        self.roots = "roots" in capabilities
        return {
            "protocolVersion": version if version in HANDSHAKES else HANDSHAKES[-1],
            "capabilities": {
                "resources": {"listChanged": False, "subscribe": False},
                "tools": {"listChanged": False},
            },
            "serverInfo": {"name": NAME, "title": TITLE, "version": __version__},
            "instructions": INSTRUCTIONS,
        }


def _request(line: str) -> dict[str, Any] | None:
    """The message, where it is a plain request."""
    try:
        message: object = json.loads(line)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    request = cast("dict[str, Any]", message)
    plain = (
        request.get("jsonrpc") == "2.0"
        and isinstance(request.get("method"), str)
        and (isinstance(request.get("id"), str) or type(request.get("id")) is int)
        and isinstance(request.get("params", {}), dict)
    )
    return request if plain else None


def _listed(method: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """A list that is always the same. With parameters (a cursor, a progress token) the library answers."""
    if parameters:
        return None
    if method == "tools/list":
        return {"tools": [entry.wire() for entry in ENTRIES.values()]}
    if method == "resources/list":
        return {"resources": [dict(MAP)]}
    return None

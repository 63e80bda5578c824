"""What is answered before the protocol's library is there is what the library would answer, to the letter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from mcp.server.stdio import stdio_server
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from qwen_lsp.mcp_server.lobby import HANDSHAKES, Lobby
from qwen_lsp.mcp_server.rooms import Rooms
from qwen_lsp.mcp_server.serving import Serving
from qwen_lsp.settings import Settings

Json = dict[str, Any]


def handshake(version: str = "2025-06-18", **more: Any) -> Json:
    info = {"name": "a client", "version": "1.0"}
    parameters = {"protocolVersion": version, "capabilities": {}, "clientInfo": info, **more}
    return {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": parameters}


INITIALIZED: Json = {"jsonrpc": "2.0", "method": "notifications/initialized"}


async def by_library(messages: Sequence[Json], root: Path) -> list[Json]:
    """What the library answers to messages, in order."""
    said: list[Json] = []
    wanted = sum("id" in message for message in messages)
    answered = asyncio.Event()

    class Out:
        async def write(self, text: str) -> None:
            said.append(json.loads(text))
            if len(said) == wanted:
                answered.set()

        async def flush(self) -> None: ...

    async def lines() -> AsyncIterator[str]:
        for message in messages:
            yield json.dumps(message)
        await answered.wait()

    serving = Serving(Rooms(Settings(), []), root)
    try:
        async with stdio_server(cast("Any", lines()), cast("Any", Out())) as streams:
            await serving.server.run(*streams, serving.server.create_initialization_options())
    finally:
        await serving.aclose()
    return said


def by_lobby(messages: Sequence[Json]) -> list[Json]:
    lobby = Lobby()
    answers = [lobby.take(json.dumps(message)) for message in messages]
    return [json.loads(answer) for answer in answers if answer is not None]


def test_the_lobby_knows_every_version_that_begins_with_a_handshake() -> None:
    assert HANDSHAKES == HANDSHAKE_PROTOCOL_VERSIONS


@pytest.mark.parametrize("version", [*HANDSHAKES, "2019-01-01"])
async def test_the_handshake_and_the_lists_are_answered_as_the_library_answers_them(
    version: str, project: Path
) -> None:
    messages: list[Json] = [
        handshake(version),
        INITIALIZED,
        {"jsonrpc": "2.0", "id": "two", "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 3, "method": "resources/list", "params": {}},
    ]
    said = await by_library(messages, project)
    assert by_lobby(messages) == sorted(said, key=lambda message: [0, "two", 3].index(message["id"]))


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "x"}},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "repo_map"}},
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {"progressToken": 1}}},
    ],
)
def test_everything_else_is_left_to_the_library(message: Json) -> None:
    lobby = Lobby()
    lines = [json.dumps(handshake()), json.dumps(message)]
    assert [lobby.take(line) is None for line in lines] == [False, True]
    assert (lobby.kept, lobby.answered) == (lines, [0])


@pytest.mark.parametrize(
    "first",
    [
        json.dumps({"jsonrpc": "2.0", "id": 0, "method": "server/discover", "params": {}}),
        json.dumps(handshake(clientInfo={"name": "no version"})),
        json.dumps(handshake(capabilities=[])),
        json.dumps(handshake(_meta={"io.modelcontextprotocol/protocolVersion": "2026-07-28"})),
        json.dumps([handshake()]),
        "no JSON",
    ],
)
def test_a_client_that_begins_in_another_way_is_the_librarys_alone(first: str) -> None:
    lobby = Lobby()
    then = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert [lobby.take(line) for line in (first, then)] == [None, None]
    assert lobby.kept == [first, then]


def test_a_client_says_whether_it_can_name_its_folders() -> None:
    able, unable = Lobby(), Lobby()
    able.take(json.dumps(handshake(capabilities={"roots": {"listChanged": True}})))
    unable.take(json.dumps(handshake()))
    assert (able.roots, unable.roots) == (True, False)

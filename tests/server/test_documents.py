"""Text sync: what the editor has is what a request sees, at the moment the request was sent."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from qwen_lsp.server.host import Server
from qwen_lsp.server.lifetime import close
from qwen_lsp.server.table import build
from qwen_lsp.server.wire import Connection
from qwen_lsp.workspace.paths import RelPath
from tests.support.editor import TIME, Editor, Json, attached, connected, frame, in_process, replace

PIECES = [
    "a",
    "bc",
    " ",
    "\n",
    "\r\n",
    "\r",
    "é",
    "漢",
    "😀",
    "👩‍👩‍👧",
    "e\u0301",
    "\t",
    "x = 1",
    "\u2028",
    "\x0c",
    "",
]
ENCODINGS = ["utf-8", "utf-16", "utf-32"]


# -- an independent model: lines of code units ----------------------------------------------------------


def units(text: str, encoding: str) -> list[bytes]:
    """The code units of a text."""
    size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    data = text.encode(f"{encoding}-le" if size > 1 else encoding)
    return [data[i : i + size] for i in range(0, len(data), size)]


def joined(parts: list[bytes], encoding: str) -> str:
    return b"".join(parts).decode(f"{encoding}-le" if encoding != "utf-8" else encoding)


def line_starts(parts: list[bytes], encoding: str) -> list[int]:
    cr, lf = units("\r", encoding)[0], units("\n", encoding)[0]
    starts = [0]
    for i, unit in enumerate(parts):
        if unit == lf or (unit == cr and not (i + 1 < len(parts) and parts[i + 1] == lf)):
            starts.append(i + 1)
    return starts


def boundaries(text: str, encoding: str) -> list[tuple[int, int, int]]:
    """Every place between two characters but inside CRLF: (line, character, unit)."""
    parts = units(text, encoding)
    starts = line_starts(parts, encoding)
    places: list[tuple[int, int, int]] = []
    at = line = 0
    for i in range(len(text) + 1):
        while line + 1 < len(starts) and starts[line + 1] <= at:
            line += 1
        if not (0 < i < len(text) and text[i - 1 : i + 1] == "\r\n"):
            places.append((line, at - starts[line], at))
        if i < len(text):
            at += len(units(text[i], encoding))
    return places


def edit_at_random(rng: random.Random, text: str, encoding: str) -> tuple[Json, str]:
    """A content change, and the text that the editor has after it."""
    new = "".join(rng.choices(PIECES, k=rng.randrange(4)))
    if rng.random() < 0.02:
        return {"text": new}, new
    places = boundaries(text, encoding)
    first, last = sorted(rng.choices(places, k=2), key=lambda p: p[2])
    if rng.random() < 0.5:
        last = first
    parts = units(text, encoding)
    after = joined([*parts[: first[2]], *units(new, encoding), *parts[last[2] :]], encoding)
    return replace((first[0], first[1]), (last[0], last[1]), new), after


def text_of(server: Server, uri: str) -> str:
    document = server.documents[uri]
    return document.session.snapshot.text(document.path)


def opened(encoding: str, text: str) -> tuple[Server, Editor, str]:
    server = build()
    editor, _ = attached(server)
    capabilities = {"general": {"positionEncodings": [encoding]}}
    editor.ask("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
    uri = "file:///nowhere/text.txt"
    editor.open(uri, text)
    return server, editor, uri


EDITS = int(os.environ.get("QWEN_LSP_EDITS", "900"))
"""Random edits for each encoding; 50000 for a long run."""


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_random_edits_leave_what_the_editor_has(encoding: str) -> None:
    rng = random.Random(f"text sync {encoding}")  # noqa: S311
    text = "def f():\r\n    return '😀'\n"
    server, editor, uri = opened(encoding, text)
    for version in range(2, EDITS + 2):
        changes: list[Json] = []
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            change, text = edit_at_random(rng, text, encoding)
            changes.append(change)
        editor.change(uri, version, *changes)
        assert text_of(server, uri) == text
        if len(text) > 400:
            text = "".join(rng.choices(PIECES, k=20))
            editor.change(uri, version, {"text": text})
    await close(server)


async def test_ranges_beyond_the_text_are_clamped() -> None:
    server, editor, uri = opened("utf-16", "one\ntwo\n")
    editor.change(uri, 2, replace((0, 99), (0, 999), "!"))
    assert text_of(server, uri) == "one!\ntwo\n"
    editor.change(uri, 3, replace((50, 0), (2**31 - 1, 2**31 - 1), "end"))
    assert text_of(server, uri) == "one!\ntwo\nend"
    editor.change(uri, 4, replace((1, 3), (0, 3), "-"))
    assert text_of(server, uri) == "one-\nend"
    await close(server)


async def test_a_place_inside_a_surrogate_pair_is_its_start() -> None:
    server, editor, uri = opened("utf-16", "a😀b")
    editor.change(uri, 2, replace((0, 2), (0, 3), "-"))
    assert text_of(server, uri) == "a-b"
    await close(server)


async def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    server, editor, uri = opened("utf-16", "a\ud800b")
    editor.change(uri, 2, replace((0, 2), (0, 3), "\udc00"))
    assert text_of(server, uri) == "a\ufffd\ufffd"
    await close(server)


async def test_opening_again_replaces_and_closing_returns_to_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("disk\n")
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(tmp_path)
        editor.open(path.as_uri(), "one\n", 1)
        editor.open(path.as_uri(), "two\n", 1)
        assert text_of(server, path.as_uri()) == "two\n"
        session = server.folders[tmp_path]
        editor.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
        editor.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
        assert session.snapshot.text(RelPath("a.py")) == "disk\n"
        assert not server.documents


async def test_changes_to_unknown_documents_are_ignored() -> None:
    server, editor, uri = opened("utf-16", "text")
    editor.change("file:///nowhere/other.txt", 2, replace((0, 0), (0, 0), "x"))
    editor.change(uri, 1, replace((0, 0), (0, 0), "x"))
    assert text_of(server, uri) == "xtext"
    assert len(server.documents) == 1
    await close(server)


async def test_documents_survive_a_refused_second_initialize() -> None:
    server, editor, uri = opened("utf-16", "text")
    params: Json = {"processId": None, "rootUri": None, "capabilities": {}}
    _, reply = editor.ask("initialize", params)
    async with asyncio.timeout(TIME):
        assert "error" in await reply
    assert text_of(server, uri) == "text"
    await close(server)


@pytest.mark.parametrize(
    "uri", ["untitled:Untitled-1", "git:/a.py?ref=HEAD", "vscode-notebook-cell:/n#x", "x:"]
)
async def test_documents_without_a_file_are_kept_too(uri: str) -> None:
    server, editor, _ = opened("utf-16", "text")
    editor.open(uri, "new\n")
    editor.change(uri, 2, replace((0, 0), (0, 0), "# "))
    assert text_of(server, uri) == "# new\n"
    document = server.documents[uri]
    assert server.target(document.session, document.path).uri == uri
    await close(server)


async def test_a_request_sees_the_text_it_was_sent_for() -> None:
    """Request and change in one TCP packet: the handler starts after the change, and must not see it."""
    server = build()
    seen: list[tuple[str, str]] = []

    async def look(ls: Server, params: lsp.DocumentLinkParams) -> None:
        uri = params.text_document.uri
        for _ in range(3):
            seen.append((ls.place(uri).lines.text, text_of(ls, uri)))
            await asyncio.sleep(0)

    server.feature("textDocument/documentLink")(look)

    def accept() -> Connection:
        server.rpc.connection = Connection(server.rpc.receive)
        return server.rpc.connection

    listener = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    uri = "file:///nowhere/a.py"
    async with listener, connected("127.0.0.1", listener.sockets[0].getsockname()[1]) as editor:
        await editor.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        editor.open(uri, "v1:one\n")
        reply = editor.reply("look")
        request = {
            "jsonrpc": "2.0",
            "id": "look",
            "method": "textDocument/documentLink",
            "params": {"textDocument": {"uri": uri}},
        }
        change = {
            "jsonrpc": "2.0",
            "method": "textDocument/didChange",
            "params": {
                "textDocument": {"uri": uri, "version": 2},
                "contentChanges": [replace((0, 0), (0, 6), "v2:two")],
            },
        }
        editor.raw(frame(request) + frame(change))
        async with asyncio.timeout(TIME):
            await reply
    assert seen == [("v1:one\n", "v2:two\n")] * 3
    await close(server)

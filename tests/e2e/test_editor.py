"""A day in an editor with no model: another client, the real server, real pipes and sockets."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from tests.e2e.clients import TIME, capabilities, desk, end, indexed, learnt

pytestmark = pytest.mark.slow

EDITORS = ["visual-studio-code", "neovim", "emacs"]


@asynccontextmanager
async def listening() -> AsyncGenerator[int]:
    """The server on a free port of this machine."""
    command = (sys.executable, "-m", "qwen_lsp", "serve", "--tcp", "127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(TIME):
            yield int((await process.stderr.readline()).rpartition(b":")[2])
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.parametrize("name", EDITORS)
async def test_each_editor_is_served_as_far_as_it_can(shop: Path, name: str) -> None:
    inline = name != "emacs"
    async with desk(shop, client=capabilities(name, inline=inline)) as editor:
        assert editor.result is not None
        served = editor.result.capabilities
        assert served.inline_completion_provider is not None
        assert served.position_encoding == {
            "visual-studio-code": "utf-16", "neovim": "utf-8", "emacs": "utf-32"
        }[name]  # fmt: skip
        uri = editor.open(shop / "shop/cart.py")
        status = await editor.status(learnt)
        assert status["folders"][0]["index"]["languages"] == {"python": 7}
        at = editor.type(uri, '\n\ndef again(lines: list[Money]) -> None:\n    logger.info("summed')
        if inline:
            assert await editor.ghost(uri, at) == [' %d lines of the cart", len(lines))']
        else:
            params = lsp.CompletionParams(
                text_document=lsp.TextDocumentIdentifier(uri=uri),
                position=at,
                context=lsp.CompletionContext(trigger_kind=lsp.CompletionTriggerKind.Invoked),
            )
            found = await editor.client.text_document_completion_async(params)
            assert isinstance(found, lsp.CompletionList)
            (item,) = found.items
            assert isinstance(item.text_edit, lsp.TextEdit)
            assert item.text_edit.new_text == 'summed %d lines of the cart", len(lines))'
            assert item.text_edit.range.end == at


async def test_an_editor_over_tcp(shop: Path) -> None:
    async with listening() as port, desk(shop, tcp=port) as editor:
        uri = editor.open(shop / "shop/cart.py")
        said = await editor.command("qwen.explainFile", {"uri": uri, "stream": "here"}, token="bar")
        assert "total" in said
        assert "shop/prices.py" in said
        assert "".join(editor.pieces) == said
        first, *_, last = editor.client.progress_reports["bar"]
        assert isinstance(first, lsp.WorkDoneProgressBegin)
        assert "cart.py" in first.title
        assert isinstance(last, lsp.WorkDoneProgressEnd)
        assert await editor.symbols("discnt") == ["discounted"]


async def test_the_receipt_says_what_would_be_sent_and_why(shop: Path) -> None:
    async with desk(shop) as editor:
        uri = editor.open(shop / "shop/cart.py")
        at = editor.type(uri, "\n\ndef sale(price: Money) -> Money:\n    return discounted(")
        where = {"line": at.line, "character": at.character}
        receipt = await editor.command("qwen.showContext", {"uri": uri, "position": where, "budget": 400})
        assert 0 < receipt["tokens"] <= 400
        assert "shop/prices.py" in [part["path"] for part in receipt["parts"]]
        assert all(part["why"] and part["tokens"] > 0 for part in receipt["parts"])


async def test_a_file_written_outside_the_editor_is_seen(shop: Path) -> None:
    async with desk(shop) as editor:
        assert await editor.symbols("refund") == []
        (shop / "shop/prices.py").write_text("def refund(cents: int) -> int:\n    return -cents\n")
        (shop / "shop/step0.py").unlink()
        async with asyncio.timeout(TIME):
            while await editor.symbols("refund") != ["refund"] or await editor.symbols("step0"):
                pass  # each look is two round trips
        assert await editor.symbols("discounted") == []


async def test_folders_come_and_go(shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "extra.go").write_text("package extra\n\nfunc Spare() int { return 1 }\n")
    folder = lsp.WorkspaceFolder(uri=other.as_uri(), name="other")
    async with desk(shop) as editor:
        added = lsp.WorkspaceFoldersChangeEvent(added=[folder], removed=[])
        editor.client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event=added))
        await editor.status(lambda s: len(s["folders"]) == 2 and indexed(s))
        assert await editor.symbols("Spare") == ["Spare"]
        removed = lsp.WorkspaceFoldersChangeEvent(added=[], removed=[folder])
        editor.client.workspace_did_change_workspace_folders(
            lsp.DidChangeWorkspaceFoldersParams(event=removed)
        )
        assert await editor.symbols("Spare") == []
        assert await editor.symbols("discounted") == ["discounted"]


async def test_without_a_model_no_action_that_needs_one_is_offered(shop: Path) -> None:
    async with desk(shop) as editor:
        uri = editor.open(shop / "shop/prices.py")
        params = lsp.CodeActionParams(
            text_document=lsp.TextDocumentIdentifier(uri=uri),
            range=lsp.Range(lsp.Position(11, 0), end(editor.texts[uri])),
            context=lsp.CodeActionContext(diagnostics=[]),
        )
        offered = await editor.client.text_document_code_action_async(params)
        # lsprotocol reads an action with a command as a mere command; its title is there in either case.
        disabled = [a for a in offered or () if isinstance(a, lsp.CodeAction) and a.disabled]
        able = [a.title for a in offered or () if a not in disabled]
        assert len(able) == 1
        assert able[0].startswith("Explain")
        assert disabled
        assert all("OPENAI_BASE_URL" in a.disabled.reason for a in disabled if a.disabled)

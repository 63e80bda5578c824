"""A day in an editor with a model: what reaches the endpoint, what comes back, and what never leaves."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests.e2e.clients import TIME, Desk, capabilities, desk
from tests.support.endpoint import ScriptedEndpoint, echo

pytestmark = pytest.mark.slow

SALE = "\n\ndef sale(price: Money) -> Money:\n    return discounted("


def settings(model: ScriptedEndpoint) -> dict[str, Any]:
    return {"baseUrl": model.base_url, "model": model.model, "kind": model.kind, "maxRetries": 0}


@asynccontextmanager
async def opened(
    shop: Path, model: ScriptedEndpoint, client: lsp.ClientCapabilities | None = None
) -> AsyncGenerator[tuple[Desk, str]]:
    """An editor with the cart open and a model to ask; a loaded machine is given time for a first token."""
    completion = {"debounceMs": 0, "firstTokenTimeout": TIME}
    options = {"endpoint": settings(model), "completion": completion}
    async with desk(shop, client=client, options=options) as editor:
        yield editor, editor.open(shop / "shop/cart.py")


def code_action(uri: str, text: str, name: str) -> lsp.CodeActionParams:
    line = next(number for number, line in enumerate(text.split("\n")) if name in line)
    return lsp.CodeActionParams(
        text_document=lsp.TextDocumentIdentifier(uri=uri),
        range=lsp.Range(lsp.Position(line, 4), lsp.Position(line, 4)),
        context=lsp.CodeActionContext(diagnostics=[]),
    )


# -- completion ----------------------------------------------------------------------------------------


async def test_the_model_sees_the_definition_from_another_file(shop: Path) -> None:
    async with ScriptedEndpoint() as model, opened(shop, model) as (editor, uri):
        at = editor.type(uri, SALE)
        model.reply("price, 10)\n")
        assert await editor.ghost(uri, at) == ["price, 10)"]
        (request,) = model.requests
        assert request.path == "/v1/completions"
        before, cursor, _ = request.prompt.partition("return discounted(<|fim_suffix|>")
        assert cursor
        assert "def discounted(price: Money, percent: int) -> Money" in before
        assert request.prompt.endswith("<|fim_middle|>")


async def test_the_latest_request_wins_and_the_older_ones_socket_closes(shop: Path) -> None:
    async with ScriptedEndpoint() as model, opened(shop, model) as (editor, uri):
        model.reply("never told", hang="headers")
        first = asyncio.ensure_future(editor.ghost(uri, editor.type(uri, SALE)))
        await model.wait_requests()
        model.reply("25)\n")
        assert await editor.ghost(uri, editor.type(uri, "price, ")) == ["25)"]
        assert await first == []
        await model.wait_early_closes()
        assert [request.closed_early for request in model.requests] == [True, False]


async def test_a_cancelled_request_ends_at_the_socket(shop: Path) -> None:
    async with ScriptedEndpoint() as model, opened(shop, model) as (editor, uri):
        model.reply("never told", hang="headers")
        params = lsp.InlineCompletionParams(
            text_document=lsp.TextDocumentIdentifier(uri=uri),
            position=editor.type(uri, SALE),
            context=lsp.InlineCompletionContext(trigger_kind=lsp.InlineCompletionTriggerKind.Automatic),
        )
        send = editor.client.protocol.send_request_async
        asked = asyncio.ensure_future(send(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, params, "mine"))
        await model.wait_requests()
        editor.client.cancel_request(lsp.CancelParams(id="mine"))
        await model.wait_early_closes()
        with pytest.raises(JsonRpcException):
            async with asyncio.timeout(TIME):
                await asked


async def test_an_editor_without_inline_completion_gets_an_item(shop: Path) -> None:
    emacs = capabilities("emacs", inline=False)
    async with ScriptedEndpoint() as model, opened(shop, model, emacs) as (editor, uri):
        model.reply("ed(price, 10)\n")
        at = editor.type(uri, "\n\ndef sale(price: Money) -> Money:\n    return discount")
        params = lsp.CompletionParams(
            text_document=lsp.TextDocumentIdentifier(uri=uri),
            position=at,
            context=lsp.CompletionContext(trigger_kind=lsp.CompletionTriggerKind.Invoked),
        )
        found = await editor.client.text_document_completion_async(params)
        assert isinstance(found, lsp.CompletionList)
        (item,) = found.items
        assert isinstance(item.text_edit, lsp.TextEdit)
        assert item.text_edit.new_text == "discounted(price, 10)"
        assert item.text_edit.range.start.character == at.character - len("discount")


# -- explain, actions, agent ---------------------------------------------------------------------------


async def test_an_explanation_streams_as_it_is_told(shop: Path) -> None:
    pieces = ["It sums ", "the lines ", "of a cart."]
    async with ScriptedEndpoint() as model, opened(shop, model) as (editor, uri):
        model.reply(chunks=pieces)
        said = await editor.command("qwen.explainFile", {"uri": uri, "stream": 1}, token="bar")
        assert said.strip() == "".join(pieces)
        assert len(editor.pieces) > 1
        assert "".join(editor.pieces) == said
        assert len(editor.client.progress_reports["bar"]) >= 2
        assert "def discounted(price: Money, percent: int)" in model.requests[0].prompt


async def test_an_action_resolves_into_a_versioned_edit(shop: Path) -> None:
    code = capabilities("visual-studio-code")
    async with ScriptedEndpoint() as model, opened(shop, model, code) as (editor, uri):
        editor.type(uri, "\n")
        params = code_action(uri, editor.texts[uri], "def total")
        offered = await editor.client.text_document_code_action_async(params)
        actions = [a for a in offered or () if isinstance(a, lsp.CodeAction)]
        assert all(action.edit is None for action in actions)
        (action,) = [a for a in actions if a.title.startswith("Document")]
        assert not model.requests
        model.reply('```python\ndef total(lines: list[Money]) -> Money:\n    """The sum."""\n```')
        async with asyncio.timeout(TIME):
            resolved = await editor.client.code_action_resolve_async(action)
        assert resolved.edit is not None
        (change,) = list(resolved.edit.document_changes or ())
        assert isinstance(change, lsp.TextDocumentEdit)
        assert (change.text_document.uri, change.text_document.version) == (uri, 2)
        annotated = [edit for edit in change.edits if isinstance(edit, lsp.AnnotatedTextEdit)]
        notes = resolved.edit.change_annotations or {}
        assert {edit.annotation_id for edit in annotated} == set(notes)
        assert len(annotated) == len(change.edits)
        editor.applied(lsp.ApplyWorkspaceEditParams(edit=resolved.edit))
        assert '-> Money:\n    """The sum."""\n    logger.info' in editor.texts[uri]


async def test_an_agents_edits_of_many_files_come_as_one(shop: Path) -> None:
    async with ScriptedEndpoint() as model, opened(shop, model) as (editor, uri):
        editor.type(uri, "\n# not saved yet\n")
        rename = {"old_string": "discounted", "new_string": "reduced", "replace_all": True}
        model.reply(
            "Both files.",
            tool_calls=[
                ("edit", {"file_path": "shop/prices.py", **rename}),
                ("edit", {"file_path": str(shop / "shop/cart.py"), **rename}),
                ("write_file", {"file_path": "NOTES.md", "content": "discounted is now reduced.\n"}),
            ],
        )
        model.reply("Renamed it.")
        result = await editor.command("qwen.edit", {"task": "Rename discounted.", "uri": uri}, token="bar")
        assert (result["ended"], result["applied"]) == ("done", True)
        assert {file["path"]: file["state"] for file in result["files"]} == {
            "NOTES.md": "applied", "shop/cart.py": "applied", "shop/prices.py": "applied"
        }  # fmt: skip
        (asked,) = editor.edits
        notes = asked.edit.change_annotations or {}
        assert any(note.needs_confirmation for note in notes.values())
        assert "import Money, reduced" in editor.texts[uri]
        assert editor.texts[uri].endswith("# not saved yet\n")
        assert "discounted" in (shop / "shop/cart.py").read_text()
        assert "def reduced" in (shop / "shop/prices.py").read_text()
        assert (shop / "NOTES.md").read_text() == "discounted is now reduced.\n"


# -- settings ------------------------------------------------------------------------------------------


async def test_the_endpoint_is_switched_on_and_off_by_settings(shop: Path) -> None:
    async with ScriptedEndpoint() as model, desk(shop) as editor:
        uri = editor.open(shop / "shop/cart.py")
        assert (await editor.status())["endpoint"] == {"configured": False}
        editor.configure(endpoint=settings(model), completion={"firstTokenTimeout": TIME})
        status = await editor.status(lambda s: s["endpoint"]["configured"])
        assert status["endpoint"]["host"] == f"127.0.0.1:{model.port}"
        model.reply("price, 10)\n")
        assert await editor.ghost(uri, editor.type(uri, SALE)) == ["price, 10)"]
        editor.configure(endpoint={"baseUrl": None})
        await editor.status(lambda s: not s["endpoint"]["configured"])
        assert "total" in await editor.command("qwen.explainFile", {"uri": uri})
        assert len(model.requests) == 1


# -- secrets -------------------------------------------------------------------------------------------


def random(length: int, letters: str = string.ascii_letters + string.digits) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


async def test_no_secret_reaches_the_model_by_any_way(shop: Path) -> None:
    amazon = "AKIA" + random(16, string.ascii_uppercase + "234567")
    github = "ghp_" + random(36)
    password, hidden = random(24), random(24)
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{random(64)}\n{random(64)}\n-----END RSA PRIVATE KEY-----\n"
    body = key.split("\n")[1]
    (shop / ".env").write_text(f"SHOP_PASSWORD={password}\n")
    (shop / ".gitignore").write_text("local.py\n")
    (shop / "shop/local.py").write_text(f"HIDDEN = '{hidden}'\n\n\ndef discounted_locally() -> None: ...\n")
    (shop / "deploy.pem").write_text(key)
    prices = (shop / "shop/prices.py").read_text()
    (shop / "shop/prices.py").write_text(f'{prices}\n\nACCESS = "{amazon}"\nPEM = """{key}"""\n')
    async with ScriptedEndpoint(responder=echo) as model, opened(shop, model) as (editor, uri):
        editor.type(uri, f'\n\nTOKEN = "{github}"\n')
        await editor.ghost(uri, editor.type(uri, SALE))
        env = editor.open(shop / ".env", language="shellscript")
        await editor.ghost(env, editor.type(env, "SHOP_"))
        await editor.command("qwen.explainFile", {"uri": uri})
        actions = await editor.client.text_document_code_action_async(
            code_action(uri, editor.texts[uri], "def total")
        )
        for action in actions or ():
            if isinstance(action, lsp.CodeAction) and action.data is not None:
                # What the model echoes is no code: that it was asked is what matters here.
                with pytest.raises(JsonRpcException):
                    await editor.client.code_action_resolve_async(action)
        asked = len(model.requests)
        model.reply(
            tool_calls=[
                ("read_file", {"file_path": ".env"}),
                ("read_file", {"file_path": "shop/local.py"}),
                ("read_file", {"file_path": "deploy.pem"}),
                ("read_file", {"file_path": "shop/prices.py"}),
                ("read_file", {"file_path": "shop/cart.py"}),
                ("grep_search", {"pattern": "TOKEN|ACCESS|HIDDEN|PASSWORD|KEY"}),
                ("list_directory", {"path": "."}),
            ]
        )
        model.reply("There is nothing to do.")
        await editor.command("qwen.edit", {"task": f"Find TOKEN {github} and ACCESS.", "uri": uri})
        assert len(model.requests) == asked + 2
        sent = "\n".join(request.body.decode() for request in model.requests)
        planted = {"AWS key": amazon, "in .env": password, "in an ignored file": hidden, "private key": body}
        assert not [name for name, secret in planted.items() if secret in sent]
        assert sent.count(github) == sent.count(f"Find TOKEN {github}")
        assert "redacted" in sent

"""Settings that change and documents that come back, as an editor meets them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.server.test_suggestions import begin
from tests.support.editor import in_process, place
from tests.support.endpoint import ScriptedEndpoint


async def test_new_settings_end_what_is_under_way_and_what_was_said(tmp_path: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, tmp_path, model)
        person.insert("\n\ndef half(x: float) -> float:\n    ret")
        model.reply("urn x / 2")
        assert await person.inline() == ["urn x / 2"]

        person.insert("X")
        model.reply("never", hang="headers")
        params = {"textDocument": {"uri": person.uri}, "position": place(*person.at)}
        _, waiting = editor.ask("textDocument/inlineCompletion", {**params, "context": {"triggerKind": 1}})
        await model.wait_requests(2)
        endpoint = {"baseUrl": model.base_url, "model": model.model, "kind": "vllm"}
        changed = {"endpoint": endpoint, "completion": {"debounceMs": 0, "maxTokens": 100}}
        editor.notify("workspace/didChangeConfiguration", {"settings": {"qwen": changed}})
        async with asyncio.timeout(5):
            assert (await waiting)["result"]["items"] == []
        assert (await editor.command("qwen.status"))["completion"]["last"]["problem"] == ""

        model.reply("urn x * 0.5")
        person.text = person.text[:-1]
        row, column = person.at
        person.version += 1
        gone = {"range": {"start": place(row, column), "end": place(row, column + 1)}, "text": ""}
        editor.change(person.uri, person.version, gone)
        assert await person.inline() == ["urn x * 0.5"]


async def test_a_document_that_is_closed_ends_its_request(tmp_path: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, tmp_path, model, firstTokenTimeout=60)
        person.insert("\n\ndef half(x: float) -> float:\n    ret")
        model.reply("never", hang="headers")
        params = {"textDocument": {"uri": person.uri}, "position": place(*person.at)}
        _, waiting = editor.ask("textDocument/inlineCompletion", {**params, "context": {"triggerKind": 1}})
        await model.wait_requests(1)
        editor.notify("textDocument/didClose", {"textDocument": {"uri": person.uri}})
        async with asyncio.timeout(10):
            assert (await waiting)["result"]["items"] == []
        await model.wait_early_closes(1)


async def test_what_was_said_of_a_document_that_is_opened_anew_is_not_said_again(tmp_path: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, tmp_path, model)
        person.insert("\n\ndef half(x: float) -> float:\n    ret")
        model.reply("urn x / 2")
        assert await person.inline() == ["urn x / 2"]
        assert await person.inline() == ["urn x / 2"]
        editor.open(person.uri, person.text, 7)
        model.reply("urn x * 0.5")
        assert await person.inline() == ["urn x * 0.5"]

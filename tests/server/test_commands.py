"""Our own commands and what typing asks for, end to end against a scripted model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.server.commands import STREAM
from qwen_lsp.server.protocol import RequestCancelled, RequestFailed
from tests.support.editor import (
    CAPABILITIES,
    TIME,
    Editor,
    EditorError,
    Json,
    in_process,
    indexed,
    place,
    replace,
    span,
)
from tests.support.endpoint import ScriptedEndpoint

CODE = """def area(width: float, height: float) -> float:
    return width * height


def volume(width: float, height: float, depth: float) -> float:
    return area(width, height) * depth
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shapes.py").write_text(CODE)
    (tmp_path / "main.py").write_text("from shapes import volume\n\nprint(volume(1, 2, 3))\n")
    return tmp_path


@asynccontextmanager
async def opened(
    root: Path, model: ScriptedEndpoint | None = None, **more: Any
) -> AsyncGenerator[tuple[Editor, str]]:
    """An editor with the workspace indexed and shapes.py open."""
    options: Json = {"completion": {"debounceMs": 0}}
    if model is not None:
        options["endpoint"] = {
            "baseUrl": model.base_url,
            "model": model.model,
            "kind": "vllm",
            "maxRetries": 0,
        }
    async with in_process() as editor:
        await editor.initialize(root, initializationOptions=options, **more)
        await indexed(editor)
        uri = (root / "shapes.py").as_uri()
        editor.open(uri, CODE)
        yield editor, uri


async def refused(editor: Editor, command: str, argument: Json) -> str:
    with pytest.raises(EditorError) as caught:
        await editor.command(command, argument)
    assert caught.value.code == RequestFailed
    return str(caught.value)


# -- status and context --------------------------------------------------------------------------------


async def test_status_tells_how_things_stand(root: Path) -> None:
    async with opened(root) as (editor, uri):
        status = await editor.command("qwen.status", {"uri": uri})
        assert status["endpoint"] == {"configured": False}
        index = status["folders"][0]["index"]
        assert (index["complete"], index["files"], index["definitions"]) == (True, 2, 2)
        assert index["languages"] == {"python": 2}
        assert status["document"] == {
            "version": 1,
            "language": "python",
            "lines": 7,
            "definitions": 2,
            "hasErrors": False,
        }
        editor.change(uri, 2, replace((0, 0), (0, 0), "def fresh(): ...\n"))
        assert (await editor.command("qwen.status", {"uri": uri}))["document"]["definitions"] == 3


async def test_status_names_the_endpoints_host_but_no_key(root: Path) -> None:
    async with ScriptedEndpoint() as model:
        options = {"endpoint": {"baseUrl": model.base_url, "model": "m", "apiKey": "sk-very-secret"}}
        async with in_process() as editor:
            await editor.initialize(root, initializationOptions=options)
            status = await editor.command("qwen.status")
            assert status["endpoint"]["configured"] is True
            assert status["endpoint"]["host"] == f"127.0.0.1:{model.port}"
            assert "sk-very-secret" not in json.dumps(status)


async def test_context_is_shown_with_a_reason_for_each_part(root: Path) -> None:
    async with opened(root) as (editor, _):
        main = (root / "main.py").as_uri()
        argument = {"uri": main, "position": place(2, 6), "budget": 500}
        receipt = await editor.command("qwen.showContext", argument)
        assert 0 < receipt["tokens"] <= 500
        assert [part["path"] for part in receipt["parts"]] == ["shapes.py"]
        assert all(part["why"] for part in receipt["parts"])
        told = await editor.command("qwen.showContext", {**argument, "form": "text"})
        assert f"{receipt['tokens']} of 500 tokens in 1 files" in told.pop("text")
        assert told == receipt


def page_of(root: Path) -> Json:
    return {"uri": (root / "main.py").as_uri(), "position": place(2, 6), "budget": 500, "form": "html"}


def kept(file: Path) -> tuple[str, list[int]]:
    """A file's text, and who may do what with it and with its folder."""
    return file.read_text("utf-8"), [path.stat().st_mode & 0o777 for path in (file, file.parent)]


async def test_context_as_a_page_is_opened_outside_the_editor(root: Path, own_user_folders: Path) -> None:
    capabilities = {**CAPABILITIES, "window": {"showDocument": {"support": True}}}
    async with opened(root, capabilities=capabilities) as (editor, _):
        shown: list[Json] = []
        editor.answers["window/showDocument"] = lambda params: shown.append(params) or {"success": True}
        found = await editor.command("qwen.showContext", page_of(root))
        assert [part["path"] for part in found["parts"]] == ["shapes.py"]
        file = Path(found["page"]["path"])
        assert shown == [{"uri": found["page"]["uri"], "external": True, "takeFocus": True}]
        assert found["page"]["uri"] == file.as_uri()
        assert found["page"]["shown"] is True
        assert file.is_relative_to(own_user_folders / "cache")
        text, modes = kept(file)
        assert modes == [0o600, 0o700]
        assert "main.py:3" in text
        assert "def volume" in text
        assert str(root) not in text


@pytest.mark.parametrize("answer", [{"success": False}, None])
async def test_a_page_that_nobody_opens_is_told_by_its_path(answer: Json | None, root: Path) -> None:
    window = {"showDocument": {"support": True}} if answer is not None else {}
    async with opened(root, capabilities={**CAPABILITIES, "window": window}) as (editor, _):
        editor.answers["window/showDocument"] = lambda params: answer
        found = await editor.command("qwen.showContext", page_of(root))
        assert found["page"]["shown"] is False
        assert kept(Path(found["page"]["path"]))[0].startswith("<!DOCTYPE html>")


async def test_a_page_that_cannot_be_written_is_told_in_a_sentence(
    root: Path, own_user_folders: Path
) -> None:
    (own_user_folders / "cache").mkdir(exist_ok=True)
    async with opened(root) as (editor, _):
        (own_user_folders / "cache" / "qwen-lsp" / "pages").write_text("in the way")
        said = await refused(editor, "qwen.showContext", page_of(root))
        assert said.startswith("the page could not be written: ")


async def test_the_context_of_a_large_prompt_tells_its_epoch(root: Path) -> None:
    async with opened(root) as (editor, uri):
        argument: Json = {"uri": uri, "position": place(0, 0), "feature": "explain"}
        receipt = await editor.command("qwen.showContext", argument)
        assert [(part["path"], part["section"]) for part in receipt["parts"]] == [("main.py", "frozen")]
        assert receipt["epoch"]["cut"] == "it is the first"
        assert receipt["epoch"]["frozen"] + receipt["epoch"]["tail"] == receipt["tokens"]
        small = await editor.command("qwen.showContext", argument | {"budget": 4_000})
        assert "epoch" not in small
        for feature in ("action", "agent"):
            told = await editor.command("qwen.showContext", argument | {"feature": feature, "budget": 64_000})
            assert told["epoch"]["cut"] == "it is the first"
        assert "agent" in await refused(editor, "qwen.showContext", argument | {"feature": "poem"})


@pytest.mark.parametrize(
    ("argument", "word"),
    [
        ({}, "uri"),
        ({"uri": 5}, "uri"),
        ({"uri": "URI"}, "position"),
        ({"uri": "URI", "position": {"line": -1, "character": 0}}, "position"),
        ({"uri": "URI", "position": {"line": 0, "character": 0}, "budget": 0}, "budget"),
        ({"uri": "URI", "position": {"line": 0, "character": 0}, "budget": "many"}, "budget"),
        ({"uri": "URI", "position": {"line": 0, "character": 0}, "form": "pdf"}, "form"),
        ({"uri": "URI", "position": {"line": 0, "character": 0}, "form": ["html"]}, "form"),
    ],
)
async def test_wrong_arguments_are_named(argument: Json, word: str, root: Path) -> None:
    async with opened(root) as (editor, uri):
        argument = {key: uri if value == "URI" else value for key, value in argument.items()}
        assert f"`{word}`" in await refused(editor, "qwen.showContext", argument)


async def test_a_file_that_is_not_there_is_named_without_its_folder(root: Path) -> None:
    async with opened(root) as (editor, _):
        said = await refused(editor, "qwen.explainFile", {"uri": (root / "gone.py").as_uri()})
        assert "gone.py" in said
        assert str(root) not in said


# -- explain -------------------------------------------------------------------------------------------


async def test_without_a_model_the_index_explains(root: Path) -> None:
    async with opened(root) as (editor, uri):
        said = await editor.command("qwen.explainFile", {"uri": uri})
        assert "volume" in said


async def test_an_explanation_streams_and_shows_progress(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        model.reply("It computes areas and volumes.", chunks=["It computes ", "areas and ", "volumes."])
        argument = {"uri": uri, "stream": "s1"}
        said = await editor.command("qwen.explainFile", argument, workDoneToken="w1")
        assert said.strip() == "It computes areas and volumes."
        pieces = [m["params"] for m in editor.messages if m.get("method") == STREAM]
        assert {p["stream"] for p in pieces} == {"s1"}
        assert "".join(p["text"] for p in pieces) == said
        progress = [m["params"] for m in editor.messages if m.get("method") == "$/progress"]
        kinds = [p["value"]["kind"] for p in progress if p["token"] == "w1"]
        assert (kinds[0], kinds[-1]) == ("begin", "end")


@pytest.mark.parametrize("way", ["$/cancelRequest", "window/workDoneProgress/cancel"])
async def test_cancelling_an_explanation_closes_the_socket(way: str, root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        model.reply("one two three", chunks=["one ", "two ", "three"], hang_after=1)
        params = {
            "command": "qwen.explainFile",
            "arguments": [{"uri": uri, "stream": 1}],
            "workDoneToken": "w",
        }
        msg_id, reply = editor.ask("workspace/executeCommand", params)
        await model.wait_requests()
        editor.notify(way, {"id": msg_id, "token": "w"})
        async with asyncio.timeout(TIME):
            assert (await reply)["error"]["code"] == RequestCancelled
        await model.wait_early_closes()


async def test_a_failing_model_is_reported_in_a_sentence(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        model.reply(status=500)
        said = await refused(editor, "qwen.explainFile", {"uri": uri})
        assert "Traceback" not in said
        assert len(said) < 400


# -- completion ----------------------------------------------------------------------------------------


def inline(uri: str, line: int, character: int, kind: int = 1) -> Json:
    return {
        "textDocument": {"uri": uri},
        "position": place(line, character),
        "context": {"triggerKind": kind},
    }


async def test_an_inline_completion_comes_from_the_model(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        editor.change(uri, 2, replace((6, 0), (6, 0), "\n\ndef half(x: float) -> float:\n    return "))
        model.reply("x / 2")
        found = await editor.request("textDocument/inlineCompletion", inline(uri, 9, 11))
        assert [item["insertText"] for item in found["items"]] == ["x / 2"]
        assert found["items"][0]["range"] == span((9, 11), (9, 11))


async def test_cancelling_a_completion_closes_the_socket(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        editor.change(uri, 2, replace((6, 0), (6, 0), "\n\ndef half(x: float) -> float:\n    return "))
        model.reply("x / 2", hang="headers")
        msg_id, reply = editor.ask("textDocument/inlineCompletion", inline(uri, 9, 11))
        await model.wait_requests()
        editor.notify("$/cancelRequest", {"id": msg_id})
        async with asyncio.timeout(TIME):
            assert (await reply)["error"]["code"] == RequestCancelled
        await model.wait_early_closes()


async def test_clients_without_inline_completion_get_an_item(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        editor.change(uri, 2, replace((6, 0), (6, 0), "\n\ndef half(x: float) -> float:\n    ret"))
        model.reply("urn x / 2")
        params = {"textDocument": {"uri": uri}, "position": place(9, 7), "context": {"triggerKind": 1}}
        found = await editor.request("textDocument/completion", params)
        (item,) = found["items"]
        assert item["textEdit"] == {"range": span((9, 4), (9, 7)), "newText": "return x / 2"}
        assert item["filterText"].startswith("ret")


async def test_clients_with_inline_completion_get_no_item_twice(root: Path) -> None:
    capabilities: Json = {**CAPABILITIES, "textDocument": {"inlineCompletion": {}}}
    async with opened(root, capabilities=capabilities) as (editor, uri):
        params = {"textDocument": {"uri": uri}, "position": place(1, 10)}
        assert (await editor.request("textDocument/completion", params))["items"] == []


# -- code actions --------------------------------------------------------------------------------------


def actions(uri: str, line: int, **context: Any) -> Json:
    where = span((line, 4), (line, 4))
    return {"textDocument": {"uri": uri}, "range": where, "context": {"diagnostics": [], **context}}


async def test_actions_are_offered_and_resolved_into_a_versioned_edit(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        offered = await editor.request("textDocument/codeAction", actions(uri, 0))
        (action,) = [a for a in offered if a["title"].startswith("Document")]
        model.reply(f'```python\n{CODE.splitlines()[0]}\n    """The area."""\n```')
        resolved = await editor.request("codeAction/resolve", action)
        (change,) = resolved["edit"]["documentChanges"]
        assert change["textDocument"] == {"uri": uri, "version": 1}
        assert '"""The area."""' in "".join(edit["newText"] for edit in change["edits"])
        assert all(edit["annotationId"] == "qwen" for edit in change["edits"])
        assert resolved["edit"]["changeAnnotations"]["qwen"]["label"]


async def test_an_action_on_a_text_that_moved_on_is_refused(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        offered = await editor.request("textDocument/codeAction", actions(uri, 0))
        (action,) = [a for a in offered if a["title"].startswith("Document")]
        editor.change(uri, 2, replace((0, 4), (0, 8), "size"))
        with pytest.raises(EditorError, match="changed"):
            await editor.request("codeAction/resolve", action)


async def test_without_a_model_only_what_works_is_offered(root: Path) -> None:
    async with opened(root) as (editor, uri):
        offered = await editor.request("textDocument/codeAction", actions(uri, 0))
        assert [a["command"]["command"] for a in offered] == ["qwen.explainFile"]
    capabilities = {**CAPABILITIES, "textDocument": {"codeAction": {"disabledSupport": True}}}
    async with opened(root, capabilities=capabilities) as (editor, uri):
        offered = await editor.request("textDocument/codeAction", actions(uri, 0))
        assert [a["title"] for a in offered if "disabled" in a]
        assert all(a["disabled"]["reason"] for a in offered if "disabled" in a)


async def test_only_the_kinds_asked_for_are_offered(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        offered = await editor.request("textDocument/codeAction", actions(uri, 0, only=["refactor.rewrite"]))
        assert {a["kind"] for a in offered} == {"refactor.rewrite"}
        assert not await editor.request("textDocument/codeAction", actions(uri, 0, only=["source"]))


async def test_an_explanation_asked_for_by_an_action_is_shown(root: Path) -> None:
    capabilities = {**CAPABILITIES, "window": {"showDocument": {"support": True}}}
    async with opened(root, capabilities=capabilities) as (editor, uri):
        shown: list[str] = []

        def show(params: Json) -> Json:
            shown.append(params["uri"])
            return {"success": True}

        editor.answers["window/showDocument"] = show
        offered = await editor.request("textDocument/codeAction", actions(uri, 0))
        (action,) = [a for a in offered if a["title"].startswith("Explain")]
        await editor.request("workspace/executeCommand", action["command"])
        assert shown[0].endswith("explanation.md")


# -- symbols -------------------------------------------------------------------------------------------


async def test_symbols_are_found_in_closed_and_open_files(root: Path) -> None:
    async with opened(root) as (editor, uri):
        editor.change(uri, 2, replace((0, 0), (0, 0), "é = '😀'; volumetric = 1\n"))
        found = await editor.request("workspace/symbol", {"query": "volume"})
        names = [symbol["name"] for symbol in found]
        assert names[0] == "volume"
        assert found[0]["location"] == {"uri": uri, "range": span((5, 4), (5, 10))}


# -- edit ----------------------------------------------------------------------------------------------

EDITED = CODE.replace("width * height", "height * width")


def call_edit(model: ScriptedEndpoint) -> None:
    arguments = {
        "file_path": "shapes.py",
        "old_string": "    return width * height\n",
        "new_string": "    return height * width\n",
    }
    model.reply(tool_calls=[("edit", arguments)])
    model.reply("Swapped the factors.")


async def test_an_agents_edit_is_applied_by_the_editor_once(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        applied: list[Json] = []

        def apply(params: Json) -> Json:
            applied.append(params["edit"])
            (change,) = params["edit"]["documentChanges"]
            assert change["textDocument"] == {"uri": uri, "version": 1}
            edits = [{"range": e["range"], "text": e["newText"]} for e in reversed(change["edits"])]
            editor.change(uri, 2, *edits)
            return {"applied": True}

        editor.answers["workspace/applyEdit"] = apply
        call_edit(model)
        result = await editor.command(
            "qwen.edit", {"task": "Swap the factors.", "uri": uri}, workDoneToken="w"
        )
        assert len(applied) == 1
        (note,) = applied[0]["changeAnnotations"].values()
        assert note["needsConfirmation"] is True
        assert result["applied"] is True
        expected = {"path": "shapes.py", "uri": uri, "state": "applied", "way": "editor"}
        assert result["files"] == [expected]
        assert "+    return height * width" in result["diff"]
        assert (root / "shapes.py").read_text() == CODE
        tokens = {m["params"]["token"] for m in editor.messages if m.get("method") == "$/progress"}
        assert "w" in tokens


async def test_an_editor_may_end_a_file_its_own_way(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, _):

        def apply(params: Json) -> Json:
            create, change = params["edit"]["documentChanges"]
            assert create["kind"] == "create"
            (root / "new.py").touch()
            # The file is opened unsaved, with the editor's own line break at its end.
            editor.open(create["uri"], change["edits"][0]["newText"] + "\n")
            return {"applied": True}

        editor.answers["workspace/applyEdit"] = apply
        model.reply(tool_calls=[("write_file", {"file_path": "new.py", "content": "x = 1\n"})])
        model.reply("Done.")
        result = await editor.command("qwen.edit", {"task": "Write new.py."})
        assert (result["applied"], result["files"][0]["state"]) == (True, "applied")


async def test_a_refused_edit_is_not_called_applied(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        editor.answers["workspace/applyEdit"] = lambda params: {"applied": False, "failureReason": "no"}
        call_edit(model)
        result = await editor.command("qwen.edit", {"task": "Swap the factors.", "uri": uri})
        assert (result["applied"], result["problem"]) == (False, "no")
        assert result["files"][0]["state"] == "unchanged"
        assert result["diff"]


async def test_what_was_typed_meanwhile_is_kept(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        asked: list[Json] = []

        def apply(params: Json) -> Json:
            asked.append(params["edit"]["documentChanges"][0])
            return {"applied": False}

        editor.answers["workspace/applyEdit"] = apply
        call_edit(model)
        params = {"command": "qwen.edit", "arguments": [{"task": "Swap the factors.", "uri": uri}]}
        _, reply = editor.ask("workspace/executeCommand", params)
        await model.wait_requests()
        editor.change(uri, 2, replace((6, 0), (6, 0), "# typed meanwhile\n"))
        async with asyncio.timeout(TIME):
            assert "error" not in await reply
        assert asked[0]["textDocument"]["version"] == 2
        assert [edit["range"] for edit in asked[0]["edits"]] == [span((1, 11), (1, 25))]


async def test_a_selection_is_edited_by_one_request(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        model.reply("```python\n    return height * width\n```")
        argument = {
            "task": "swap",
            "uri": uri,
            "range": span((1, 0), (1, 5)),
            "scope": "selection",
            "apply": False,
        }
        result = await editor.command("qwen.edit", argument)
        assert "+    return height * width" in result["diff"]
        assert len(model.requests) == 1


async def test_a_cursor_is_a_selection_too(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, uri):
        editor.change(uri, 2, replace((0, 0), (0, 0), "def other():\n    return 0\n\n\n"))
        model.reply("```python\ndef area(width, height):\n    return height * width\n```")
        argument = {"task": "swap", "uri": uri, "range": span((5, 6), (5, 6)), "scope": "selection"}
        result = await editor.command("qwen.edit", argument | {"apply": False})
        assert "def other" not in "".join(line for line in result["diff"].split("\n") if line[:1] in "+-")
        assert "+    return height * width" in result["diff"]


async def test_a_selection_of_a_secret_file_is_not_sent(root: Path) -> None:
    async with ScriptedEndpoint() as model, opened(root, model) as (editor, _):
        model.reply("nothing to do")
        secret = (root / ".env").as_uri()
        editor.open(secret, "INNER=zebra-quartz-71\n")
        argument = {"task": "look", "uri": secret, "range": span((0, 0), (1, 0)), "apply": False}
        await editor.command("qwen.edit", argument)
        assert "zebra-quartz" not in str([request.body for request in model.requests])


async def test_an_edit_needs_a_model_and_says_so(root: Path) -> None:
    async with opened(root) as (editor, uri):
        assert "OPENAI_BASE_URL" in await refused(editor, "qwen.edit", {"task": "x", "uri": uri})

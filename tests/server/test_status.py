"""How things stand: told to a client that wants to know, as it changes, and in the result of a command."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from qwen_lsp.model import target
from qwen_lsp.model.probe import Found
from tests.server.test_commands import inline
from tests.server.test_contract import SECTIONS, fits
from tests.support.agent import AFTER, BEFORE, NEW_CART, scene
from tests.support.desk import VSCODE, read
from tests.support.editor import TIME, Editor, EditorError, Json, in_process, indexed
from tests.support.endpoint import ScriptedEndpoint

TOLD: Json = {**VSCODE, "experimental": {"qwen": {"status": True}}}


def states(editor: Editor) -> list[str]:
    return [m["params"]["state"] for m in editor.messages if m.get("method") == "qwen/status"]


async def stands(editor: Editor, state: str) -> Json:
    """The first status with this state that comes from now on, or the last one when that has it."""
    told = [m["params"] for m in editor.messages if m.get("method") == "qwen/status"]
    if told and told[-1]["state"] == state:
        return told[-1]
    begun = len(editor.messages)

    def is_it(message: Json) -> bool:
        later = editor.messages.index(message) >= begun
        return later and message.get("method") == "qwen/status" and message["params"]["state"] == state

    async with asyncio.timeout(TIME):
        return (await editor.until(is_it))["params"]


async def test_nobody_is_told_who_does_not_ask(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.model.reply("It sums.")
        await at.editor.command("qwen.explainFile", {"uri": at.desk.uri("cart.py")})
        assert states(at.editor) == []


async def test_without_an_endpoint_the_embedded_default_is_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    async with in_process() as editor:
        await editor.initialize(tmp_path, capabilities=TOLD)
        told = await stands(editor, "embedded")
        assert told["host"] is None
        assert "OPENAI_BASE_URL" in told["text"]
        assert (await editor.command("qwen.status"))["state"] == told


async def test_work_is_seen_while_it_goes_on_and_its_tokens_after_it(tmp_path: Path) -> None:
    async with scene(tmp_path, TOLD) as at:
        ready = await stands(at.editor, "ready")
        assert ready["model"] == at.model.model
        assert ready["tokens"]["prompt"] == 0
        hold = asyncio.Event()
        at.model.reply("It sums.", hold=hold)
        asked = asyncio.ensure_future(at.editor.command("qwen.explainFile", {"uri": at.desk.uri("cart.py")}))
        working = await stands(at.editor, "working")
        assert at.model.model in working["text"]
        hold.set()
        await asked
        after = await stands(at.editor, "ready")
        assert after["tokens"]["prompt"] > 0
        for message in at.editor.messages:
            if message.get("method") == "qwen/status":
                fits(message["params"], SECTIONS["qwen/status"])


async def test_a_failing_endpoint_says_why_until_it_answers_again(tmp_path: Path) -> None:
    async with scene(tmp_path, TOLD) as at:
        uri = at.desk.uri("cart.py")
        at.model.reply(status=500, body=b"out of memory")
        with pytest.raises(EditorError):
            await at.editor.command("qwen.explainFile", {"uri": uri})
        failing = await stands(at.editor, "failing")
        assert "500" in failing["problem"]
        at.model.reply("It sums.")
        await at.editor.command("qwen.explainFile", {"uri": uri})
        assert (await stands(at.editor, "ready"))["problem"] is None


async def test_an_endpoint_that_is_not_there_is_told_with_the_first_completion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "COOL_DOWN", 0.0)
    (tmp_path / "a.py").write_text("total = 1\nto")
    uri = (tmp_path / "a.py").as_uri()
    async with ScriptedEndpoint() as model, in_process() as editor:
        # Without the name of a model nothing can be sent before the endpoint is asked for it.
        settings = {"endpoint": {"baseUrl": model.base_url}}
        await editor.initialize(tmp_path, capabilities=TOLD, initializationOptions=settings)
        assert (await stands(editor, "ready"))["text"] == f"The model at 127.0.0.1:{model.port}."
        await model.stop()
        editor.open(uri, "total = 1\nto")
        await editor.request("textDocument/inlineCompletion", inline(uri, 1, 2))
        failing = await stands(editor, "failing")
        assert f"127.0.0.1:{model.port}" in failing["problem"]
        await model.start()
        model.reply("tal")
        editor.change(uri, 2, {"text": "total = 1\n\nto"})
        await editor.request("textDocument/inlineCompletion", inline(uri, 2, 2))
        assert (await stands(editor, "ready"))["model"] == model.model


async def test_completions_turned_off_are_off_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path, TOLD) as at:
        await stands(at.editor, "ready")
        settings = {"qwen": {"completion": {"enabled": False}}}
        at.editor.notify("workspace/didChangeConfiguration", {"settings": settings})
        assert "turned off" in (await stands(at.editor, "off"))["text"]


# -- changes, and pages that a client shows itself -------------------------------------------------------


async def test_a_run_tells_what_it_changes_file_by_file(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        looked = await at.edit(apply=False)
        changes = {change["path"]: change for change in looked["changes"]}
        assert {path: change["kind"] for path, change in changes.items()} == {
            "prices.py": "changed", "cart.py": "changed", "docs/notes.md": "created", "gone.py": "deleted",
        }  # fmt: skip
        cart = changes["cart.py"]
        assert cart["uri"] == at.desk.uri("cart.py")
        assert (cart["added"], cart["removed"]) == (2, 2)
        assert all(f"+{line}" in cart["diff"] for line in NEW_CART.splitlines() if "before_tax" in line)
        assert "".join(change["diff"] for change in looked["changes"]) == looked["diff"]
        told = await at.editor.command("qwen.showRun", {"run": looked["run"], "form": "changes"})
        assert told["changes"] == [{**change, "landed": False} for change in looked["changes"]]
        await at.editor.command("qwen.landEdit", {"run": looked["run"], "files": ["cart.py", "gone.py"]})
        told = await at.editor.command("qwen.showRun", {"run": looked["run"], "form": "changes"})
        assert {change["path"] for change in told["changes"] if change["landed"]} == {"cart.py", "gone.py"}


async def test_models_on_this_machine_are_offered_those_for_code_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def discover() -> list[Found]:
        return [
            Found("ollama", "http://127.0.0.1:11434/v1", ("llama3.1:8b", "qwen2.5:7b")),
            Found("vllm", "http://127.0.0.1:8000/v1", ("Qwen/Qwen3-Coder-30B-A3B-Instruct",)),
        ]

    monkeypatch.setattr("qwen_lsp.model.probe.discover", discover)
    async with scene(tmp_path, VSCODE) as at:
        told = await at.editor.command("qwen.findEndpoints")
        assert [(one["kind"], one["model"]) for one in told["endpoints"]] == [
            ("vllm", "Qwen/Qwen3-Coder-30B-A3B-Instruct"),
            ("ollama", "qwen2.5:7b"),
            ("ollama", "llama3.1:8b"),
        ]
        assert told["endpoints"][0]["baseUrl"] == "http://127.0.0.1:8000/v1"


async def test_the_texts_of_a_changed_file_are_there_to_be_compared(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        run = (await at.edit(apply=False))["run"]
        for path, after in AFTER.items():
            told = await at.editor.command("qwen.showRun", {"run": run, "form": "texts", "path": path})
            assert told == {"run": run, "before": BEFORE[path] or "", "after": after or ""}
        other = {"run": run, "form": "texts", "path": "old.py"}
        assert await at.refused("qwen.showRun", other) == f"the run {run} does not change old.py"
        del other["path"]
        assert "`path`" in await at.refused("qwen.showRun", other)


async def test_a_client_may_show_a_page_itself(tmp_path: Path) -> None:
    client = {**VSCODE, "window": {**VSCODE["window"], "showDocument": {"support": True}}}
    async with scene(tmp_path, client) as at:
        await indexed(at.editor)
        where = {"uri": at.desk.uri("cart.py"), "position": {"line": 3, "character": 0}}
        told = await at.editor.command("qwen.showContext", {**where, "form": "html", "show": False})
        assert told["page"]["shown"] is False
        assert "prefers-color-scheme" in read(Path(told["page"]["path"]))
        told = await at.editor.command(
            "qwen.showContext", {**where, "form": "html", "show": False, "theme": "dark"}
        )
        assert "color-scheme: dark" in read(Path(told["page"]["path"]))
        assert not any(m.get("method") == "window/showDocument" for m in at.editor.messages)

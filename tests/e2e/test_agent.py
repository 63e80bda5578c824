"""An agent's edit by the real server, for what real editors announce, and through the server's death."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients import TIME, capabilities, desk
from tests.support.agent import AFTER, BEFORE, CALLS, FILES, RENAME, endpoint
from tests.support.desk import VSCODE
from tests.support.desk import Desk as Texts
from tests.support.editor import Json, indexed, spawned
from tests.support.endpoint import ScriptedEndpoint

pytestmark = pytest.mark.slow

EDITORS = ["visual-studio-code", "neovim", "emacs"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "w"
    folder.mkdir()
    for path, text in FILES.items():
        (folder / path).write_text(text)
    return folder


@pytest.mark.parametrize("name", EDITORS)
async def test_an_edit_lands_and_is_taken_back_in_each_editor(root: Path, name: str) -> None:
    async with ScriptedEndpoint() as model:
        options = {"endpoint": endpoint(model)}
        async with desk(root, client=capabilities(name), options=options) as editor:
            uri = editor.open(root / "prices.py")

            def seen() -> dict[str, str | None]:
                found: dict[str, str | None] = {}
                for path in AFTER:
                    file = root / path
                    on_disk = file.read_text() if file.exists() else None
                    found[path] = editor.texts.get(file.as_uri(), on_disk)
                return found

            (root / "docs").mkdir()  # this client makes no folders
            model.reply(tool_calls=CALLS)
            model.reply("Renamed it.")
            argument = {"task": "Rename net.", "uri": uri, "apply": True, "stream": "s"}
            result = await editor.command("qwen.edit", argument, token="bar")
            assert result["applied"] is True, result
            assert seen() == AFTER
            kinds = [str(event.event.event) for event in editor.events]
            assert (kinds[0], kinds[-1]) == ("began", "stopped")
            # Only VS Code shows the whole edit itself; the others are asked where they can be.
            assert len(editor.questions) <= (name != "visual-studio-code")
            assert (await editor.command("qwen.undoEdit"))["undone"] is True
            assert seen() == BEFORE


async def test_a_run_whose_server_was_killed_is_gone_on_with(root: Path) -> None:
    async with ScriptedEndpoint() as model:
        start: dict[str, Any] = {
            "capabilities": VSCODE,
            "initializationOptions": {"endpoint": endpoint(model)},
        }
        async with spawned() as editor:
            await editor.initialize(root, **start)
            await indexed(editor)
            model.reply(tool_calls=[RENAME])
            model.reply("never said", hang="headers")
            params: Json = {"command": "qwen.edit", "arguments": [{"task": "Rename net."}]}
            _, reply = editor.ask("workspace/executeCommand", params)
            await model.wait_requests(2)
            assert editor.process is not None
            editor.process.kill()
            await editor.process.wait()
            assert not reply.done()
            reply.cancel()
        assert {path: (root / path).read_text() for path in FILES} == FILES
        async with spawned() as editor:
            await editor.initialize(root, **start)
            await indexed(editor)
            texts = Texts(editor, root)
            texts.open("cart.py")
            (run,) = await editor.command("qwen.agentRuns")
            assert (run["ended"], run["running"], run["resumable"]) == (None, False, True)
            model.reply(tool_calls=CALLS[1:])
            model.reply("Renamed it.")
            async with asyncio.timeout(TIME):
                result = await editor.command("qwen.edit", {"resume": run["run"]})
            assert (result["run"], result["ended"], result["applied"]) == (run["run"], "done", True)
            assert {path: texts.text(path) for path in AFTER} == AFTER
            sent = [request.messages for request in model.requests]
            assert sent[2][: len(sent[1])] == sent[1], "the conversation goes on where it was"
            await editor.leave()

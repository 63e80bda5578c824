"""Many runs: one at a time in a folder, landed later or in part, and taken back after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.agent import (
    AFTER,
    BEFORE,
    CALLS,
    NEW_CART,
    endpoint,
    result_of,
    scene,
    states,
)
from tests.support.desk import HELIX, VSCODE, Desk
from tests.support.editor import EditorError, Json, in_process, indexed
from tests.support.endpoint import ScriptedEndpoint

# -- many at once --------------------------------------------------------------------------------------


async def test_a_workspace_has_one_run_at_a_time(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        hold = asyncio.Event()
        at.model.reply(tool_calls=CALLS, hold=hold)
        at.model.reply("Renamed it.")
        _, reply = at.begin()
        await at.model.wait_requests()
        said = await at.refused("qwen.edit", {"task": "Something else."})
        assert "Rename net." in said
        assert "qwen.stopEdit" in said
        hold.set()
        assert (await result_of(reply))["applied"] is True
        at.model.reply("Nothing to do.")
        assert (await at.edit())["ended"] == "done"


async def test_folders_do_not_wait_for_one_another(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.py").write_text("b = 1\n")
    (root := tmp_path / "root").mkdir()
    async with scene(root, VSCODE) as at:
        folder = {"uri": other.as_uri(), "name": "other"}
        at.editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder], "removed": []}})
        await indexed(at.editor, 2)
        hold = asyncio.Event()
        at.model.reply("Nothing here.", hold=hold, match="Rename net.")
        _, first = at.begin(uri=at.desk.uri("cart.py"))
        await at.model.wait_requests()
        at.model.reply("Nothing there.", match="Look around.")
        uri = (other / "b.py").as_uri()
        second = await at.editor.command("qwen.edit", {"task": "Look around.", "uri": uri})
        assert second["summary"] == "Nothing there."
        assert not first.done()
        hold.set()
        assert (await result_of(first))["summary"] == "Nothing here."
        listed = await at.editor.command("qwen.agentRuns", {"uri": uri})
        assert [run["task"] for run in listed] == ["Look around."]
        at.model.reply("Still nothing.", match="And further up?")
        again = await at.editor.command("qwen.edit", {"resume": second["run"], "task": "And further up?"})
        assert again["summary"] == "Still nothing.", "goes on in the folder that it belongs to"
        assert len(await at.editor.command("qwen.agentRuns")) == 2


async def test_an_open_preview_is_answered_before_another_landing(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        await at.edit()
        at.script(("write_file", {"file_path": "more.md", "content": "More.\n"}))
        at.editor.answers.pop("workspace/applyEdit")
        _, reply = at.begin()

        def second(message: Json) -> bool:
            return message.get("method") == "workspace/applyEdit" and "more.md" in str(message)

        asked = await at.editor.until(second)
        assert "waits in the editor" in await at.refused("qwen.undoEdit", {})
        at.editor.post({"jsonrpc": "2.0", "id": asked["id"], "result": at.desk.apply(asked["params"])})
        assert (await result_of(reply))["applied"] is True


# -- landing later -------------------------------------------------------------------------------------


async def test_a_run_that_was_looked_at_lands_in_parts(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        looked = await at.edit(apply=False)
        assert (looked["applied"], looked["files"], at.seen()) == (False, [], BEFORE)
        run = looked["run"]
        some = await at.editor.command("qwen.landEdit", {"run": run, "files": [at.desk.uri("cart.py")]})
        assert states(some) == {"cart.py": "applied"}
        assert at.seen() == {**BEFORE, "cart.py": NEW_CART}
        notes = at.desk.asked[0]["edit"]["changeAnnotations"].values()
        assert not any(note["needsConfirmation"] for note in notes), "it was looked at already"
        at.desk.write("prices.py", (at.desk.text("prices.py") or "") + "# mine\n")
        rest = await at.editor.command("qwen.landEdit", {"run": run})
        assert (rest["applied"], set(states(rest))) == (True, {"prices.py", "docs/notes.md", "gone.py"})
        again = await at.editor.command("qwen.landEdit", {"run": run})
        assert (again["applied"], set(states(again).values())) == (True, {"applied"})
        assert (await at.undo(run=run))["undone"] is True
        assert at.seen() == {**BEFORE, "prices.py": (BEFORE["prices.py"] or "") + "# mine\n"}


@pytest.mark.parametrize(
    ("more", "said"), [({"files": ["nowhere.py"]}, "did not change nowhere.py"), ({"files": 3}, "`files`")]
)
async def test_only_what_a_run_changed_can_land(tmp_path: Path, more: Json, said: str) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        run = (await at.edit(apply=False))["run"]
        assert said in await at.refused("qwen.landEdit", {"run": run, **more})


async def test_a_run_lands_only_in_its_own_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with scene(tmp_path / "one", HELIX) as at:
        at.script()
        run = (await at.edit(apply=False))["run"]
    async with scene(tmp_path / "two", HELIX) as at:
        for command in ("qwen.landEdit", "qwen.undoEdit"):
            assert "belongs to" in await at.refused(command, {"run": run})
        assert "nothing to take back" in await at.refused("qwen.undoEdit", {})


async def test_what_landed_in_an_editor_is_taken_back_after_a_restart(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        run = (await at.edit())["run"]
        for path in ("prices.py", "cart.py", "docs/notes.md"):
            at.desk.save(path)
    saved: dict[str, Any] = {path: text for path, text in AFTER.items() if text is not None}
    assert {path: (tmp_path / path).read_text() for path in saved} == saved
    async with ScriptedEndpoint() as model, in_process() as editor:
        options = {"endpoint": endpoint(model)}
        await editor.initialize(tmp_path, capabilities=VSCODE, initializationOptions=options)
        await indexed(editor)
        desk = Desk(editor, tmp_path)
        desk.open("cart.py")
        assert (await editor.command("qwen.undoEdit", {"run": run}))["undone"] is True
        assert {path: desk.text(path) for path in BEFORE} == BEFORE
        with pytest.raises(EditorError, match="Nothing of the run"):
            await editor.command("qwen.undoEdit", {"run": run})

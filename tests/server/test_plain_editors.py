"""Editors without a client of ours: nothing is done where nobody sees it, and what was done is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.agent import AFTER, BEFORE, CALLS, FILES, NOTES, Scene, scene, ways
from tests.support.desk import EGLOT, HELIX, THIN
from tests.support.editor import Json, span


def on_disk(root: Path, *paths: str) -> dict[str, str | None]:
    files = {path: root / path for path in paths}
    return {path: file.read_text() if file.exists() else None for path, file in files.items()}


def messages(at: Scene) -> list[str]:
    said = [m["params"] for m in at.editor.messages if m.get("method") == "window/showMessage"]
    return [one["message"] for one in said]


def presses(at: Scene, button: str) -> None:
    at.editor.answers["window/showMessageRequest"] = lambda params: {"title": button}


# -- what an editor would leave unseen -----------------------------------------------------------------


async def test_what_an_editor_would_open_unseen_is_written_to_disk(tmp_path: Path) -> None:
    """Helix keeps what it opens unsaved, and says so to the servers of that language only."""
    async with scene(tmp_path, HELIX) as at:
        presses(at, "Apply")
        at.desk.open("gone.py")
        at.desk.open("old.py")
        move = ("move_file", {"source_path": "old.py", "target_path": "new.py"})
        at.script(*CALLS, move)
        result = await at.edit()
        assert result["applied"] is True
        assert ways(result) == {
            "prices.py": "editor", "cart.py": "editor", "new.py": "editor",
            "docs/notes.md": "disk", "gone.py": "disk",
        }  # fmt: skip
        assert on_disk(tmp_path, "docs/notes.md", "gone.py", "new.py") == {
            "docs/notes.md": NOTES, "gone.py": None, "new.py": "x = 1\n"
        }  # fmt: skip
        assert (await at.undo())["undone"] is True
        assert at.seen() == BEFORE
        assert on_disk(tmp_path, "docs/notes.md", "gone.py", "new.py") == {
            "docs/notes.md": None, "gone.py": FILES["gone.py"], "new.py": None
        }  # fmt: skip


async def test_a_closed_text_is_written_and_not_opened_unsaved(tmp_path: Path) -> None:
    async with scene(tmp_path, HELIX) as at:
        presses(at, "Apply")
        at.desk.close("cart.py")
        at.script()
        result = await at.edit()
        assert (result["applied"], ways(result)["cart.py"]) == (True, "disk")
        assert (at.seen(), at.desk.untold) == (AFTER, {})


# -- what is told --------------------------------------------------------------------------------------


async def test_what_a_run_changed_is_told_where_results_are_thrown_away(tmp_path: Path) -> None:
    async with scene(tmp_path, HELIX) as at:
        presses(at, "Apply")
        at.script()
        await at.edit()
        await at.undo()
        assert messages(at) == [
            "Renamed it. 4 files changed (save the 2 that are open); qwen.undoEdit takes it back.",
            "Taken back. 4 files changed (save the 2 that are open).",
        ]


async def test_an_edit_that_was_refused_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path, HELIX) as at:
        presses(at, "Leave as it is")
        at.script()
        await at.edit()
        assert messages(at) == ["Renamed it. Not applied: it was refused"]


async def test_a_run_that_only_looks_tells_what_the_model_said(tmp_path: Path) -> None:
    async with scene(tmp_path, HELIX) as at:
        at.model.reply("net is in prices.py.\n\nIt has no tests.")
        await at.edit()
        assert messages(at) == ["net is in prices.py."]


async def test_why_a_command_failed_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path, HELIX) as at:
        said = await at.refused("qwen.undoEdit", {})
        assert messages(at) == [said]
        assert "nothing to take back" in said


async def test_how_things_stand_is_told_in_a_sentence(tmp_path: Path) -> None:
    async with scene(tmp_path, HELIX) as at:
        told = await at.editor.command("qwen.status", {"show": True})
        assert messages(at)[-1] == told["state"]["text"]


async def test_a_client_of_ours_shows_these_things_itself(tmp_path: Path) -> None:
    async with scene(tmp_path, THIN) as at:
        at.editor.answers["qwen/approve"] = lambda params: {"answer": "once"}
        at.script()
        await at.edit()
        await at.undo()
        await at.refused("qwen.undoEdit", {})
        assert messages(at) == []


# -- actions -------------------------------------------------------------------------------------------


EGLOT_ACTIONS: Json = {**EGLOT, "textDocument": {"codeAction": {"isPreferredSupport": True}}}
"""eglot 1.9 does not have an action resolved: it takes the edit or the command that is there."""
DOCUMENTED = '```python\ndef net(price):\n    """Without tax."""\n```'


async def actions(at: Scene) -> list[Json]:
    where = {"uri": at.desk.uri("prices.py")}
    params: Json = {"textDocument": where, "range": span((0, 4), (0, 4)), "context": {"diagnostics": []}}
    return await at.editor.request("textDocument/codeAction", params)


@pytest.mark.parametrize("client", [HELIX, EGLOT], ids=["helix", "eglot"])
async def test_an_action_that_needs_words_is_for_clients_that_ask_for_them(
    tmp_path: Path, client: Json
) -> None:
    async with scene(tmp_path, client) as at:
        assert "Change by instruction…" not in [action["title"] for action in await actions(at)]
    async with scene(tmp_path, THIN) as at:
        assert "Change by instruction…" in [action["title"] for action in await actions(at)]


async def test_an_action_that_is_a_command_has_nothing_to_be_completed(tmp_path: Path) -> None:
    """Helix asks all the same."""
    async with scene(tmp_path, HELIX) as at:
        (explain,) = [action for action in await actions(at) if action["title"].startswith("Explain")]
        assert await at.editor.request("codeAction/resolve", explain) == explain


async def choose(at: Scene, title: str) -> None:
    """What eglot does with the action that was chosen."""
    command = next(action["command"] for action in await actions(at) if action["title"] == title)
    assert await at.editor.command(command["command"], command["arguments"][0]) is None, "answered at once"


async def test_an_action_is_carried_out_where_it_is_never_resolved(tmp_path: Path) -> None:
    async with scene(tmp_path, EGLOT_ACTIONS) as at:
        at.model.reply(DOCUMENTED)
        await choose(at, "Document `net`")
        await at.editor.until(lambda m: m.get("method") == "workspace/applyEdit")
        assert '"""Without tax."""' in (at.desk.text("prices.py") or "")


async def test_a_new_file_is_written_for_an_editor_that_cannot_create_one(tmp_path: Path) -> None:
    async with scene(tmp_path, EGLOT_ACTIONS) as at:
        at.model.reply("```python\ndef test_net():\n    assert net(1) == 1\n```")
        await choose(at, "Write tests for `net`")
        await at.editor.until(lambda m: m.get("method") == "window/showMessage")
        assert messages(at) == ["Wrote tests/test_prices.py."]
        assert "def test_net" in (tmp_path / "tests/test_prices.py").read_text()


async def test_an_action_that_fails_is_told_although_it_was_answered(tmp_path: Path) -> None:
    async with scene(tmp_path, EGLOT_ACTIONS) as at:
        at.model.reply(status=400)
        await choose(at, "Document `net`")
        await at.editor.until(lambda m: m.get("method") == "window/showMessage")
        assert at.seen() == BEFORE


async def test_an_explanation_does_not_lock_the_keyboard(tmp_path: Path) -> None:
    async with scene(tmp_path, EGLOT_ACTIONS) as at:
        at.model.reply("Prices, with tax and without.")
        await choose(at, "Explain this file")
        await at.editor.until(lambda m: m.get("method") == "window/showMessage")
        assert messages(at) == ["Prices, with tax and without."]

"""An agent's edit lands whole in every kind of editor, is told as it came out, and can be taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from qwen_lsp.errors import ProtectedPath
from qwen_lsp.server.agent_landing import Manner, land
from qwen_lsp.server.table import build
from qwen_lsp.server.workspace_edit import Label
from qwen_lsp.text.edits import FileEdit
from tests.support.agent import (
    AFTER,
    BEFORE,
    CALLS,
    CART,
    FILES,
    NEW_CART,
    PRICES,
    mine,
    result_of,
    scene,
    states,
    ways,
)
from tests.support.desk import BARE, EGLOT, HELIX, NEOVIM, OLD, THIN, VSCODE
from tests.support.editor import Json, in_process, indexed

# -- each kind of editor -------------------------------------------------------------------------------


@pytest.mark.parametrize("client", [VSCODE, NEOVIM, THIN], ids=["vscode", "neovim", "thin"])
async def test_an_editor_that_can_do_everything_gets_one_edit(tmp_path: Path, client: Json) -> None:
    async with scene(tmp_path, client) as at:
        at.editor.answers["window/showMessageRequest"] = lambda params: {"title": "Apply"}
        at.editor.answers["qwen/approve"] = lambda params: {"answer": "once"}
        at.script()
        result = await at.edit()
        assert result["applied"] is True
        assert set(states(result).values()) == {"applied"}
        assert set(ways(result).values()) == {"editor"}
        assert at.seen() == AFTER
        (asked,) = at.desk.asked
        versions = {
            step["textDocument"]["uri"].rpartition("/")[2]: step["textDocument"]["version"]
            for step in asked["edit"]["documentChanges"]
            if "textDocument" in step
        }
        assert versions == {"prices.py": 1, "cart.py": 1, "notes.md": None}
        assert (tmp_path / "prices.py").read_text() == PRICES, "the person saves, not the agent"
        undone = await at.undo()
        assert undone["undone"] is True
        assert at.seen() == BEFORE


async def test_a_preview_has_a_tick_for_each_file(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        await at.edit()
        notes = at.desk.asked[0]["edit"]["changeAnnotations"].values()
        assert sorted(note["label"] for note in notes) == [
            "Qwen: change cart.py",
            "Qwen: change prices.py",
            "Qwen: create docs/notes.md",
            "Qwen: delete gone.py",
        ]
        assert all(note["needsConfirmation"] for note in notes)
        assert {note["description"] for note in notes} == {"Rename net."}


async def test_what_an_editor_cannot_do_is_written_beside_its_part(tmp_path: Path) -> None:
    async with scene(tmp_path, EGLOT) as at:
        at.script()
        result = await at.edit(apply=True)
        assert result["applied"] is True
        assert ways(result) == {
            "prices.py": "editor", "cart.py": "editor", "docs/notes.md": "disk", "gone.py": "disk"
        }  # fmt: skip
        assert at.seen() == AFTER
        assert (await at.undo())["undone"] is True
        assert at.seen() == BEFORE
        assert not (tmp_path / "docs").exists()


async def test_an_old_editor_gets_plain_changes_of_texts(tmp_path: Path) -> None:
    async with scene(tmp_path, OLD) as at:
        at.script()
        result = await at.edit(apply=True)
        assert set(at.desk.asked[0]["edit"]) == {"changes"}
        assert (result["applied"], at.seen()) == (True, AFTER)


async def test_an_editor_that_takes_no_edits_has_files_written(tmp_path: Path) -> None:
    async with scene(tmp_path, BARE) as at:
        at.script()
        result = await at.edit(apply=True)
        assert result["applied"] is True
        assert set(ways(result).values()) == {"disk"}
        assert {path: file_text(tmp_path / path) for path in AFTER} == AFTER
        assert (await at.undo())["undone"] is True
        assert {path: file_text(tmp_path / path) for path in AFTER} == BEFORE


def file_text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


async def test_a_closed_file_in_an_old_encoding_is_not_for_the_editor(tmp_path: Path) -> None:
    """An editor that takes it for UTF-8 would show it spoilt, and write it so."""
    async with scene(tmp_path, VSCODE) as at:
        at.editor.answers["window/showMessageRequest"] = lambda params: {"title": "Apply"}
        old = tmp_path / "old.py"
        old.write_bytes("# caf\xe9\nx = 1\n".encode("latin-1"))
        at.script(("edit", {"file_path": "old.py", "old_string": "x = 1", "new_string": "x = 2"}))
        result = await at.edit()
        assert (result["applied"], ways(result)) == (True, {"old.py": "disk"})
        assert old.read_bytes() == "# caf\xe9\nx = 2\n".encode("latin-1")
        assert (await at.undo())["undone"] is True
        assert old.read_bytes() == "# caf\xe9\nx = 1\n".encode("latin-1")


@pytest.mark.parametrize("client", [VSCODE, NEOVIM], ids=["vscode", "neovim"])
async def test_a_closed_file_saved_while_the_preview_is_open_keeps_both(tmp_path: Path, client: Json) -> None:
    """It has no version by which an editor could see that the edit is for another text."""
    lines = [f"x{n} = {n}\n" for n in range(9)]
    async with scene(tmp_path, client) as at:
        at.editor.answers["window/showMessageRequest"] = lambda params: {"title": "Apply"}
        old = tmp_path / "old.py"
        old.write_text("".join(lines))
        at.script(("edit", {"file_path": "old.py", "old_string": "x8 = 8", "new_string": "x8 = 88"}))
        at.desk.meanwhile = saving(old, "# mine\n" + "".join(lines))
        result = await at.edit()
        assert at.desk.text("old.py") == "# mine\n" + "".join(lines).replace("x8 = 8", "x8 = 88")
        assert (result["applied"], states(result)) == (True, {"old.py": "applied"})


def saving(file: Path, text: str) -> Callable[[], None]:
    def save() -> None:
        file.write_text(text)

    return save


async def test_a_closed_file_saved_in_the_same_place_stays_as_it_was_saved(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        old = tmp_path / "old.py"
        at.script(("edit", {"file_path": "old.py", "old_string": "x = 1", "new_string": "x = 2"}))
        at.desk.meanwhile = saving(old, "x = 1  # mine\n")
        result = await at.edit()
        assert at.desk.text("old.py") == "x = 1  # mine\n"
        assert (result["applied"], states(result)) == (False, {"old.py": "unchanged"})
        assert "old.py: saved" in result["problem"]


# -- all or nothing ------------------------------------------------------------------------------------


async def test_no_file_is_written_when_the_editor_refuses_its_part(tmp_path: Path) -> None:
    async with scene(tmp_path, EGLOT) as at:
        at.desk.refuses = True
        at.script()
        result = await at.edit(apply=True)
        assert result["applied"] is False
        assert set(states(result).values()) == {"unchanged"}
        assert (at.seen(), file_text(tmp_path / "gone.py")) == (BEFORE, FILES["gone.py"])
        assert "nothing to take back" in await at.refused("qwen.undoEdit", {})


async def test_the_editors_part_is_taken_back_when_the_disk_refuses(tmp_path: Path) -> None:
    async with scene(tmp_path, EGLOT) as at:
        # The folder's name is taken while the editor works, so that the new file has no place any more.
        at.desk.meanwhile = lambda: (tmp_path / "docs").touch()
        at.script()
        result = await at.edit(apply=True)
        assert result["applied"] is False
        assert "docs" in result["problem"]
        assert set(states(result).values()) == {"unchanged"}
        assert (at.desk.text("prices.py"), at.desk.text("cart.py")) == (PRICES, CART)
        assert (tmp_path / "gone.py").exists()
        assert len(at.desk.asked) == 2


async def test_a_text_that_is_not_saved_is_never_written_over(tmp_path: Path) -> None:
    async with scene(tmp_path, BARE) as at:
        at.desk.write("cart.py", mine(CART))
        at.script()
        result = await at.edit(apply=True)
        assert result["applied"] is False
        assert "cart.py" in result["problem"]
        assert "Save first" in result["problem"]
        assert {path: file_text(tmp_path / path) for path in AFTER} == BEFORE
        assert "+def before_tax" in result["diff"]


async def test_what_nobody_can_look_at_is_not_written_unless_asked_for(tmp_path: Path) -> None:
    async with scene(tmp_path, BARE) as at:
        at.script()
        result = await at.edit()
        assert result["applied"] is False
        assert "qwen.landEdit" in result["problem"]
        assert {path: file_text(tmp_path / path) for path in AFTER} == BEFORE


@pytest.mark.parametrize("client", [HELIX, NEOVIM], ids=["helix", "neovim"])
@pytest.mark.parametrize("button", ["Apply", "Leave as it is", None])
async def test_an_editor_without_a_whole_preview_is_asked_by_a_message(
    tmp_path: Path, button: str | None, client: Json
) -> None:
    """Neovim would ask about each text alone, and delete a file without asking."""
    async with scene(tmp_path, client) as at:
        said: list[str] = []

        def choose(params: Json) -> Json | None:
            said.append(params["message"])
            return None if button is None else {"title": button}

        at.editor.answers["window/showMessageRequest"] = choose
        at.script()
        result = await at.edit()
        assert result["applied"] is (button == "Apply")
        assert at.seen() == (AFTER if button == "Apply" else BEFORE)
        (question,) = said
        assert "4 files" in question
        assert "create docs/notes.md" in question
        for asked in at.desk.asked:
            notes = asked["edit"].get("changeAnnotations", {}).values()
            assert not any(note["needsConfirmation"] for note in notes), "the person has agreed already"


# -- the person works on -------------------------------------------------------------------------------


async def test_what_is_typed_while_the_preview_is_open_is_kept(tmp_path: Path) -> None:
    """VS Code refuses the whole edit for one text that moved on: it is fitted and asked for once more."""
    async with scene(tmp_path, VSCODE) as at:
        at.desk.meanwhile = lambda: at.desk.write("cart.py", mine(CART))
        at.script()
        result = await at.edit()
        assert result["applied"] is True
        assert at.seen() == {**AFTER, "cart.py": mine(NEW_CART)}
        assert len(at.desk.asked) == 2


async def test_a_text_that_the_editor_left_out_as_too_new_is_asked_for_again(tmp_path: Path) -> None:
    """Neovim applies the rest and says that it applied."""
    async with scene(tmp_path, NEOVIM, skips_old=True) as at:
        at.editor.answers["window/showMessageRequest"] = lambda params: {"title": "Apply"}
        at.desk.meanwhile = lambda: at.desk.write("cart.py", mine(CART))
        at.script()
        result = await at.edit()
        assert result["applied"] is True
        assert at.seen() == {**AFTER, "cart.py": mine(NEW_CART)}
        first, again = at.desk.asked
        assert len(first["edit"]["documentChanges"]) == 5
        (step,) = again["edit"]["documentChanges"]
        assert step["textDocument"] == {"uri": at.desk.uri("cart.py"), "version": 2}


async def test_a_clash_while_the_preview_is_open_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        other = CART.replace("sum(net(line)", "max(net(line)")
        at.desk.meanwhile = lambda: at.desk.write("cart.py", other)
        at.script()
        result = await at.edit()
        assert result["applied"] is False
        assert "cart.py" in result["problem"]
        assert at.seen() == {**BEFORE, "cart.py": other}


async def test_what_was_saved_elsewhere_during_the_run_is_kept_or_told(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        hold = asyncio.Event()
        at.model.reply(tool_calls=CALLS)
        at.model.reply("Renamed it.", hold=hold)
        _, reply = at.begin()
        await at.model.wait_requests(2)
        (tmp_path / "gone.py").write_text("y = 3\n")
        hold.set()
        result = await result_of(reply)
        assert result["applied"] is False
        assert "gone.py" in result["problem"]
        assert at.seen() == {**BEFORE, "gone.py": "y = 3\n"}
        assert not at.desk.asked


async def test_a_file_that_was_not_ticked_is_told_and_the_rest_can_be_taken_back(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.desk.unticked = {"docs/notes.md", "gone.py"}
        at.script()
        result = await at.edit()
        assert result["applied"] is False
        assert states(result) == {
            "prices.py": "applied", "cart.py": "applied", "docs/notes.md": "unchanged", "gone.py": "unchanged"
        }  # fmt: skip
        assert (await at.undo(run=result["run"]))["undone"] is True
        assert at.seen() == BEFORE


@pytest.mark.parametrize("together", [True, False])
async def test_a_change_that_was_not_ticked_is_left_out_and_the_rest_can_be_taken_back(
    tmp_path: Path, together: bool
) -> None:
    between = "" if together else "\n\n"
    before = f"width = net(a)\n{between}height = net(b)\n"
    async with scene(tmp_path, VSCODE) as at:
        (tmp_path / "box.py").write_text(before)
        at.desk.open("box.py")
        at.desk.left_out = {"taxed"}
        after = before.replace("net(a)", "gross(a)").replace("net(b)", "taxed(b)")
        at.script(("write_file", {"file_path": "box.py", "content": after}))
        result = await at.edit()
        assert (result["applied"], states(result)) == (False, {"box.py": "different"})
        assert result["text"] == "1 file changed (save the one that is open)"
        assert at.desk.text("box.py") == before.replace("net(a)", "gross(a)")
        assert len(at.desk.asked) == 1
        assert (await at.undo(run=result["run"]))["undone"] is True
        assert at.desk.text("box.py") == before


async def test_a_refused_preview_changes_nothing_and_can_be_landed_later(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.desk.refuses = True
        at.script()
        result = await at.edit()
        assert (result["applied"], set(states(result).values())) == (False, {"unchanged"})
        assert result["diff"]


async def test_protected_paths_are_not_changed_through_an_editor_either(tmp_path: Path) -> None:
    """A run cannot make such an edit; this is the last gate, should one ever come."""
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(tmp_path, capabilities=VSCODE)
        await indexed(editor)
        (session,) = server.sessions()
        edits = [FileEdit("a.py", None, "a = 1\n"), FileEdit(".vscode/tasks.json", None, "{}\n")]
        manner = Manner(Label("Qwen", confirm=True))
        with pytest.raises(ProtectedPath, match=r"tasks\.json"):
            await land(server, session, edits, manner)
        assert not any(m.get("method") == "workspace/applyEdit" for m in editor.messages)

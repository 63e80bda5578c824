"""What has landed from an editor is taken back as a whole, and nothing that was done since."""

from __future__ import annotations

from pathlib import Path

from qwen_lsp.server.agent_landing import Manner, land
from qwen_lsp.server.table import build
from qwen_lsp.server.workspace_edit import Label
from qwen_lsp.text.edits import FileEdit, reversed_edit
from tests.support.agent import AFTER, BEFORE, CART, NEW_CART, mine, scene, states
from tests.support.desk import VSCODE, Desk
from tests.support.editor import in_process, indexed

# -- taking back ---------------------------------------------------------------------------------------


async def test_work_done_since_is_never_undone(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        await at.edit()
        at.desk.write("cart.py", mine(NEW_CART))
        said = await at.refused("qwen.undoEdit", {})
        assert "cart.py" in said
        assert "prices.py" not in said
        assert at.seen() == {**AFTER, "cart.py": mine(NEW_CART)}


async def test_what_the_person_took_back_already_is_left_alone(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        await at.edit()
        at.desk.write("cart.py", CART)
        undone = await at.undo()
        assert undone["undone"] is True
        assert "cart.py" not in states(undone)
        assert at.seen() == BEFORE
        assert "nothing to take back" in await at.refused("qwen.undoEdit", {})


async def test_saved_and_closed_files_are_taken_back_as_well(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        await at.edit()
        for path in ("prices.py", "cart.py", "docs/notes.md"):
            at.desk.save(path)
            at.desk.close(path)
        assert (await at.undo())["undone"] is True
        assert at.seen() == BEFORE


async def test_a_move_lands_and_is_taken_back(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script(("move_file", {"source_path": "old.py", "target_path": "lib/new.py"}))
        result = await at.edit()
        assert (result["applied"], states(result)) == (True, {"lib/new.py": "applied"})
        assert at.seen("old.py", "lib/new.py") == {"old.py": None, "lib/new.py": "x = 1\n"}
        assert (await at.undo())["undone"] is True
        assert at.seen("old.py", "lib/new.py") == {"old.py": "x = 1\n", "lib/new.py": None}


async def test_a_file_that_is_to_run_is_made_executable_after_the_edit(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text("echo 1\n")
    script.chmod(0o644)
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(tmp_path, capabilities=VSCODE)
        await indexed(editor)
        desk = Desk(editor, tmp_path)
        desk.open("run.sh")
        (session,) = server.sessions()
        edits = [
            FileEdit("run.sh", "echo 1\n", "echo 2\n", executable=True),
            FileEdit("new.sh", None, "echo 3\n", executable=True),
        ]
        made = await land(server, session, edits, Manner(Label("Qwen", confirm=True)))
        assert (made.applied, made.problem) == (True, "")
        assert desk.text("run.sh") == "echo 2\n"
        assert all((tmp_path / name).stat().st_mode & 0o100 for name in ("run.sh", "new.sh"))
        back = [reversed_edit(file.edit) for file in made.files]
        again = await land(server, session, back, Manner(Label("Qwen: undo")))
        assert again.applied
        assert desk.text("run.sh") == "echo 1\n"
        assert not script.stat().st_mode & 0o100
        assert not (tmp_path / "new.sh").exists()


async def test_a_deleted_program_comes_back_as_one(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        (tmp_path / "gone.py").chmod(0o755)
        at.script()
        await at.edit()
        assert (await at.undo())["undone"] is True
        assert (tmp_path / "gone.py").stat().st_mode & 0o100


async def test_a_run_that_goes_on_leaves_taken_back_what_was(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        run = (await at.edit())["run"]
        assert (await at.undo())["undone"] is True
        at.model.reply("So be it.")
        again = await at.editor.command("qwen.edit", {"resume": run, "task": "Leave it, then."})
        assert "took your changes of these files back" in str(at.model.requests[-1].json["messages"][-1])
        assert (again["changes"], at.seen()) == ([], BEFORE)

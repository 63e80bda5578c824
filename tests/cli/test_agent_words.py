"""`agent undo`, `runs`, `show`, `page` and `apply`: what earlier runs did, and what can still be done."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import FILES, Run
from tests.support.endpoint import ScriptedEndpoint

Configure = Callable[[ScriptedEndpoint], None]
MONEY = "calc/money.py"
EDIT: tuple[str, Any] = (
    "edit",
    {"file_path": MONEY, "old_string": "2 >= step", "new_string": "2 > step"},
)


def runs_in(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def git(repo: Path, *arguments: str) -> str:
    done = subprocess.run(("git", *arguments), cwd=repo, check=True, capture_output=True, text=True)
    return done.stdout


def contents(file: Path | str) -> bytes:
    return Path(file).read_bytes()


async def ran(run: Run, repo: Path | str, configured: Configure, *options: str) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply("I change it.", tool_calls=[EDIT])
        model.reply("Done: halves go down.")
        await run("agent", repo, "-p", "Round halves down.", *options)


async def test_runs_are_listed_with_what_can_be_done(run: Run, repo: Path, configured: Configure) -> None:
    none = await run("agent", "runs", repo)
    assert "No run of the agent" in none.out
    await ran(run, repo, configured, "--yes")
    await ran(run, repo, configured, "--yes", "--max-turns", "1")
    listed = runs_in((await run("agent", "runs", repo, "--json")).out)
    assert [(one["ended"], one["undoable"], one["resumable"], one["files"]) for one in listed] == [
        ("turns", False, True, []),
        ("done", True, False, [MONEY]),
    ]
    shown = (await run("agent", "runs", repo)).out.splitlines()
    assert shown[0].startswith(listed[0]["run"])
    assert "can be resumed" in shown[0]
    assert "1 file" in shown[2]
    assert "can be undone" in shown[2]
    assert shown[3] == "    Round halves down."


async def test_a_run_is_taken_back_by_its_name_or_as_the_last(
    run: Run, repo: Path, configured: Configure
) -> None:
    await ran(run, repo, configured, "--yes")
    assert "2 > step" in (repo / MONEY).read_text()
    back = await run("agent", "undo", repo)
    assert (back.code, (repo / MONEY).read_text()) == (0, FILES[MONEY])
    await ran(run, repo, configured, "--yes")
    name = runs_in((await run("agent", "runs", repo, "--json")).out)[0]["run"]
    back = await run("agent", "undo", name)
    assert (back.code, (repo / MONEY).read_text()) == (0, FILES[MONEY])
    again = await run("agent", "undo", repo)
    assert again.code == 1
    assert "nothing to undo" in again.err


async def test_later_work_is_never_undone(run: Run, repo: Path, configured: Configure) -> None:
    await ran(run, repo, configured, "--yes")
    (repo / MONEY).write_text("# Mine.\n")
    back = await run("agent", "undo", repo)
    assert back.code == 1
    assert MONEY in back.err
    assert (repo / MONEY).read_text() == "# Mine.\n"


async def test_a_folder_named_undo_is_a_workspace_too(
    run: Run, repo: Path, configured: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(repo, repo.parent / "undo")
    monkeypatch.chdir(repo.parent)
    await ran(run, "./undo", configured, "--yes")
    wrong = await run("agent", "undo")
    assert "nothing to undo" in wrong.err, "the word is the command, and nothing was done here"
    assert (await run("agent", "undo", "undo")).code == 0


async def test_what_was_not_applied_can_be_later(run: Run, repo: Path, configured: Configure) -> None:
    await ran(run, repo, configured)
    assert (repo / MONEY).read_text() == FILES[MONEY]
    applied = await run("agent", "apply", repo, "--yes")
    assert applied.code == 0
    assert "2 > step" in (repo / MONEY).read_text()
    twice = await run("agent", "apply", repo, "--yes")
    assert "No file to change." in twice.out


async def test_a_run_is_shown_and_made_a_page(
    run: Run, repo: Path, configured: Configure, tmp_path: Path
) -> None:
    page = tmp_path / "run.html"
    await ran(run, repo, configured, "--yes", "--html", str(page))
    shown = await run("agent", "show", repo)
    assert shown.code == 0
    for said in ("I change it.", "✓ edit  calc/money.py", "Done: halves go down.", "1  calc/money.py"):
        assert said in shown.out, said
    assert "Done: halves go down." in page.read_text(encoding="utf-8")
    again = await run("agent", "page", repo, "--html", tmp_path / "again.html")
    assert again.code == 0
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()
    kept = await run("agent", "page", repo)
    assert contents(kept.out.strip()) == contents(page)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("agent", "show", "{root}"), "no run"),
        (("agent", "page", "20260101T000000-abcdef"), "no run"),
        (("agent", "undo", "no-such-folder"), "no such folder"),
        (("agent", "{root}", "--undo", "yesterday"), "not the name of a run"),
        (("agent", "{root}", "--resume"), "no run"),
        (("agent", "{root}", "--resume", "yesterday"), "not the name of a run"),
        (("agent", "{root}", "-p", "Do it.", "--push"), "--commit"),
        (("agent", "{root}", "-p", "Do it.", "--html", "{root}"), "is a folder"),
        (("agent", "{root}", "-p", "Do it.", "--file", "no/such.py"), "--file no/such.py"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
async def test_what_cannot_be_is_told_in_a_line(
    run: Run, repo: Path, configured: Configure, argv: tuple[str, ...], said: str
) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        ended = await run(*(arg.format(root=repo) for arg in argv))
    assert ended.code == 1
    assert ended.err.startswith("qwen-lsp: ")
    assert said in ended.err


async def test_what_landed_is_committed_where_that_was_asked_for(
    run: Run, repo: Path, configured: Configure
) -> None:
    git(repo, "config", "user.name", "t")
    git(repo, "config", "user.email", "t@example.org")
    (repo / "README.md").write_text("# Mine.\n")
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        model.reply("Done.")
        model.reply("Round halves down")
        done = await run("agent", repo, "-p", "Round halves down.", "--yes", "--commit", "--json")
    assert done.code == 0
    result = json.loads(done.out.splitlines()[-1])
    first, *_, file = git(repo, "log", "-1", "--format=%h %s", "--name-only").split("\n")[:-1]
    assert first == f"{result['commit']} Round halves down"
    assert file == MONEY
    assert git(repo, "status", "--porcelain").strip() == "M README.md", "the user's own change is left alone"

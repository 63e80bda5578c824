"""An agent run beside a person who goes on working, and one that is stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.runs.landed import LandedEdit, note
from qwen_lsp.runs.record import META, Meta, folder_of, new_name
from qwen_lsp.session.state import state_folder
from qwen_lsp.text.edits import FileEdit
from tests.cli.conftest import FILES, Run
from tests.support.endpoint import ScriptedEndpoint

Configure = Callable[[ScriptedEndpoint], None]
MONEY = "calc/money.py"
EDIT: list[tuple[str, Any]] = [
    ("edit", {"file_path": MONEY, "old_string": "2 >= step", "new_string": "2 > step"}),
]


async def _while_it_runs(
    run: Run, repo: Path, model: ScriptedEndpoint, work: Callable[[Path], object]
) -> tuple[int, str]:
    """Run the agent, and do something to its file before its last reply."""
    go = asyncio.Event()
    model.reply(tool_calls=EDIT)
    model.reply("Done.", hold=go)
    running = asyncio.ensure_future(run("agent", repo, "-p", "Round halves down.", "--yes"))
    await model.wait_requests(2)
    work(repo / MONEY)
    go.set()
    ran = await running
    return ran.code, ran.err


async def test_what_a_person_wrote_meanwhile_stays(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        code, _ = await _while_it_runs(
            run, repo, model, lambda file: file.write_text(f"# Mine.\n{FILES[MONEY]}", encoding="utf-8")
        )
    assert code == 0
    assert (repo / MONEY).read_text() == "# Mine.\n" + FILES[MONEY].replace("2 >= step", "2 > step")


@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
@pytest.mark.parametrize(
    "call",
    [
        ("write_file", {"file_path": MONEY, "content": "STEP = 1\n"}),
        ("delete_file", {"file_path": MONEY}),
        ("run_shell_command", {"command": f"rm {MONEY}"}),
        ("run_shell_command", {"command": f"echo STEP = 1 > {MONEY}"}),
    ],
    ids=["write", "delete", "rm", "overwrite"],
)
async def test_what_the_model_has_not_seen_is_not_written_over(
    run: Run, repo: Path, configured: Configure, call: tuple[str, Any], read: bool
) -> None:
    """The person saves between the model's look at a file and its rewriting or deleting the whole of it."""
    mine = FILES[MONEY] + "# Mine.\n"
    go = asyncio.Event()
    look = MONEY if read else "README.md"
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[("read_file", {"file_path": look})])
        model.reply(tool_calls=[call], hold=go)
        model.reply("Done.")
        running = asyncio.ensure_future(run("agent", repo, "-p", "Round halves down.", "--yes"))
        await model.wait_requests(2)
        (repo / MONEY).write_text(mine, encoding="utf-8")
        go.set()
        ran = await running
    assert (repo / MONEY).read_text() == mine, ran.out


async def test_the_same_place_changed_by_both_is_left_to_the_person(
    run: Run, repo: Path, configured: Configure
) -> None:
    mine = FILES[MONEY].replace("2 >= step", "2 >= step + 1")
    async with ScriptedEndpoint() as model:
        configured(model)
        code, said = await _while_it_runs(
            run, repo, model, lambda file: file.write_text(mine, encoding="utf-8")
        )
    assert code == 1
    assert MONEY in said
    assert (repo / MONEY).read_text() == mine


async def test_a_record_is_for_its_owner_only(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply("Nothing to do.")
        ran = await run("agent", repo, "-p", "Look around.")
    assert ran.code == 0
    (written,) = (state_folder() / "runs").glob("*/messages.jsonl")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700
    assert "Look around." in written.read_text()


async def test_what_an_editor_landed_is_taken_back_once_it_is_saved(run: Run, repo: Path) -> None:
    after = FILES[MONEY].replace("2 >= step", "2 > step")
    name = new_name()
    note(name, [LandedEdit(FileEdit(MONEY, FILES[MONEY], after), "editor")])
    meta = Meta(name, str(repo), "Round halves down.", "m", "ask", "2026-01-01T00:00:00+00:00", ())
    (folder_of(name) / META).write_text(json.dumps(asdict(meta)))
    unsaved = await run("agent", "undo", repo)
    assert unsaved.code == 1
    assert "not saved" in unsaved.err
    (repo / MONEY).write_text(after + "# Mine.\n")
    changed = await run("agent", "undo", repo)
    assert (changed.code, MONEY in changed.err) == (1, True)
    (repo / MONEY).write_text(after)
    assert (await run("agent", "undo", repo)).code == 0
    assert (repo / MONEY).read_text() == FILES[MONEY]


@pytest.mark.slow
async def test_ctrl_c_leaves_everything_as_it_was(repo: Path) -> None:
    async with ScriptedEndpoint() as model:
        model.reply(tool_calls=EDIT)
        model.reply("I am", hang_after=1)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qwen_lsp", "agent", str(repo), "-p", "Round halves down.", "--yes",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "OPENAI_BASE_URL": model.base_url, "OPENAI_MODEL": model.model},
        )  # fmt: skip
        await model.wait_requests(2)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert process.returncode == 130
    assert b"nothing was changed" in out
    assert b"Traceback" not in err
    assert (repo / MONEY).read_text() == FILES[MONEY]


async def test_complete_says_why_the_model_did_not(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(status=401, text="no")
        ran = await run("complete", repo / "calc/money.py:9")
    assert ran.code == 0
    assert "OPENAI_API_KEY" in " ".join(ran.err.split())


async def test_an_action_by_instruction(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply("```python\n    rest = amount.cents % max(step, 1)\n```")
        ran = await run("action", repo / "calc/money.py:10", "--instruction", "guard the step")
        assert ran.code == 0
        assert "+    rest = amount.cents % max(step, 1)" in ran.out
        assert "guard the step" in model.requests[-1].prompt
        untold = await run("action", repo / "calc/money.py:10", "--do", "edit")
        assert "--instruction" in untold.err
        explained = await run("action", repo / "calc/money.py:10", "--do", "explain")
        assert "qwen-lsp explain calc/money.py:10" in explained.err

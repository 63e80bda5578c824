"""A run in a real terminal: what is drawn and gone again, questions, Ctrl-C, and what is left afterwards."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import FILES, Run
from tests.support.endpoint import ScriptedEndpoint
from tests.support.terminal import Terminal

pytestmark = pytest.mark.slow

Configure = Callable[[ScriptedEndpoint], None]
MONEY = "calc/money.py"
TASK = ("-p", "Round halves down.")
RULE: tuple[str, Any] = ("write_file", {"file_path": "calc/rule.py", "content": 'RULE = "down"\n'})
EDIT: tuple[str, Any] = (
    "edit",
    {"file_path": MONEY, "old_string": "2 >= step", "new_string": "2 > step"},
)


def plan(*states: str) -> tuple[str, Any]:
    return (
        "todo_write",
        {"todos": [{"content": f"Step {at}", "status": state} for at, state in enumerate(states, 1)]},
    )


async def test_a_run_is_seen_while_it_goes_on_and_leaves_a_clean_screen(
    repo: Path, configured: Configure
) -> None:
    go = asyncio.Event()
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply("First I look.", tool_calls=[plan("in_progress", "pending"), EDIT, RULE])
        model.reply("All of it is done.", hold=go)
        async with Terminal("agent", repo, *TASK, width=80) as terminal:
            await terminal.shows("Plan, 0 of 2 done")
            await terminal.shows("✓ edit  calc/money.py  +1 -1")
            await terminal.shows("1 turn · ")
            assert not terminal.screen.cursor_is_shown
            assert not terminal.echoes, "a key would stand in the middle of what is drawn"
            go.set()
            await terminal.shows("Apply these 2 files?")
            assert terminal.screen.cursor_is_shown
            assert terminal.echoes
            left = terminal.screen.text
            assert "Plan, 0 of 2 done" not in left
            assert "Ctrl-C stops" not in left
            assert left.index("First I look.") < left.index("✓ edit") < left.index("All of it is done.")
            assert left.index("All of it is done.") < left.index("+++ b/calc/money.py")
            assert "+    if rest * 2 > step:" in left
            assert all(len(line) <= 80 for line in left.split("\n"))
            terminal.types("y\n")
            assert await terminal.ended() == 0
            assert "Changed 2 files." in terminal.screen.text
    assert (repo / "calc/rule.py").read_text() == 'RULE = "down"\n'


async def test_some_files_of_a_run_are_applied_and_the_rest_later(
    run: Run, repo: Path, configured: Configure
) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT, RULE])
        model.reply("Done.")
        async with Terminal("agent", repo, *TASK) as terminal:
            await terminal.shows("Apply these 2 files?")
            terminal.types("c\n")
            await terminal.shows("Which ones?")
            terminal.types("7\n")
            await terminal.shows("Numbers from 1 to 2")
            terminal.types("2\n")
            assert await terminal.ended() == 0
        assert (repo / "calc/rule.py").exists()
        assert (repo / MONEY).read_text() == FILES[MONEY]
        rest = await run("agent", "apply", repo, "--yes")
        assert rest.code == 0
        assert "2 > step" in (repo / MONEY).read_text()


async def test_a_no_is_a_no(repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        model.reply("Done.")
        async with Terminal("agent", repo, *TASK) as terminal:
            await terminal.shows("Apply 1 file?")
            terminal.types("maybe\n")
            await terminal.until(
                lambda: terminal.screen.text.count("Apply 1 file?") == 2, "the question again"
            )
            terminal.types("n\n")
            assert await terminal.ended() == 1
            assert "agent apply" in terminal.screen.text
    assert (repo / MONEY).read_text() == FILES[MONEY]


async def test_the_models_question_is_put_and_answered(repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        question = {"question": "Which rule?", "options": ["half up", "half down"]}
        model.reply(tool_calls=[("ask_user", question)])
        model.reply("Then nothing is to do.")
        async with Terminal("agent", repo, *TASK) as terminal:
            await terminal.shows("2  half down")
            await terminal.shows("A number, or your own words:")
            assert terminal.echoes
            terminal.types("2\n")
            assert await terminal.ended() == 0
        assert "The user answered: half down" in model.requests[-1].prompt


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="commands are off without a sandbox")
async def test_a_command_is_shown_whole_before_it_runs_and_its_output_while_it_does(
    repo: Path, configured: Configure
) -> None:
    go, name = asyncio.Event(), "calc/made.txt"
    line = f"echo first; echo made > {name}; echo last"
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[("run_shell_command", {"command": "rm -rf calc"})])
        model.reply(tool_calls=[("run_shell_command", {"command": line})])
        model.reply(tool_calls=[("run_shell_command", {"command": line})])
        model.reply("Done.", hold=go)
        async with Terminal("agent", repo, *TASK) as terminal:
            await terminal.shows("│ rm -rf calc")
            await terminal.shows("y, a or n?")
            terminal.types("n that is my code\n")
            await terminal.shows(f"│ {line}")
            await terminal.until(lambda: terminal.screen.text.count("y, a or n?") == 2, "the next question")
            terminal.types("a\n")
            await model.wait_requests(4)
            go.set()
            await terminal.shows("Apply 1 file?")
            assert terminal.screen.text.count("y, a or n?") == 2, "the same again is not asked for"
            assert terminal.screen.text.count("✓ run_shell_command") == 2
            assert "│ last" in terminal.screen.text
            assert "+made" in terminal.screen.text
            terminal.types("y\n")
            assert await terminal.ended() == 0
        assert "They said: that is my code" in model.requests[1].prompt
    assert (repo / name).read_text() == "made\n"


async def test_ctrl_c_once_shows_what_there_is_and_the_run_can_go_on(
    run: Run, repo: Path, configured: Configure
) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        model.reply("I am", hang_after=1)
        async with Terminal("agent", repo, *TASK) as terminal:
            await model.wait_requests(2)
            terminal.types("\x03")
            await terminal.shows("The run did not finish. Apply 1 file? [y/N")
            assert "Stopped; nothing was changed." in terminal.screen.text
            assert "+    if rest * 2 > step:" in terminal.screen.text
            assert terminal.echoes
            terminal.types("\n")
            assert await terminal.ended() == 130
            assert "--resume" in terminal.screen.text.replace("\n", ""), "wherever the line is broken"
        assert (repo / MONEY).read_text() == FILES[MONEY]
        model.reply("Done now.")
        on = await run("agent", repo, "--resume", "--yes")
        assert on.code == 0
        assert "2 > step" in (repo / MONEY).read_text()


async def test_ctrl_c_twice_leaves_and_the_terminal_is_as_it_was(repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        model.reply("I am", hang_after=1)
        async with Terminal("agent", repo, *TASK) as terminal:
            await model.wait_requests(2)
            terminal.types("\x03")
            await terminal.shows("Apply 1 file?")
            terminal.types("\x03")
            assert await terminal.ended() == 130
            assert terminal.screen.cursor_is_shown
            assert "Traceback" not in terminal.screen.text
    assert (repo / MONEY).read_text() == FILES[MONEY]


async def test_nothing_that_a_model_or_a_file_says_commands_the_terminal(
    repo: Path, configured: Configure
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m[bold red]\u202e\u2066x\r"
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(f"Words {evil}\n", tool_calls=[plan("in_progress"), ("read_file", {"file_path": evil})])
        model.reply(
            tool_calls=[
                ("todo_write", {"todos": [{"content": evil, "status": "in_progress"}]}),
                ("write_file", {"file_path": "calc/new.py", "content": f"# {evil}\n"}),
            ]
        )
        model.reply("End.")
        async with Terminal("agent", repo, *TASK) as terminal:
            await terminal.shows("Apply 1 file?")
            terminal.types("n\n")
            assert await terminal.ended() == 1
        # What is not text, colour, or the drawing of our own lines has already failed the test.
        assert b"\x1b]" not in terminal.raw
        assert "\u202e" not in terminal.raw.decode()
        assert "⟨U+001B⟩" in terminal.screen.text
        assert "[bold red]" in terminal.screen.text


@pytest.mark.parametrize("width", [30, 60, 200])
async def test_any_width_will_do(repo: Path, configured: Configure, width: int) -> None:
    go = asyncio.Event()
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(
            "A sentence that is rather long for so narrow a window. " * 4, tool_calls=[plan("pending"), EDIT]
        )
        model.reply("Done.", hold=go)
        async with Terminal("agent", repo, *TASK, "--yes", width=width, height=12) as terminal:
            await terminal.shows("✓ edit")
            go.set()
            assert await terminal.ended() == 0
        shown = terminal.screen.text
        assert " ".join(shown.split()).count("A sentence that is") == 4
        assert "Ctrl-C" not in shown


async def test_an_encoding_without_our_signs_ends_no_run(repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply("Größer — ≤ 3.", tool_calls=[EDIT])
        model.reply("Done.")
        spelled = {"PYTHONIOENCODING": "ascii"}
        async with Terminal("agent", repo, *TASK, "--yes", environment=spelled) as terminal:
            assert await terminal.ended() == 0
        assert "Gr??er" in terminal.screen.text


async def test_without_colour_signs_say_what_colours_said(repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT, ("read_file", {"file_path": "no/such.py"})])
        model.reply("Done.")
        async with Terminal("agent", repo, *TASK, "--yes", environment={"NO_COLOR": "1"}) as terminal:
            assert await terminal.ended() == 0
        assert "✓ edit" in terminal.screen.text
        assert "✗ read_file" in terminal.screen.text
        assert b"\x1b[3" not in terminal.raw, "a colour"

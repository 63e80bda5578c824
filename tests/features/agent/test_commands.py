"""The tools that run programs, without a sandbox around them: what is asked, what is kept, what is said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.approval import Answer, Ask
from qwen_lsp.features.agent.commands import MOST_CHARS, shortened, without_commands
from qwen_lsp.features.agent.toolbox import Desk, call
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.sandbox.command import NoSandbox
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace
from tests.support.scratch import commands

FILES = """
#- app.py
def greet():
    return "hello"
#- docs/index.md
# Docs
"""


async def test_the_model_reads_how_a_command_ended_and_what_it_did(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path) as at:
        outcome = await at.shell("echo out; echo err >&2; echo new > new.py; touch a.bin; exit 3")

        assert outcome.text == (
            "Exit status 3.\nFiles it changed: new.py.\nNot kept: a.bin (binary).\nOutput:\nout\nerr"
        )
        assert not outcome.ok
        assert at.fork.text(RelPath("new.py")) == "new\n"
        assert at.base.text(RelPath("app.py")) == (tmp_path / "workspace/app.py").read_text()


async def test_a_silent_command_says_so(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path) as at:
        outcome = await at.shell("true")

        assert (outcome.text, outcome.ok) == ("Exit status 0.\nIt printed nothing.", True)


async def test_output_is_passed_on_while_it_comes(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path) as at:
        await at.shell("echo one; echo two")

        assert "".join(at.printed) == "one\ntwo\n"


async def test_a_key_that_a_command_prints_does_not_reach_the_model(tmp_path: Path) -> None:
    key = "AKIA" + "Q3EGRIWDF5TJ7XYZ"
    async with commands(FILES, tmp_path) as at:
        outcome = await at.shell(f"echo the key is {key}; echo fine")

        assert key not in outcome.text
        assert "<redacted" in outcome.text and outcome.text.endswith("fine")


async def test_exactly_what_runs_is_asked_for(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path) as at:
        await at.shell("ls -l", directory="docs", description="harmless")

        assert [(ask.kind, ask.detail, ask.key) for ask in at.asked] == [
            ("command", "ls -l", ("command", "ls -l", "docs"))
        ]


async def test_leave_for_the_request_is_for_the_same_line_in_the_same_folder(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path, answer="request") as at:
        for line, folder in (("ls", ""), ("ls", "."), ("ls ", "docs"), ("ls", "docs/"), ("ls -a", "")):
            await at.shell(line, directory=folder)

        assert [ask.detail for ask in at.asked] == ["ls", "ls", "ls -a"]


async def test_what_is_not_allowed_does_not_run(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path, answer="no") as at:
        with pytest.raises(ToolRefused, match=r"The user did not allow it: rm app\.py"):
            await at.shell("rm app.py")

        assert at.lines == []


async def test_nobody_is_asked_where_commands_are_allowed(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path, answer="no", mode="allow") as at:
        assert (await at.shell("true")).ok
        assert at.asked == []


async def test_the_network_is_asked_for_by_itself_where_it_may_be_asked_for(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path, network="ask") as at:
        await at.shell("curl x || true", network=True)
        assert [ask.kind for ask in at.asked] == ["command", "network"]

    async with commands(FILES, tmp_path / "other") as at:
        with pytest.raises(ToolRefused, match="run_shell_command has no network"):
            await at.shell("curl x || true", network=True)


async def test_a_lock_file_is_kept_only_with_leave(tmp_path: Path) -> None:
    def answer(ask: Ask) -> Answer:
        return "no" if ask.key == ("path", "yarn.lock") else "once"

    async with commands(FILES, tmp_path, answer=answer) as at:
        outcome = await at.shell("echo 1 > package-lock.json; echo 2 > yarn.lock")

        assert [ask.key for ask in at.asked[1:]] == [("path", "package-lock.json"), ("path", "yarn.lock")]
        assert "Files it changed: package-lock.json." in outcome.text
        assert "yarn.lock (the user did not allow it)" in outcome.text
        assert [edit.path for edit in at.fork.changes_since(at.base)] == ["package-lock.json"]
        assert (await at.shell("ls *lock*")).text.endswith("Output:\npackage-lock.json")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"command": "  "}, "needs a command line"),
        ({"command": "sleep 9", "is_background": True}, "Nothing runs in the background here"),
        ({"command": "ls", "directory": "nowhere"}, "There is no folder nowhere"),
        ({"command": "ls", "directory": "../.."}, "Use a path inside the workspace"),
        ({"command": "ls", "timeout": "soon"}, "timeout must be of type integer"),
    ],
)
async def test_a_call_that_makes_no_sense_is_refused(
    tmp_path: Path, arguments: dict[str, object], said: str
) -> None:
    async with commands(FILES, tmp_path) as at:
        with pytest.raises(ToolRefused, match=said):
            await at.call("run_shell_command", **arguments)

        assert at.lines == [] and at.asked == []


async def test_a_command_in_a_folder_given_absolutely(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path) as at:
        outcome = await at.shell("ls", directory=str(at.base.root / "docs"), is_background=False)

        assert outcome.text.endswith("index.md")


async def test_a_command_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path) as at:
        outcome = await at.shell("echo begun; echo torn > app.py; sleep 60", timeout=1)

        assert outcome.text.startswith("It took too long and was stopped after 1")
        assert "nothing it changed was taken" in outcome.text and outcome.text.endswith("begun")
        assert not outcome.ok and at.fork is at.base


async def test_cancelling_a_call_kills_its_command(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path) as at:
        mark = tmp_path / "mark"
        running = asyncio.create_task(at.shell(f"echo begun; sleep 60; touch {mark}"))
        await at.heard.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert (await at.shell(f"test -e {mark}")).text.startswith("Exit status 1.")


def test_a_long_output_keeps_its_beginning_and_its_end() -> None:
    text = "".join(f"line {number}\n" for number in range(20_000))

    short = shortened(text)

    assert len(short) <= MOST_CHARS
    head, _, tail = short.partition("[... ")
    assert head.startswith("line 0\nline 1\n") and tail.endswith("line 19998\nline 19999\n")
    left = int(tail.partition(" lines")[0])
    assert short.count("\n") - 1 + left == text.count("\n")
    assert shortened("short\n") == "short\n"
    assert len(shortened("x" * 100_000)) <= MOST_CHARS


async def test_without_a_sandbox_a_call_says_why() -> None:
    tools = {tool.name: tool for tool in without_commands(NoSandbox("There is no bwrap here", "Install it."))}
    desk = Desk(workspace(FILES).snapshot, Gate(None))

    for name, arguments in (("run_shell_command", {"command": "ls"}), ("run_checks", {})):
        with pytest.raises(ToolRefused, match=r"Commands are off: There is no bwrap here\. Install it\."):
            await call(tools, desk, ToolCall(name, arguments, "1"))


async def test_the_tools_are_the_same_with_and_without_a_sandbox(tmp_path: Path) -> None:
    async with commands(FILES, tmp_path) as at:
        there = [tool.spec() for tool in at.tools.values()]
    absent = [tool.spec() for tool in without_commands(NoSandbox("x", "y"))]

    assert there == absent


async def test_what_commands_do_not_see_is_said_once(tmp_path: Path) -> None:
    files = f"{FILES}#- .env\nA=1\n#- keys/a.pem\nx\n#- keys/b.pem\nx\n"
    async with commands(files, tmp_path) as at:
        first, second = await at.shell("true"), await at.shell("true")

        assert first.text.endswith(
            "[Commands do not see: .env (environment file); "
            "keys/a.pem and 1 more (private key or certificate).]"
        )
        assert "do not see" not in second.text

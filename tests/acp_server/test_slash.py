"""Commands that a person types in place of a task."""

from __future__ import annotations

import subprocess

import pytest
from acp import schema

from tests.acp_server.desk import Desk
from tests.support.agent import CALLS, CART, NEW_CART, RENAME
from tests.support.endpoint import ScriptedEndpoint


async def test_the_commands_are_offered_with_a_session(at: Desk) -> None:
    await at.until(lambda: bool(at.of(schema.AvailableCommandsUpdate)))
    (offered,) = at.of(schema.AvailableCommandsUpdate)
    names = {command.name: command.input for command in offered.available_commands}
    assert set(names) == {"explain", "undo", "apply", "context", "commit", "status"}
    assert names["explain"].root.hint == "FILE[:LINE-LINE]" and names["undo"] is None


async def test_explaining_sees_what_is_not_saved(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py", f"# typed\n{CART}")
    model.reply("It adds **prices**.")

    reply = await at.prompt("/explain cart.py:1-3")

    assert (reply.stop_reason, at.words) == ("end_turn", "It adds **prices**.")
    assert "# typed" in model.requests[-1].prompt


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/explain", "Say which file"),
        ("/explain no.py", "no.py"),
        ("/explain ../x.py", "leaves the workspace"),
        ("/explain cart.py:900", "cart.py has 6 lines"),
        ("/undo", "nothing to take back"),
        ("/apply", "no change that has not landed"),
        ("/commit", "nothing to commit"),
        ("/context", "Nothing has been sent"),
    ],
)
async def test_what_cannot_be_done_is_said(at: Desk, typed: str, said: str) -> None:
    reply = await at.prompt(typed)
    assert reply.stop_reason == "end_turn"
    assert said in at.words


async def test_what_is_no_command_is_a_task(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply("I see.")
    await at.prompt("/usr/bin/x is broken")
    assert "/usr/bin/x is broken" in model.requests[-1].prompt


async def test_the_context_says_what_was_sent(at: Desk, model: ScriptedEndpoint) -> None:
    (at.root / "AGENTS.md").write_text("Be brief.\n")
    await at.begin()
    model.reply("Done.")
    await at.prompt("What is in cart.py?")
    before = at.words

    await at.prompt("/context")

    told = at.words.removeprefix(before)
    assert "cart.py" in told and "AGENTS.md" in told and "1 request" in told
    assert model.model in told


async def test_the_status_says_where_things_stand(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[RENAME])
    model.reply("Renamed it.")
    at.answers(None)
    await at.prompt("Rename net.")

    await at.prompt("/status")

    assert f"- model: `{model.model}`" in at.words
    assert "- mode: ask" in at.words and "- not landed: 1 file" in at.words


async def test_what_has_landed_is_committed_on_a_yes(at: Desk, model: ScriptedEndpoint) -> None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=at.root, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("config", "--global", "user.name", "Ada")
    git("config", "--global", "user.email", "ada@example.org")
    git("add", ".")
    git("commit", "-qm", "Begin")
    model.reply(tool_calls=[CALLS[1]])
    model.reply("Renamed it.")
    at.answers("apply", "no", "yes")
    await at.prompt("Rename net.")

    model.reply("Rename net")
    await at.prompt("/commit")
    assert "Not committed." in at.words and "Begin" in git("log", "-1", "--format=%s")
    model.reply("Rename net")
    await at.prompt("/commit")

    assert git("log", "-1", "--format=%s").strip() == "Rename net"
    assert git("show", "HEAD:cart.py") == NEW_CART
    assert "cart.py" in at.questions[-1][0].model_dump_json()

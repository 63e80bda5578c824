"""What a run asks of the person: leave for a command, an answer to the model's question."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from acp import schema

from qwen_lsp.runs.stored import load
from qwen_lsp.sandbox.command import NoSandbox
from qwen_lsp.sandbox.find import find
from tests.acp_server.desk import Desk, capabilities, configure, desk
from tests.support.endpoint import ScriptedEndpoint

LOCK = ("write_file", {"file_path": "uv.lock", "content": "x = 1\n"})
WHICH = ("ask_user", {"question": "Which one?", "options": ["the first", "the second"]})
ECHO = ("run_shell_command", {"command": "printf 'one\\ntwo\\n'"})
OPEN = ("ask_user", {"question": "What is it called?"})


async def test_a_touchy_file_is_asked_for_at_its_call(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[LOCK])
    model.reply("Done.")
    at.answers("once", "apply")

    await at.prompt("Lock it.")

    call, options = at.questions[0]
    assert options == ["once", "request", "no"]
    assert at.calls[call.tool_call_id]["title"] == "Write `uv.lock`"
    assert (at.root / "uv.lock").read_text() == "x = 1\n"


async def test_a_no_and_a_closed_question_are_no(at: Desk, model: ScriptedEndpoint) -> None:
    for answer in ("no", None):
        model.reply(tool_calls=[LOCK])
        model.reply("Then not.")
        at.answers(answer)
        await at.prompt("Lock it.")
    assert not (at.root / "uv.lock").exists()
    assert "did not allow it" in model.requests[-1].prompt


async def test_what_was_allowed_for_the_turn_is_not_asked_again(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[LOCK])
    model.reply(tool_calls=[("edit", {"file_path": "uv.lock", "old_string": "1", "new_string": "2"})])
    model.reply("Done.")
    at.answers("request", "leave")

    await at.prompt("Lock it.")

    assert [options for _, options in at.questions] == [["once", "request", "no"], ["apply", "leave"]]


async def test_a_command_is_asked_for_and_its_output_shown(at: Desk, model: ScriptedEndpoint) -> None:
    if isinstance(find(at.root), NoSandbox):
        pytest.skip("this system has no sandbox")
    model.reply(tool_calls=[ECHO])
    model.reply("Done.")
    at.answers("once")

    await at.prompt("Say it.")

    ((asked, _),) = at.questions
    call = at.calls[asked.tool_call_id]
    assert (call["kind"], call["status"]) == ("execute", "completed")
    assert "printf" in asked.model_dump_json()
    assert "one\ntwo" in call["content"][0]["content"]["text"]


async def test_cancelling_takes_an_open_question_back(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[LOCK])
    never = asyncio.Event()

    async def waits(*args: object, **more: object) -> schema.RequestPermissionResponse:
        async with at.heard:
            at.questions.append((schema.ToolCallUpdate(tool_call_id="open"), []))
            at.heard.notify_all()
        await never.wait()
        return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))

    at.request_permission = waits
    turn = asyncio.create_task(at.prompt("Lock it."))
    await at.until(lambda: bool(at.questions))

    await at.agent.cancel(at.session)

    assert (await turn).stop_reason == "cancelled"
    assert at.call("uv.lock")["status"] == "failed"
    never.set()


async def test_the_models_question_is_put_by_buttons(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[WHICH])
    model.reply("The second, then.")
    at.answers("1")

    await at.prompt("Choose.")

    ((asked, options),) = at.questions
    assert options == ["0", "1", "no"]
    assert "Which one?" in asked.model_dump_json()
    assert "The user answered: the second" in model.requests[-1].prompt


async def test_a_question_without_choices_needs_a_client_with_forms(
    at: Desk, model: ScriptedEndpoint
) -> None:
    model.reply(tool_calls=[OPEN])
    model.reply("I call it shop.")

    await at.prompt("Name it.")

    assert at.questions == []
    assert "The model asks: What is it called?" in at.words
    assert "Nobody is there to ask" in model.requests[-1].prompt


async def test_a_form_takes_any_answer(root: Path, model: ScriptedEndpoint) -> None:
    async with desk(root, capabilities(forms=True)) as at:
        model.reply(tool_calls=[OPEN, WHICH])
        model.reply("Good.")
        at.answers("Emporium", None)

        await at.prompt("Name it.")

        assert at.forms == ["What is it called?", "Which one?\n- the first\n- the second"]
        assert "The user answered: Emporium" in model.requests[-1].prompt
        assert "Nobody is there to ask" in model.requests[-1].prompt


async def test_servers_of_the_client_are_started_on_a_yes_only(
    root: Path, model: ScriptedEndpoint, tmp_path: Path
) -> None:
    listing = tmp_path / "lent.json"
    listing.write_text(json.dumps({"tools": {"add": "Adds."}}))
    lender = schema.McpServerStdio(
        name="My adder",
        command=sys.executable,
        args=["-m", "tests.support.lending", str(listing)],
        env=[schema.EnvVariable(name="PYTHONPATH", value=str(Path.cwd()))],
    )
    remote = schema.HttpMcpServer(type="http", name="far", url="https://example.org", headers=[])
    configure(model, mode="allow")
    async with desk(root, begin=False) as at:
        await at.begin([lender, remote])
        model.reply(tool_calls=[("mcp__My-adder__add", {"first": 1, "second": 2})])
        model.reply("Three.")
        at.answers("request", "request")

        await at.prompt("Add.")

        assert [options for _, options in at.questions] == [["once", "request", "no"]] * 2
        first, second = (asked.model_dump_json() for asked, _ in at.questions)
        assert "Start the MCP server My-adder?" in first and "PYTHONPATH" in first
        assert "Adds." in second
        assert "'far' is not used" in at.words
        assert load(at.session).info.meta.ended == "done"
        assert at.call("add")["status"] == "completed"

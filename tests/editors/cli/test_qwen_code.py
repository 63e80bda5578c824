"""Qwen Code with our tools: found, called, waited for, and asked about where it should be."""

from __future__ import annotations

from qwen_lsp.cli.setup.clients import rules
from qwen_lsp.mcp_server.catalog import ENTRIES
from tests.editors.cli.conftest import FILES, RENAMED, WAIT, Person, Ran, answers, plain, tools
from tests.editors.conftest import program
from tests.editors.support.terminal import Tmux
from tests.support.endpoint import ScriptedEndpoint

OURS = [f"mcp__qwen-lsp__{name}" for name in ENTRIES]
RENAME = ("mcp__qwen-lsp__apply_edits", {"edits": RENAMED})


async def asked(person: Person, model: ScriptedEndpoint, task: str, *flags: str) -> Ran:
    """Give Qwen Code a task and no way to ask back."""
    where = ("--openai-api-key", "sk-scripted", "--openai-base-url", model.base_url, "-m", model.model)
    ran = await person.runs(program("qwen"), "--auth-type", "openai", *where, *flags, "-p", task)
    assert ran.code == 0, ran.said
    return ran


async def test_a_task_over_several_files_is_done_with_our_tools(
    person: Person, model: ScriptedEndpoint
) -> None:
    said = await person.sets_up("qwen-code", "--rules")
    assert f"lends {len(ENTRIES)} tools" in said
    model.reply(tool_calls=[("mcp__qwen-lsp__find_symbol", {"name": "rounded"})])
    model.reply(tool_calls=[("mcp__qwen-lsp__pack_context", {"task": "Rename rounded to to_five."})])
    model.reply(tool_calls=[RENAME])
    await asked(person, model, "Rename rounded to to_five.", "--yolo")

    assert set(OURS) <= set(tools(model.requests[0]))
    assert rules().splitlines()[0] in model.requests[0].prompt
    found, pack, edited = map(plain, answers(model.requests))
    assert "shop/money.py:1-2" in found
    assert "shop/till.py" in pack
    assert "shop/money.py" in edited
    assert "shop/till.py" in edited
    assert person.file("shop/money.py") == FILES["shop/money.py"].replace("rounded", "to_five")
    assert person.file("shop/till.py") == FILES["shop/till.py"].replace("rounded", "to_five")


async def test_what_only_looks_runs_unasked_and_what_writes_does_not(
    person: Person, model: ScriptedEndpoint
) -> None:
    await person.sets_up("qwen-code")
    model.reply(tool_calls=[("mcp__qwen-lsp__references", {"name": "rounded"})])
    model.reply(tool_calls=[RENAME])
    await asked(person, model, "Rename rounded to to_five.", "--approval-mode", "default")
    looked, wrote = answers(model.requests)
    assert "shop/till.py:5" in looked
    assert "permission" in wrote
    assert person.file("shop/money.py") == FILES["shop/money.py"]


async def test_in_a_terminal_it_asks_before_it_writes(person: Person, model: ScriptedEndpoint) -> None:
    await person.sets_up("qwen-code")
    # Qwen Code also asks the model for other things, such as words to show while it works.
    model.reply(tool_calls=[("mcp__qwen-lsp__references", {"name": "rounded"})], match="Rename")
    model.reply(tool_calls=[RENAME], match="shop/till.py:5")
    where = ("--openai-api-key", "sk-scripted", "--openai-base-url", model.base_url, "-m", model.model)
    ask = ("--auth-type", "openai", "--approval-mode", "default")
    command = (program("qwen"), *ask, *where)
    async with Tmux(*command, cwd=person.project, environment=person.environment, height=44) as terminal:
        await terminal.shows("Type your message", wait=WAIT)
        await typed(terminal, "/mcp", "connected")  # before that, a task is begun without our tools
        await terminal.keys("Escape")
        await terminal.hides("Manage MCP servers")
        await typed(terminal, "Rename rounded to to_five.", "Yes, allow once")
        asked = await terminal.screen()
        assert "shop/till.py:5" in asked
        assert 'Allow execution of MCP tool "apply_edits"' in asked
        await terminal.picture("qwen-code-asks")
        assert person.file("shop/money.py") == FILES["shop/money.py"]
        await terminal.keys("Enter")
        await terminal.shows("Edited shop/till.py", wait=WAIT)
    assert "to_five" in person.file("shop/money.py")


async def typed(terminal: Tmux, text: str, then: str) -> None:
    """Type something and send it when it stands there: keys that come too fast count as pasted."""
    await terminal.types(text)
    await terminal.shows(text)
    await terminal.keys("Enter")
    await terminal.shows(then, wait=WAIT)


async def test_a_server_that_starts_slowly_is_waited_for(person: Person, model: ScriptedEndpoint) -> None:
    person.slow_to_start(5)
    await person.sets_up("qwen-code")
    model.reply(tool_calls=[("mcp__qwen-lsp__find_symbol", {"name": "due"})])
    await asked(person, model, "Where is due?")
    assert ["shop/till.py:4-5" in answer for answer in answers(model.requests)] == [True]


async def test_the_settings_of_a_project_count_once_they_are_approved(
    person: Person, model: ScriptedEndpoint
) -> None:
    said = await person.sets_up("qwen-code", "--project")
    assert "qwen mcp approve qwen-lsp" in said
    await asked(person, model, "Which tools have you got?")
    assert set(OURS).isdisjoint(tools(model.requests[0]))

    approved = await person.runs(program("qwen"), "mcp", "approve", "qwen-lsp")
    assert approved.code == 0, approved.said
    model.requests.clear()
    await asked(person, model, "Which tools have you got?")
    assert set(OURS) <= set(tools(model.requests[0]))

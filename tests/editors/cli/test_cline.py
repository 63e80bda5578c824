"""The Cline command line with our tools: found, called, and waited for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qwen_lsp.cli.setup.clients import rules
from qwen_lsp.mcp_server.catalog import ENTRIES
from tests.editors.cli.conftest import FILES, RENAMED, Person, Ran, answers, plain, tools
from tests.editors.conftest import program
from tests.support.endpoint import ScriptedEndpoint

OURS = [f"qwen-lsp__{name}" for name in ENTRIES]


@pytest.fixture
def settings(person: Person) -> Path:
    return person.home / ".cline" / "data" / "settings" / "cline_mcp_settings.json"


async def asked(person: Person, model: ScriptedEndpoint, task: str, *flags: str) -> Ran:
    """Point Cline at the model, as its user does once, and give it a task."""
    cline = program("cline")
    where = ("-k", "sk-scripted", "-m", model.model, "-b", model.base_url)
    known = await person.runs(cline, "auth", "openai-compatible", *where)
    assert known.code == 0, known.said
    ran = await person.runs(cline, "-P", "openai-compatible", *flags, task)
    assert ran.code == 0, ran.said
    return ran


def forget_the_time(settings: Path) -> None:
    written = json.loads(settings.read_text(encoding="utf-8"))
    del written["mcpServers"]["qwen-lsp"]["timeout"]
    settings.write_text(json.dumps(written), encoding="utf-8")


async def test_a_task_over_several_files_is_done_with_our_tools(
    person: Person, model: ScriptedEndpoint, settings: Path
) -> None:
    said = await person.sets_up("cline", "--rules")
    assert str(settings) in said
    assert f"lends {len(ENTRIES)} tools" in said
    model.reply(tool_calls=[("qwen-lsp__find_symbol", {"name": "rounded"})])
    model.reply(tool_calls=[("qwen-lsp__pack_context", {"task": "Rename rounded to to_five."})])
    model.reply(tool_calls=[("qwen-lsp__apply_edits", {"edits": RENAMED})])
    await asked(person, model, "Rename rounded to to_five.")

    assert set(OURS) <= set(tools(model.requests[0]))
    assert rules().splitlines()[0] in model.requests[0].prompt
    found, pack, edited = map(plain, answers(model.requests))
    assert "shop/money.py:1-2" in found
    assert "shop/till.py" in pack
    assert "shop/money.py" in edited
    assert "shop/till.py" in edited
    assert person.file("shop/money.py") == FILES["shop/money.py"].replace("rounded", "to_five")
    assert person.file("shop/till.py") == FILES["shop/till.py"].replace("rounded", "to_five")

    taken = await person.sets_up("cline", "--rules", "--undo")
    assert f"Removed {settings}" in taken
    assert not (person.project / ".clinerules").exists()


async def test_a_server_that_starts_slowly_is_waited_for(
    person: Person, model: ScriptedEndpoint, settings: Path
) -> None:
    person.slow_to_start(5)
    await person.sets_up("cline")
    model.reply(tool_calls=[("qwen-lsp__find_symbol", {"name": "due"})])
    await asked(person, model, "Where is due?")
    assert set(OURS) <= set(tools(model.requests[0]))
    assert ["shop/till.py:4-5" in plain(answer) for answer in answers(model.requests)] == [True]

    # Without the time that setup writes, Cline drops the same server and says nothing of it.
    forget_the_time(settings)
    model.requests.clear()
    await asked(person, model, "Where is due?")
    assert set(OURS).isdisjoint(tools(model.requests[0]))


async def test_what_the_guide_says_of_rights_is_so(person: Person, model: ScriptedEndpoint) -> None:
    await person.sets_up("cline")
    model.reply(tool_calls=[("qwen-lsp__apply_edits", {"edits": RENAMED})])
    await asked(person, model, "Rename rounded to to_five.", "--auto-approve", "false")
    assert ["requires approval" in answer for answer in answers(model.requests)] == [True]
    assert person.file("shop/money.py") == FILES["shop/money.py"]


async def test_a_file_with_a_comment_is_one_that_cline_ignores(
    person: Person, model: ScriptedEndpoint, settings: Path
) -> None:
    person.writes(settings, '{\n  "mcpServers": {} // none yet\n}\n')
    said = await person.sets_up("cline")
    assert "ignores the whole file" in said
    await asked(person, model, "Which tools have you got?")
    assert set(OURS).isdisjoint(tools(model.requests[0]))

"""A run as JSON lines: what docs/agent.md promises of them."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from qwen_lsp.cli import main
from qwen_lsp.features.agent.events import AgentEvent
from tests.cli.conftest import FILES, Run
from tests.support.endpoint import ScriptedEndpoint

Configure = Callable[[ScriptedEndpoint], None]
MONEY = "calc/money.py"
EDIT: tuple[str, Any] = (
    "edit",
    {"file_path": MONEY, "old_string": "2 >= step", "new_string": "2 > step"},
)
_ROW = re.compile(r"^\| `(\w+)` \| [^|]* \| (.*) \|$", re.MULTILINE)


def promised() -> Mapping[str, list[str]]:
    """The fields of each event as the table in the docs lists them."""
    text = (Path(__file__).parents[2] / "docs/agent.md").read_text(encoding="utf-8")
    table = text.split("<!-- events -->")[1].split("\n\n`usage`")[0]
    return {kind: re.findall(r"`(\w+)`", listed) for kind, listed in _ROW.findall(table)}


def parsed(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_every_event_is_told_with_its_fields() -> None:
    told = promised()
    for kind in get_args(AgentEvent):
        assert told.get(kind.__name__.lower()) == [field.name for field in fields(kind)], kind.__name__
    assert set(told) == {kind.__name__.lower() for kind in get_args(AgentEvent)} | {"diff", "result"}


async def test_a_run_has_the_lines_that_were_promised(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply("I change it.", tool_calls=[EDIT])
        model.reply("Done.")
        ran = await run("agent", repo, "-p", "Round halves down.", "--yes", "--json")
    lines = parsed(ran.out)
    told = promised()
    for line in lines:
        assert set(line) == {"event", *told[line["event"]]}
    assert lines[0]["event"] == "began"
    assert [line["event"] for line in lines[-3:]] == ["stopped", "diff", "result"]
    result = lines[-1]
    assert result["run"] == lines[0]["run"]
    assert (result["ended"], result["applied"], result["files"]) == ("done", True, [MONEY])
    assert result["turns"] == 2
    turned = [line["usage"] for line in lines if line["event"] == "turned"]
    assert result["usage"]["prompt"] == sum(usage["prompt"] for usage in turned)
    assert result["cost"] is None


async def test_without_yes_nothing_is_applied_and_the_lines_say_so(
    run: Run, repo: Path, configured: Configure
) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        model.reply("Done.")
        ran = await run("agent", repo, "-p", "Round halves down.", "--json")
    lines = parsed(ran.out)
    assert ran.code == 1
    assert (lines[-1]["applied"], lines[-1]["files"]) == (False, [MONEY])
    assert "2 > step" in lines[-2]["text"]
    assert "--yes was not given" in ran.err
    assert (repo / MONEY).read_text() == FILES[MONEY]


async def test_a_conflict_is_a_result_too(run: Run, repo: Path, configured: Configure) -> None:
    mine = FILES[MONEY].replace("2 >= step", "2 >= step + 1")
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        go = asyncio.Event()
        model.reply("Done.", hold=go)
        running = asyncio.ensure_future(run("agent", repo, "-p", "Round.", "--yes", "--json"))
        await model.wait_requests(2)
        (repo / MONEY).write_text(mine)
        go.set()
        ran = await running
    assert ran.code == 1
    result = parsed(ran.out)[-1]
    assert result["event"] == "result"
    assert result["applied"] is False
    assert MONEY in result["reason"]
    assert (repo / MONEY).read_text() == mine


@pytest.mark.parametrize(
    ("option", "ended"),
    [(("--max-turns", "1"), "turns"), (("--max-seconds", "0.000001"), "time")],
    ids=["turns", "time"],
)
async def test_a_limit_of_the_command_line_ends_a_run(
    run: Run, repo: Path, configured: Configure, option: tuple[str, str], ended: str
) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        model.reply(tool_calls=[EDIT])
        ran = await run("agent", repo, "-p", "Round halves down.", "--yes", "--json", *option)
    result = parsed(ran.out)[-1]
    assert ran.code == 1
    assert (result["ended"], result["applied"]) == (ended, False)
    assert "--resume" in ran.err
    assert (repo / MONEY).read_text() == FILES[MONEY]


@pytest.mark.parametrize("option", [("--max-turns", "0"), ("--max-seconds", "-1"), ("--max-turns", "9999")])
async def test_an_impossible_limit_is_named(run: Run, repo: Path, option: tuple[str, str]) -> None:
    ran = await run("agent", repo, "-p", "Do it.", *option)
    assert ran.code == 1
    assert ran.err.startswith(f"qwen-lsp: {option[0]}: ")


async def test_plan_mode_changes_nothing(run: Run, repo: Path, configured: Configure) -> None:
    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        model.reply("The plan: one edit.")
        ran = await run("agent", repo, "-p", "Round halves down.", "--yes", "--mode", "plan")
        assert "only plans" in model.requests[-1].prompt
    assert ran.code == 0
    assert "No file to change." in ran.out
    assert (repo / MONEY).read_text() == FILES[MONEY]


@pytest.mark.parametrize(
    ("typed", "said"),
    [(None, "say what to do"), (io.TextIOWrapper(io.BytesIO(b"Do \xff"), "utf-8"), "is no text")],
    ids=["closed", "not-text"],
)
async def test_without_a_task_that_can_be_read_it_is_asked_for_one(
    run: Run, repo: Path, typed: io.TextIOBase | None, said: str
) -> None:
    ran = await run("agent", repo, typed=typed)
    assert ran.code == 1
    assert ran.err.startswith("qwen-lsp: ")
    assert said in ran.err


async def test_where_nobody_reads_the_sentences_the_lines_are_whole(
    repo: Path, configured: Configure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone(io.StringIO):
        def write(self, s: str, /) -> int:
            raise BrokenPipeError

    async with ScriptedEndpoint() as model:
        configured(model)
        model.reply(tool_calls=[EDIT])
        model.reply("Done.")
        monkeypatch.setattr("sys.stderr", Gone())
        code = await asyncio.to_thread(main, ["agent", str(repo), "-p", "Round.", "--yes", "--json"])
    result = parsed(capsys.readouterr().out)[-1]
    assert (code, result["event"], result["applied"]) == (0, "result", True)

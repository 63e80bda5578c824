"""docs/protocol.md is what the server announces, takes and sends: its tables are read and compared."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from lsprotocol import types as lsp

from qwen_lsp.features.agent.approval import Ask, AskKind
from qwen_lsp.features.agent.asking import Question
from qwen_lsp.features.agent.events import AgentEvent, Ended
from qwen_lsp.model.probe import Found
from qwen_lsp.runs.lines import Style
from qwen_lsp.server import commands
from qwen_lsp.server.agent_asking import APPROVE, ASK, answer, leave
from qwen_lsp.server.agent_events import EVENT
from qwen_lsp.server.commands import COMMANDS, STREAM
from qwen_lsp.server.host import Server
from qwen_lsp.server.standing import STATUS
from qwen_lsp.server.table import FEATURES, build
from tests.support.agent import AFTER, FILES, scene
from tests.support.desk import THIN, VSCODE
from tests.support.editor import Json, in_process, place, span
from tests.workspace.repositories import repository, user

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
_NAMES = re.compile(r"((?:`[^`]+`(?:, )?)+)(.*)")


@dataclass(frozen=True)
class Row:
    """One row of a table: the names in its first cell, and whether they may be missing."""

    names: tuple[str, ...]
    sometimes: bool
    text: str


@dataclass
class Section:
    """What one heading of the page has in tables."""

    tables: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])

    def names(self, table: str) -> set[str]:
        return {name for row in self.tables.get(table, ()) for name in row.names}

    def always(self, table: str) -> set[str]:
        return {name for row in self.tables.get(table, ()) if not row.sometimes for name in row.names}

    def text(self, table: str, name: str) -> str:
        return next(row.text for row in self.tables[table] if name in row.names)


def sections() -> dict[str, Section]:
    """The sections of commands, notifications and requests, by name."""
    found: dict[str, Section] = {}
    section: Section | None = None
    table: list[Row] | None = None
    for line in PAGE.splitlines():
        if heading := re.match(r"### `([^`]+)`$", line):
            section = found[heading[1]] = Section()
        elif line.startswith("#") and not line.startswith("####"):
            section = None
        if section is None or not line.startswith("|"):
            table = None
            continue
        first, *rest = (cell.strip() for cell in line.strip("|").split(" | "))
        if table is None:
            table = section.tables.setdefault(first.strip("| "), [])
        elif not first.startswith("---"):
            named = _NAMES.match(first)
            assert named, line
            names = tuple(re.findall(r"`([^`]+)`", named[1]))
            table.append(Row(names, bool(named[2].strip()), " ".join(rest)))
    return found


SECTIONS = sections()


def fits(said: Mapping[str, Any], section: Section) -> None:
    """What was sent has every field that the page promises, and no other one."""
    known = {name for name in section.names("field") if "[]" not in name}
    always = {name for name in section.always("field") if "[]" not in name}
    assert always <= set(said) <= known, (sorted(said), sorted(known))
    inner = [name.split("[].") for name in section.names("field") if "[]" in name]
    for outer in {outer for outer, _ in inner}:
        for row in said[outer]:
            assert set(row) == {name for parent, name in inner if parent == outer}


# -- what is announced ---------------------------------------------------------------------------------


async def test_every_command_and_message_has_its_section(tmp_path: Path) -> None:
    assert list(SECTIONS) == [*COMMANDS, STREAM, STATUS, EVENT, APPROVE, ASK]
    async with in_process() as editor:
        announced = (await editor.initialize(tmp_path))["capabilities"]
        assert announced["executeCommandProvider"]["commands"] == list(COMMANDS)


def test_every_method_of_the_protocol_is_told() -> None:
    standard = PAGE[: PAGE.index("## Commands")]
    named = set(re.findall(r"`([a-zA-Z$]+/[a-zA-Z/]+)`", standard))
    quiet = {f"textDocument/did{what}" for what in ("Open", "Change", "Close", "Save")}
    quiet |= {lsp.INITIALIZE, lsp.INITIALIZED, lsp.SHUTDOWN, lsp.EXIT, lsp.SET_TRACE}
    served = set(FEATURES) - quiet - {lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL}
    assert served <= named


def test_every_way_a_run_ends_is_told() -> None:
    told = SECTIONS["qwen.edit"].text("field", "ended")
    assert set(re.findall(r"`([^`]+)`", told)) == set(get_args(Ended))


# -- what is taken and answered ------------------------------------------------------------------------


class Heard(dict[str, Any]):
    """Arguments that remember which were asked for."""

    asked: set[str]

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


@dataclass
class Calls:
    """What commands were called with and answered."""

    asked: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    results: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])


@asynccontextmanager
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Calls]:
    calls = Calls()

    def told(name: str) -> Any:
        command = COMMANDS[name]

        async def heard(ls: Server, arguments: Mapping[str, Any], token: Any) -> Any:
            noted = Heard(arguments)
            noted.asked = calls.asked.setdefault(name, set())
            result = await command(ls, noted, token)
            calls.results.setdefault(name, []).append(result)
            return result

        return heard

    monkeypatch.setattr(commands, "COMMANDS", {name: told(name) for name in COMMANDS})
    yield calls


async def found() -> list[Found]:
    return [Found("ollama", "http://127.0.0.1:11434/v1", ("llama3.1:8b", "qwen3-coder:30b"))]


async def test_commands_take_and_answer_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(monkeypatch) as calls, scene(tmp_path, VSCODE) as at:
        uri = at.desk.uri("cart.py")
        at.script()
        looked = await at.edit(apply=False, uri=uri, files=[uri], stream="s")
        await at.editor.command("qwen.agentRuns", {"uri": uri})
        await at.editor.command("qwen.landEdit", {"run": looked["run"], "files": ["cart.py"]})
        await at.editor.command("qwen.landEdit", {"run": looked["run"]})
        await at.editor.command("qwen.landEdit", {"run": looked["run"]})
        await at.editor.command("qwen.showRun", {"run": looked["run"]})
        for form in ("markdown", "changes"):
            await at.editor.command("qwen.showRun", {"run": looked["run"], "form": form})
        one = {"run": looked["run"], "form": "texts", "path": "cart.py"}
        await at.editor.command("qwen.showRun", one)
        await at.undo()
        at.desk.refuses = True
        at.script()
        await at.edit()
        at.model.reply("```python\ndef total(lines):\n    return 0\n```")
        await at.edit(uri=uri, scope="selection", range=span((3, 0), (4, 0)), apply=False)
        await at.editor.command("qwen.stopEdit", {"uri": uri})
        at.model.reply('```python\ndef total(lines):\n    """All of them."""\n```')
        at_total: Json = {
            "textDocument": {"uri": uri},
            "range": span((3, 4), (3, 4)),
            "context": {"diagnostics": []},
        }
        actions = await at.editor.request("textDocument/codeAction", at_total)
        await at.editor.command("qwen.act", next(a["data"] for a in actions if "Document" in a["title"]))
        at.model.reply("It sums.")
        await at.editor.command("qwen.explainFile", {"uri": uri, "stream": 7})
        where = {"uri": uri, "position": place(4, 4)}
        for feature in ("completion", "explain", "action", "agent"):
            await at.editor.command("qwen.showContext", {**where, "feature": feature})
        await at.editor.command("qwen.showContext", {**where, "form": "html", "budget": 40_000})
        await at.editor.command("qwen.whySuggestion", {"uri": uri})
        await at.editor.command("qwen.status", {"uri": uri, "show": True})
        monkeypatch.setattr("qwen_lsp.model.probe.discover", found)
        await at.editor.command("qwen.findEndpoints")
        for method in (STREAM, EVENT):
            sent = [m["params"] for m in at.editor.messages if m.get("method") == method]
            assert sent
            for params in sent:
                fits(params, SECTIONS[method])
                if method == EVENT:
                    told_of_it(params["event"])
    for name, section in SECTIONS.items():
        if name not in calls.results:
            continue
        assert calls.asked[name] == section.names("argument"), name
        for result in calls.results[name]:
            for said in cast("list[Any]", result) if isinstance(result, list) else [result]:
                if not isinstance(said, str):
                    fits(said, section)
    assert set(COMMANDS) - set(calls.results) == {"qwen.commitEdit"}


async def test_a_commit_takes_and_answers_what_the_page_says(
    tmp_path: Path, own_user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user(own_user_folders)
    root = repository(tmp_path / "w", FILES)
    async with listening(monkeypatch) as calls, scene(root, VSCODE) as at:
        at.script()
        run = (await at.edit())["run"]
        for path, text in AFTER.items():
            if text is not None:
                at.desk.save(path)
        for agreed in (False, True):
            at.editor.answers["window/showMessageRequest"] = lambda params: None
            argument = {"run": run, "message": "Rename net", "agreed": agreed, "push": True}
            await at.editor.command("qwen.commitEdit", argument)
        section = SECTIONS["qwen.commitEdit"]
        assert calls.asked["qwen.commitEdit"] == section.names("argument")
        for result in calls.results["qwen.commitEdit"]:
            fits(result, section)


def told_of_it(event: Mapping[str, Any]) -> None:
    """What comes with an event besides its own fields is what the page says."""
    section = SECTIONS[EVENT]
    kind = next(kind for kind in get_args(AgentEvent) if kind.__name__.lower() == event["event"])
    told = set(event) - {"event", *(one.name for one in fields(kind))}
    assert section.always("told") <= told <= section.names("told")
    assert ("facts" in told, "about" in told) == (event["event"] == "turned", event["event"] == "called")
    styles = set(re.findall(r"`([^`]+)`", section.text("told", "lines").partition(".")[0]))
    assert {line["style"] for line in event["lines"]} <= styles - {"text", "style"} == set(get_args(Style))


def test_every_event_and_its_fields_are_told() -> None:
    table = SECTIONS[EVENT].tables["event"]
    told = {row.names[0]: re.findall(r"`([^`]+)`", row.text.partition(":")[0]) for row in table}
    kinds = {kind.__name__.lower(): [one.name for one in fields(kind)] for kind in get_args(AgentEvent)}
    assert told == kinds


async def test_questions_to_the_person_are_what_the_page_says() -> None:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(capabilities=THIN)
        sent: dict[str, Json] = {}
        for method in (APPROVE, ASK):
            editor.answers[method] = lambda params, method=method: sent.setdefault(method, params) and {}
        await leave(server, "r1", Ask("command", "Run?", "make", ("command", "make", "")))
        await answer(server, "r1", Question("Which?", ("a", "b")))
        for method, params in sent.items():
            assert set(params) == SECTIONS[method].always("field")
        assert set(sent) == {APPROVE, ASK}
    kinds = set(re.findall(r"`([^`]+)`", SECTIONS[APPROVE].text("field", "kind")))
    assert kinds == {*get_args(AskKind), "edit", "commit"}

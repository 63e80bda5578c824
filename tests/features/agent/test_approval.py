"""Who decides: what is asked, how it is shown, what a yes is bound to, and what no yes can allow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.approval import (
    LONGEST_SHOWN,
    Answer,
    Approval,
    Ask,
    command_ask,
    runs_unasked,
    touched,
)
from qwen_lsp.features.agent.events import AgentEvent, Asked
from qwen_lsp.features.agent.toolbox import Desk, Kind, Tool
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.settings import AgentMode
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.features.agent.bypasses import ALLOWED, bypasses
from tests.support.fixture import workspace


@dataclass
class Person:
    answers: Sequence[Answer] = ("once",)
    asked: list[Ask] = field(default_factory=list[Ask])

    async def __call__(self, ask: Ask, /) -> Answer:
        self.asked.append(ask)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]

    @property
    def details(self) -> list[str]:
        return [ask.detail for ask in self.asked]


def approval(mode: AgentMode, person: Person, **more: Any) -> Approval:
    return Approval(mode, person, **more)


@pytest.mark.parametrize(
    ("kind", "plans"),
    [("read", True), ("note", True), ("ask", True), ("edit", False), ("command", False), ("external", False)],
)
def test_a_run_that_plans_has_only_what_looks(kind: Kind, plans: bool) -> None:
    tool = Tool("some_tool", "", kind=kind)
    Approval("ask").admits(tool)
    Approval("allow").admits(tool)
    if plans:
        Approval("plan").admits(tool)
    else:
        with pytest.raises(ToolRefused, match="only plans"):
            Approval("plan").admits(tool)


async def test_a_run_that_plans_asks_nobody_and_starts_nothing() -> None:
    person = Person(("request",))
    with pytest.raises(ToolRefused, match="only plans"):
        await approval("plan", person, commands=["ls"]).command_leave("ls")
    assert person.asked == []


async def test_without_a_person_nothing_that_needs_one_is_done() -> None:
    with pytest.raises(ToolRefused, match="did not allow it: make test"):
        await Approval("ask").command_leave("make test")
    await Approval("allow").command_leave("make test")


async def test_once_is_asked_again_and_the_request_is_not() -> None:
    person = Person(("once", "request", "no"))
    given = approval("ask", person)
    for _ in range(5):
        await given.command_leave("make test")
    assert person.details == ["make test"] * 2


@pytest.mark.parametrize(
    ("line", "folder", "network"),
    [
        ("make test ", "", False),
        ("make  test", "", False),
        ("make test\n", "", False),
        ("make tests", "", False),
        ("make", "", False),
        ("make test", "sub", False),
        ("make test", "", True),
        ("Make test", "", False),
    ],
)
async def test_a_yes_for_the_request_is_bound_to_the_very_same_command(
    line: str, folder: str, network: bool
) -> None:
    person = Person(("request", "no"))
    given = approval("ask", person)
    await given.command_leave("make test")
    with pytest.raises(ToolRefused):
        await given.command_leave(line, folder, network=network)


async def test_a_yes_lasts_for_one_run_only() -> None:
    person = Person(("request",))
    await approval("ask", person).command_leave("make test")
    await approval("ask", person).command_leave("make test")
    assert len(person.asked) == 2


async def test_two_questions_about_the_same_thing_are_one() -> None:
    person = Person(("request",))
    given = approval("ask", person)
    await asyncio.gather(*(given.command_leave("make test") for _ in range(10)))
    assert len(person.asked) == 1


@pytest.mark.parametrize("answer", ["yes", "", "Once", "request ", None, True, "allow", "always"])
async def test_anything_but_a_clear_yes_is_a_no(answer: object) -> None:
    with pytest.raises(ToolRefused):
        await approval("allow", Person((cast("Answer", answer),))).leave(
            Ask("external", "Start?", "it", ("it",), lasting=True)
        )


async def test_every_question_and_every_answer_is_told() -> None:
    events: list[AgentEvent] = []
    given = approval("ask", Person(("request", "no")), on_event=events.append)
    await given.command_leave("make test")
    await given.command_leave("make test")
    with pytest.raises(ToolRefused):
        await given.command_leave("make all", "sub")
    assert events == [
        Asked("Run this command?", "make test"),
        Asked("Run this command?", "make test", "request"),
        Asked("Run this command in sub/?", "make all"),
        Asked("Run this command in sub/?", "make all", "no"),
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("ls \u202etxt.exe", "ls \\u{202e}txt.exe"),
        ("ls\u200b\u2060; rm x", "ls\\u{200b}\\u{2060}; rm x"),
        ("ls \x1b[8m; rm x\x1b[0m", "ls \\u{1b}[8m; rm x\\u{1b}[0m"),
        ("ls\r\x1b[1A", "ls\\u{d}\\u{1b}[1A"),
        ("echo a\nrm -rf b", "echo a\nrm -rf b"),
        ("ls" + " " * 300 + "; rm x", "ls[300 blanks]; rm x"),
        ("gіt push", "g\\u{456}t push"),
    ],
)
async def test_a_person_sees_what_would_run(line: str, shown: str) -> None:
    person = Person()
    await approval("ask", person).command_leave(line)
    assert person.details == [shown]
    assert person.asked[0].key[1] == line, "a yes is bound to the line itself, not to how it is shown"


async def test_a_long_command_is_shown_whole_or_refused() -> None:
    person = Person()
    long = "; ".join(f"echo {number}" for number in range(1_000)) + "; rm x"
    assert len(long) < LONGEST_SHOWN
    await approval("ask", person).command_leave(long)
    assert person.details == [long]
    assert person.asked[0].title == f"Run this command? ({len(long):,} characters)"
    with pytest.raises(ToolRefused, match="too long to be read"):
        await approval("ask", person).command_leave("; ".join(["ls"] * 10_000))
    assert len(person.asked) == 1


def test_a_command_of_many_lines_says_so() -> None:
    assert command_ask("a\nb\nc", "sub").title == "Run this command in sub/? (3 lines, 5 characters)"


def test_a_command_with_network_says_so() -> None:
    assert command_ask("curl x", "", network=True).title == "Run this command with network access?"


# -- what runs without asking ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line", [*ALLOWED, "pytest  -q", " ls ", "'ls'", 'npm run "lint" -- --max-warnings=0']
)
async def test_a_listed_command_runs_without_asking(line: str) -> None:
    person = Person(("no",))
    await approval("ask", person, commands=ALLOWED).command_leave(line)
    assert person.asked == []


async def test_a_listed_command_is_asked_for_elsewhere_and_with_network() -> None:
    for folder, network in (("sub", False), ("", True)):
        with pytest.raises(ToolRefused):
            await approval("ask", Person(("no",)), commands=ALLOWED).command_leave(
                "ls", folder, network=network
            )


async def test_nothing_runs_without_asking_by_default() -> None:
    for line in ("ls", "true", "pwd", "git status", "echo hi", ""):
        with pytest.raises(ToolRefused):
            await Approval("ask").command_leave(line)


async def test_no_bypass_runs_without_asking() -> None:
    corpus = list(dict.fromkeys(bypasses()))
    assert len(corpus) >= 300
    given = approval("ask", Person(("no",)), commands=ALLOWED)
    through: list[str] = []
    for line in corpus:
        try:
            await given.command_leave(line)
        except ToolRefused:
            continue
        through.append(line)
    assert through == []


@pytest.mark.parametrize(
    "listed", ["ls && rm x", "ls *", "A=b ls", "echo $HOME", "cd x", "env ls", "sh -c 'a;b'"]
)
def test_a_listed_line_that_a_shell_acts_on_matches_nothing(listed: str) -> None:
    assert not runs_unasked(listed, [listed])


# -- paths ----------------------------------------------------------------------------------------------


def desk(*files: str) -> Desk:
    text = "".join(f"#- {file}\nx\n" for file in files or ("a.py",))
    return Desk(workspace(text).snapshot, Gate(None))


@pytest.mark.parametrize(
    ("tool", "arguments", "paths"),
    [
        ("edit", {"file_path": "./a//b.py", "old_string": "x", "new_string": "y"}, ["a/b.py"]),
        ("write_file", {"file_path": "/nowhere/workspace/a.py", "content": ""}, ["a.py"]),
        ("move_file", {"source_path": "a.py", "target_path": "uv.lock"}, ["a.py", "uv.lock"]),
        ("delete_file", {"file_path": "a.py"}, ["a.py"]),
        (
            "edit_files",
            {"edits": [{"file_path": "a.py", "old_string": "path", "new_string": ""}, {"file_path": "b.py"},
                       {"file_path": "a.py"}]},
            ["a.py", "b.py"],
        ),
        ("read_file", {"file_path": "a.py"}, []),
    ],
)  # fmt: skip
def test_the_paths_of_a_call(tool: str, arguments: dict[str, Any], paths: list[str]) -> None:
    assert list(touched(desk(), TOOLS[tool], arguments)) == paths


def test_every_editing_tool_names_the_paths_it_changes() -> None:
    """A new tool that edits, or another name of an argument, must be known to `touched`."""
    for tool in TOOLS.values():
        if tool.kind == "edit":
            some = {"file_path": "a.py", "source_path": "b.py", "target_path": "c.py"}
            given = {name: some[name] for name, _ in tool.parameters if name in some}
            given |= {
                name: [{"file_path": "d.py"}] for name, s in tool.parameters if s.get("type") == "array"
            }
            assert touched(desk(), tool, given)


@pytest.mark.parametrize("arguments", [{}, {"content": "x"}, {"edits": []}, {"edits": [{"old_string": "x"}]}])
def test_an_edit_that_names_no_file_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolRefused, match="names no file"):
        touched(desk(), TOOLS["edit_files"], arguments)


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a\0b", ""])
def test_an_edit_outside_is_refused(path: str) -> None:
    with pytest.raises(ToolRefused):
        touched(desk(), TOOLS["delete_file"], {"file_path": path})


async def test_an_ordinary_path_needs_no_leave_and_a_protected_one_gets_none() -> None:
    person = Person(("request",))
    for mode in ("ask", "allow"):
        given = approval(mode, person, guarded=[RelPath("bare.git")])
        await given.path_leave(RelPath("src/a.py"))
        for path in (".git/config", ".vscode/settings.json", "bare.git/hooks/x", "BARE.GIT/config"):
            with pytest.raises(ToolRefused, match="may not be changed"):
                await given.path_leave(RelPath(path))
    assert person.asked == []


async def test_a_touchy_path_is_asked_for_by_name() -> None:
    person = Person(("request", "no"))
    given = approval("ask", person)
    await given.path_leave(RelPath("uv.lock"))
    await given.path_leave(RelPath("uv.lock"))
    assert [(ask.kind, ask.title, ask.detail) for ask in person.asked] == [
        ("path", "Change uv.lock? It pins what is installed.", "uv.lock")
    ]
    with pytest.raises(ToolRefused, match=r"did not allow it: sub/uv\.lock"):
        await given.path_leave(RelPath("sub/uv.lock"))


async def test_every_path_of_a_call_is_asked_for_before_it_runs() -> None:
    person = Person(("once", "no"))
    given = approval("ask", person)
    edits = [
        {"file_path": path, "old_string": "", "new_string": "x"} for path in ("AGENTS.md", "a.py", "go.sum")
    ]
    with pytest.raises(ToolRefused, match=r"go\.sum"):
        await given.edit_leave(desk(), TOOLS["edit_files"], {"edits": edits})
    assert person.details == ["AGENTS.md", "go.sum"]

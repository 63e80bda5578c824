"""What is printed of a run, line by line, and the lines below it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from qwen_lsp.cli.agent_history import History
from qwen_lsp.cli.agent_preview import numbers, show_files
from qwen_lsp.cli.agent_status import Standing
from qwen_lsp.features.agent.events import (
    AgentEvent,
    Asked,
    Called,
    Changed,
    Compacted,
    Noted,
    Observed,
    Planned,
    Printed,
    Said,
    Stopped,
    Turned,
)
from qwen_lsp.model.messages import Usage
from qwen_lsp.text.edits import FileEdit


def printed(*events: AgentEvent, width: int = 60, screen: bool = False) -> list[str]:
    """The lines of these events, a second after each other; on a `screen` what is live is elsewhere."""
    out = io.StringIO()
    at = [0.0]
    history = History(
        Console(file=out, width=width, highlight=False), streams=not screen, asks=screen, now=lambda: at[0]
    )
    for event in events:
        history.hear(event)
        at[0] += 1
    history.flush()
    return out.getvalue().splitlines()


COMMAND = Called("c", "run_shell_command", {"command": "make test"})


def test_a_call_is_one_line_with_what_it_changed() -> None:
    diff = "--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n-x\n+y\n+z\n"
    lines = printed(
        Called("e", "edit", {"file_path": "a.py"}),
        Observed("e", "edit", True, "ok"),
        Changed("e", ("a.py",), diff),
    )
    assert lines == [
        "  ✓ edit  a.py  +2 -1  1.0 s", "      @@ -1 +1,2 @@", "      -x", "      +y", "      +z",
    ]  # fmt: skip


def test_a_refused_call_says_why() -> None:
    lines = printed(
        Called("r", "read_file", {"file_path": "no.py"}),
        Observed("r", "read_file", False, "\nIt is not there.\nmore"),
    )
    assert lines == ["  ✗ read_file  no.py  1.0 s", "      It is not there."]


def test_calls_that_run_at_once_are_told_apart() -> None:
    lines = printed(
        Called("1", "outline", {"file_path": "a"}), Called("2", "outline", {"file_path": "b"}),
        Observed("1", "outline", True, ""), Observed("2", "outline", True, ""),
    )  # fmt: skip
    assert lines == ["  ✓ outline  a  2.0 s", "  ✓ outline  b  2.0 s"]


def test_a_file_gets_all_that_a_command_prints_and_a_screen_its_end() -> None:
    events = (
        COMMAND, *(Printed("c", f"line {at}\nli") for at in range(20)), Printed("c", "ne 20"),
        Observed("c", "run_shell_command", False, "Exit status 2.\n…"),
    )  # fmt: skip
    logged = printed(*events)
    assert logged[0] == "  ▸ run_shell_command  make test"
    assert logged[1] == "    │ line 0"
    assert logged[-3] == "    │ line 20"
    assert logged[-1] == "      Exit status 2."
    seen = printed(*events, screen=True)
    assert seen[0] == "  ✗ run_shell_command  make test  22.0 s"
    assert seen[-1] == "    │ line 20"
    assert len(seen) == 2 + 8


def test_words_are_broken_at_the_width_of_a_screen_and_never_in_a_file() -> None:
    words = [Said(f"word{at} ") for at in range(30)]
    assert len(printed(*words)) == 1
    rows = printed(*words, screen=True)
    assert len(rows) > 3
    assert all(len(row) < 60 for row in rows)
    assert " ".join(rows).split() == [f"word{at}" for at in range(30)]


def test_empty_lines_at_the_beginning_of_words_are_left_out() -> None:
    assert printed(Said("\n\nOne\n\nTwo\n")) == ["One", "", "Two"]


def test_a_plan_is_told_where_it_moves_on() -> None:
    first = Planned((("A", "in_progress"), ("B", "pending")))
    second = Planned((("A", "completed"), ("B", "in_progress")))
    assert printed(first, first, second) == [
        "  ◇ plan: 0 of 2 steps done; now: A", "  ◇ plan: 1 of 2 steps done; now: B",
    ]  # fmt: skip


def test_what_is_beside_the_work_is_told() -> None:
    lines = printed(
        Noted("A file was left out."),
        Compacted(120_000, 30_000, by_model=True),
        Asked("Run this?", "make", "no"),
        Stopped("turns", "Stopped after 3 turns."),
    )
    assert lines == [
        "  ! A file was left out.",
        "  The conversation was shortened from 120K to 30.0K tokens, summed up by the model.",
        "  ? Run this?: make — no",
        "Stopped after 3 turns.",
    ]


@pytest.mark.parametrize("screen", [True, False])
def test_nothing_foreign_reaches_the_terminal_as_it_is(screen: bool) -> None:
    evil = "\x1b[31m\x07\u202e[b]\x9b2J\r\x00"
    lines = printed(
        Said(f"{evil}\n{evil}"),
        Called("a", evil, {evil: evil}),
        Printed("a", f"{evil}\n"),
        Observed("a", evil, False, evil),
        Changed("a", (evil,), f"@@ -1 +1 @@\n-{evil}\n+{evil}\n"),
        Called("c", "run_shell_command", {"command": evil}),
        Printed("c", evil),
        Observed("c", "run_shell_command", False, evil),
        Planned(((evil, "in_progress"),)),
        Noted(evil),
        Asked(evil, evil, evil),
        Stopped("endpoint", evil),
        screen=screen,
    )
    text = "\n".join(lines)
    assert not set("\x1b\x07\u202e\x9b\r\x00") & set(text)
    assert "⟨U+202E⟩" in text
    assert "[b]" in text


def test_the_line_below_leaves_out_what_matters_least() -> None:
    standing = Standing(window=10_000, now=lambda: 75.0)
    standing.began = 0.0
    standing.hear(Turned(1, Usage(2_000, 100, 500), 1.0, 0.5))
    whole = "1 turn · 2.0K sent (25% cached) · 100 written · cost 0.5000 · 1:15 · window 21% · Ctrl-C stops"
    assert standing.line(120, "Ctrl-C stops").plain == whole
    assert standing.line(70).plain == "1 turn · 2.0K sent (25% cached) · cost 0.5000 · 1:15 · window 21%"
    assert standing.line(40).plain == "1 turn · 2.0K sent (25% cached) · 1:15"
    assert standing.line(10).plain == "1:15"


def test_of_a_long_plan_the_steps_around_the_present_one_are_shown() -> None:
    standing = Standing()
    states = ["completed"] * 10 + ["in_progress"] + ["pending"] * 9
    standing.hear(Planned(tuple((f"Step {at}", state) for at, state in enumerate(states))))
    shown = [line.plain for line in standing.steps()]
    assert shown[0] == "Plan, 10 of 20 done"
    assert shown[1:3] == ["  ✓ Step 9", "  ▸ Step 10"]
    assert len(shown) == 7


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", set[int]()), ("2", {2}), ("1 3-5, 7", {1, 3, 4, 5, 7}), ("8", None), ("0", None),
        ("3-1", None), ("1-", None), ("-1", None), ("all", None), ("1-9999999999999", None),
    ],
)  # fmt: skip
def test_files_are_chosen_by_their_numbers(text: str, wanted: set[int] | None) -> None:
    assert numbers(text, 7) == wanted


def test_each_file_of_a_preview_says_what_happens_to_it() -> None:
    out = io.StringIO()
    edits = [
        FileEdit("a.py", None, "x\n"),
        FileEdit("b.py", "x\n", None),
        FileEdit("c.py", "x\n", "x\n", "old.py"),
        FileEdit("d\x1b.py", "x\n", "y\n"),
    ]
    show_files(Console(file=out, width=60, highlight=False), edits)
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["1", "a.py", "+1", "new"], ["2", "b.py", "-1", "deleted"],
        ["3", "old.py", "→", "c.py", "moved"], ["4", "d⟨U+001B⟩.py", "+1", "-1"],
    ]  # fmt: skip

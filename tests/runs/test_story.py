"""A run told again from its events, and how a diff and a call are put in words."""

from __future__ import annotations

from typing import Any

import pytest

from qwen_lsp.features.agent.events import (
    AgentEvent,
    Asked,
    Began,
    Called,
    Changed,
    Observed,
    Planned,
    Printed,
    Said,
    Stopped,
    Turned,
    as_json,
)
from qwen_lsp.model.messages import Usage
from qwen_lsp.runs.diffs import lines, sizes
from qwen_lsp.runs.story import Call, replayed, told
from qwen_lsp.runs.words import about, clock, percent, tokens

EVENTS: list[AgentEvent] = [
    Began("20260101T000000-abcdef", "Do it.", "qwen"),
    Said("I "),
    Said("look."),
    Turned(1, Usage(100, 10, 40), 0.5, 0.1),
    Planned((("One", "in_progress"), ("Two", "pending"))),
    Called("a", "run_shell_command", {"command": "make"}),
    Asked("Run this?", "make"),
    Asked("Run this?", "make", "once"),
    Printed("a", "ok"),
    Observed("a", "run_shell_command", True, "exit 0"),
    Changed("a", ("x.py",), "@@ -1 +1 @@\n-a\n+b\n"),
    Called("b", "read_file", {"file_path": "no.py"}),
    Observed("b", "read_file", False, "no.py does not exist."),
    Turned(2, Usage(200, 5, 190), 0.2, 0.15),
    Called("c", "outline", {"file_path": "x.py"}),
    Said("All is done."),
    Turned(3, Usage(300, 5, 290), 0.2, 0.2),
    Stopped("done", "The task is done."),
]


def rows(events: list[AgentEvent]) -> list[dict[str, Any]]:
    return [as_json(event) | {"at": 100.0 + at} for at, event in enumerate(events)]


def test_events_are_the_same_when_they_are_read_back() -> None:
    assert [event for _, event in replayed(rows(EVENTS))] == EVENTS


def test_what_nobody_knows_or_what_is_broken_is_left_out() -> None:
    odd: list[dict[str, Any]] = [
        {"event": "danced"}, {}, {"event": "said"}, {"event": "turned", "turn": 1, "usage": 3},
        {"event": "planned", "todos": [[]]}, {"event": "said", "text": "hello", "volume": 11},
    ]  # fmt: skip
    assert [event for _, event in replayed(odd)] == [Said("hello")]


def test_a_story_has_turns_and_what_each_reply_set_going() -> None:
    story = told(rows(EVENTS))
    assert [(turn.number, turn.said) for turn in story.turns] == [
        (1, "I look."),
        (2, ""),
        (3, "All is done."),
    ]
    first, second = story.turns[0].calls
    assert (first.ok, first.printed, first.text, first.seconds) == (True, "ok", "exit 0", 4.0)
    assert first.diff.endswith("+b\n")
    assert (second.ok, second.text) == (False, "no.py does not exist.")
    assert [step.answer for step in story.turns[0].steps if isinstance(step, Asked)] == ["once"]
    assert story.turns[1].calls[0].ok is None, "nobody has answered it"
    assert story.words == "All is done."
    assert (story.ended, story.usage, story.cost) == ("done", Usage(600, 20, 520), 0.2)
    assert story.seconds == len(EVENTS) - 1


def test_a_run_that_was_gone_on_with_is_one_story() -> None:
    again: list[AgentEvent] = [
        Began("20260101T000000-abcdef", "Do it.", "qwen", resumed=True), Said("On."),
        Turned(1, Usage(1, 1, 0)), Stopped("done", "The task is done."),
    ]  # fmt: skip
    story = told(rows([*EVENTS[:5], Stopped("turns", "Stopped."), *again]))
    assert [turn.said for turn in story.turns] == ["I look.", "On."]
    assert story.ended == "done"


def test_an_answer_without_its_call_is_told_all_the_same() -> None:
    story = told(rows([Observed("x", "glob", True, "a.py")]))
    assert [(step.tool, step.text) for step in story.turns[0].steps if isinstance(step, Call)] == [
        ("glob", "a.py")
    ]


DIFF = """\
--- a/x.sql
+++ b/x.sql
@@ -1,3 +1,3 @@
 select 1
--- a comment
+++ b
 select 2
\\ No newline at end of file
rename from a
rename to b
"""


def test_the_lines_of_a_diff_are_counted_by_its_hunks() -> None:
    assert [kind for kind, _ in lines(DIFF)] == [
        "head", "head", "hunk", "same", "remove", "add", "same", "note", "head", "head",
    ]  # fmt: skip
    assert sizes(DIFF) == (1, 1)
    assert list(lines("")) == []


def test_line_ends_of_windows_are_shown_only_where_they_change() -> None:
    assert [text for _, text in lines("@@ -1 +1 @@\n-a\r\n+b\r\n")] == ["@@ -1 +1 @@", "-a", "+b"]
    assert [text for _, text in lines("@@ -1 +1 @@\n-a\r\n+a\n")] == ["@@ -1 +1 @@", "-a\r", "+a"]


def test_a_form_feed_ends_no_line_of_a_diff() -> None:
    assert [text for _, text in lines("@@ -1 +1 @@\n-a\x0cb\u2028c\n+d\n")][1] == "-a\x0cb\u2028c"


CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("read_file", {"file_path": "a.py"}, "a.py"),
    ("read_file", {"file_path": "a.py", "offset": 10, "limit": 5}, "a.py:11-15"),
    ("grep_search", {"pattern": "x+", "path": "src", "glob": "*.py"}, "x+ in src, *.py"),
    ("edit_files", {"edits": [{"file_path": p} for p in "aba"]}, "3 edits in a, b"),
    ("edit_files", {"edits": "nonsense"}, "0 edits in "),
    ("move_file", {"source_path": "a", "target_path": "b"}, "a → b"),
    ("todo_write", {"todos": [{}]}, "1 step"),
    ("run_shell_command", {"command": "make\n  test"}, "make test"),
    ("odd__tool", {"depth": 3, "deep": True}, "depth=3, deep=True"),
    ("list_directory", {}, ""),
]


@pytest.mark.parametrize(("tool", "arguments", "said"), CALLS)
def test_what_a_call_is_about(tool: str, arguments: dict[str, Any], said: str) -> None:
    assert about(tool, arguments) == said


def test_numbers_are_short() -> None:
    assert [tokens(n) for n in (0, 999, 1_000, 23_449, 99_949, 99_950, 999_499, 999_500, 1_234_567)] == [
        "0", "999", "1.0K", "23.4K", "99.9K", "100K", "999K", "1.00M", "1.23M",
    ]  # fmt: skip
    assert [clock(n) for n in (0, 61.9, 3_600, 7_325)] == ["0:00", "1:01", "1:00:00", "2:02:05"]
    assert [percent(*of) for of in ((0, 0), (1, 3), (999, 1_000), (5, 5))] == ["0%", "33%", "99%", "100%"]

"""Events of a run as lines, and as words for somebody who does not see them."""

from __future__ import annotations

import pytest

from qwen_lsp.features.agent.events import (
    AgentEvent,
    Asked,
    Began,
    Called,
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
from qwen_lsp.runs.lines import Line, doing, lines, question, spoken
from qwen_lsp.runs.words import ending, facts, spent

CALL = Called("1", "read_file", {"file_path": "my_cart.py"})


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (Said("I look."), []),
        (CALL, [("tool", "▸ read_file my_cart.py")]),
        (Printed("1", "one\ntwo\n"), [("output", "  one"), ("output", "  two")]),
        (Observed("1", "edit", True, "done"), []),
        (Observed("1", "edit", False, "\nNo such text.\nMore."), [("problem", "  No such text.")]),
        (Asked("Run it?", "make"), []),
        (Asked("Run it?", "make", "once"), [("question", "Run it? → allowed once")]),
        (Asked("Which?", "", "postgres"), [("question", "Which? → postgres")]),
        (Noted("One.\nTwo."), [("question", "One."), ("question", "Two.")]),
        (Planned((("a\nand so on", "completed"), ("b", "in_progress"), ("c", "pending"))),
         [("done", "✓ a and so on"), ("plan", "▸ b"), ("plan", "· c")]),
        (Compacted(120_000, 30_000, by_model=True),
         [("output", "The conversation was shortened from 120K to 30.0K tokens, summed up by the model.")]),
        (Stopped("done", "Done."), []),
        (Stopped("turns", "That were 50 turns."), [("problem", "That were 50 turns.")]),
    ],
)  # fmt: skip
def test_what_an_event_adds_to_a_view(event: AgentEvent, shown: list[Line]) -> None:
    assert lines(event) == shown


def test_a_question_shows_what_would_happen_and_its_diff() -> None:
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- two dashes\n+one\n"
    assert question("Apply it?", "change x", diff) == [
        ("question", "? Apply it?"), ("output", "  change x"),
        ("output", "--- a/x"), ("output", "+++ b/x"), ("output", "@@ -1 +1 @@"),
        ("removed", "--- two dashes"), ("added", "+one"),
    ]  # fmt: skip


def test_calls_failures_notes_and_the_end_are_spoken() -> None:
    events = [
        Said("I"),
        CALL,
        Observed("1", "read_file", False, "no"),
        Noted("A note."),
        Stopped("turns", ""),
    ]
    said = ["", "read file my_cart.py", "read file failed", "A note.", "The run ended: turns"]
    assert [spoken(event) for event in events] == said


def test_what_the_run_is_at_is_told_when_it_changes() -> None:
    events = [Began("r", "t", "m"), CALL, Turned(2, Usage(1, 1)), Stopped("cancelled", "")]
    assert [doing(event) for event in events] == ["Working", "", "Turn 2", "Stopped"]


def test_how_a_run_stands() -> None:
    assert [ending("", running=True), ending(""), ending("money")] == [
        "Running",
        "Interrupted",
        "Stopped early",
    ]


def test_what_a_run_took() -> None:
    usage = Usage(228_942, 2_210, 195_000)
    assert facts(8, usage, 0.064) == "8 turns · 229K tokens sent (85% cached) · 2.2K written · cost 0.0640"
    assert facts(0, Usage(), None) == ""
    assert (spent(usage, 0.064), spent(Usage(), None)) == ("231K tokens, 0.0640", "0 tokens")

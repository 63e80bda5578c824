"""Asking the person: the question as it is shown, and the answer as the model gets it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.asking import NOBODY, Ask, Question, ask_tools
from qwen_lsp.features.agent.events import AgentEvent, Asked
from qwen_lsp.features.agent.toolbox import Desk, call
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace


def asked(ask: Ask | None, events: list[AgentEvent] | None = None, **arguments: Any) -> str:
    tools = {tool.name: tool for tool in ask_tools(ask, (events if events is not None else []).append)}
    desk = Desk(workspace("#- a.py\n").snapshot, Gate(None))
    return asyncio.run(call(tools, desk, ToolCall("ask_user", arguments))).text


def answering(text: str, seen: list[Question] | None = None) -> Ask:
    async def ask(question: Question) -> str:
        if seen is not None:
            seen.append(question)
        return text

    return ask


def test_the_answer_reaches_the_model_and_the_record() -> None:
    seen: list[Question] = []
    events: list[AgentEvent] = []
    said = asked(
        answering(" the second ", seen), events, question="Which?", options=["the first", "the second"]
    )
    assert said == "The user answered: the second"
    assert seen == [Question("Which?", ("the first", "the second"))]
    listed = "- the first\n- the second"
    assert events == [Asked("Which?", listed), Asked("Which?", listed, "the second")]


@pytest.mark.parametrize("ask", [None, answering(""), answering(" \u200b ")])
def test_where_nobody_answers_the_model_decides(ask: Ask | None) -> None:
    assert asked(ask, question="Which?") == NOBODY


def test_a_key_in_the_answer_is_not_shown_to_the_model() -> None:
    key = "AKIA" + "Q3EGRIWDF5TJ7XYZ"
    said = asked(answering(f"use {key}"), question="Which key?")
    assert key not in said
    assert said.startswith("The user answered: use <redacted")


def test_a_question_shows_what_is_invisible_in_it() -> None:
    seen: list[Question] = []
    asked(answering("no", seen), question="Delete\u202e it?\x1b[2J", options=["y\u200bes"])
    assert seen == [Question("Delete\\u{202e} it?\\u{1b}[2J", ("y\\u{200b}es",))]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"question": " "}, "must have 1 to"),
        ({"question": "x" * 2_001}, "must have 1 to"),
        ({"question": "x", "options": ["a"] * 11}, "at most 10"),
        ({"question": "x", "options": [{"a": 1}]}, r"options\[1\] must be of type string"),
        ({"question": "x", "options": ["a" * 201]}, "at most 200"),
    ],
)
def test_a_question_that_cannot_be_shown_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolRefused, match=said):
        asked(answering("yes"), **arguments)

"""The tool that asks the person: a question of the model's, and the answer as it was given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.events import AgentEvent, Asked
from qwen_lsp.features.agent.toolbox import Arguments, Desk, Outcome, Tool, text_of
from qwen_lsp.text.unseen import spelled, without_hidden
from qwen_lsp.workspace.paths import RelPath

NOBODY = "Nobody is there to ask: decide yourself and say what you assumed."
_LONGEST_QUESTION, _MOST_CHOICES, _LONGEST_CHOICE = 2_000, 10, 200
_OPTIONS: Mapping[str, Any] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Answers to choose from; another one can be given.",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What the model wants to know, with answers to choose from; safe to show as it is."""

    text: str
    choices: tuple[str, ...] = ()


Ask = Callable[[Question], Awaitable[str]]
"""Puts a question to the person and gives the answer; empty where there is none. Cancelling it takes the
question back."""


def ask_tools(
    ask: Ask | None, on_event: Callable[[AgentEvent], None] = lambda event: None
) -> tuple[Tool, ...]:
    """The tool `ask_user`; without `ask` it answers that nobody is there."""

    async def ask_user(desk: Desk, arguments: Arguments) -> Outcome:
        question = _question(arguments)
        if ask is None:
            return Outcome(desk.snapshot, NOBODY)
        listed = "\n".join(f"- {choice}" for choice in question.choices)
        on_event(Asked(question.text, listed))
        said, _ = without_hidden((await ask(question)).strip())
        on_event(Asked(question.text, listed, said or "(no answer)"))
        if not said:
            return Outcome(desk.snapshot, NOBODY)
        shown = desk.gate.admit(RelPath("what the user said"), said).text or ""
        return Outcome(desk.snapshot, f"The user answered: {shown}")

    return (
        Tool(
            "ask_user",
            "Ask the user, only where the answer changes what you do and the workspace does not tell it.",
            parameters=(
                ("question", {"type": "string", "description": "One question."}),
                ("options", _OPTIONS),
            ),
            optional=frozenset({"options"}),
            kind="ask",
            act=ask_user,
        ),
    )


def _question(arguments: Arguments) -> Question:
    text = text_of(arguments, "question").strip()
    if not text or len(text) > _LONGEST_QUESTION:
        raise ToolRefused(f"ask_user: question must have 1 to {_LONGEST_QUESTION:,} characters.")
    options = cast("list[object]", arguments.get("options", []))
    choices = [option.strip() for option in options if isinstance(option, str) and option.strip()]
    if len(choices) != len(options) or len(choices) > _MOST_CHOICES:
        raise ToolRefused(f"ask_user: options are at most {_MOST_CHOICES} texts.")
    if any(len(choice) > _LONGEST_CHOICE for choice in choices):
        raise ToolRefused(f"ask_user: an option has at most {_LONGEST_CHOICE} characters.")
    return Question(spelled(text), tuple(spelled(choice) for choice in choices))

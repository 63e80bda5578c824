"""What a reply holds once its calls are read, and the words for calls that may not run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qwen_lsp.model.messages import TextDelta, ToolCall

Event = TextDelta | ToolCall
"""What `Reader.feed` returns: text to show, or a call; one with a `problem` may not run."""

_CUT = frozenset({"length", "max_tokens", "content_filter", "cancelled", "abort", "error"})


@dataclass(frozen=True, slots=True)
class Reply:
    """The text outside calls, the calls that may run, and those that may not, each with its problem."""

    content: str
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    rejected: list[ToolCall] = field(default_factory=list[ToolCall])
    tail: list[Event] = field(default_factory=list[Event], compare=False)
    """What the end of the reply settled: the events that follow those of `feed`."""


def was_cut(finish_reason: str | None) -> bool:
    """Whether the reply ended before the model was done."""
    return finish_reason in _CUT


def refused(name: str, arguments: dict[str, Any], problem: str) -> ToolCall:
    """A call that may not run; `problem` tells the model what to do instead."""
    label = f"The call of `{name}`" if name else "A tool call"
    return ToolCall(name, arguments, problem=f"{label} was not run: {problem}")


CUT = "the reply was cut off before the call was complete. Send it again, in smaller parts if it is long."
UNCLOSED = (
    "its end could not be found. Close every parameter with </parameter>, the function with </function> "
    "and the call with </tool_call>, then send it again."
)
NO_NAME = "it names no function. Write <function=NAME> with the name of an available tool."
TEMPLATE = "its name is an unfilled template placeholder. Write the name of an available tool."
NO_PARAMETERS = "no parameters could be read in it. Write each as <parameter=NAME>, the value, </parameter>."


def unknown(name: str, known: list[str]) -> str:
    """Why a call of a tool that does not exist may not run; short lists are quoted in full."""
    if not known:
        return "no tools are available here."
    shown = ", ".join(known[:30]) + (", …" if len(known) > 30 else "")
    return f"there is no tool named `{name}`. Available: {shown}."

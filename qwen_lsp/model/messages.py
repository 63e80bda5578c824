"""What is said to the model and what it says back, free of any wire format but JSON's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ToolSpec = Mapping[str, Any]
"""An OpenAI tool: {"type": "function", "function": {"name", "description", "parameters"}}."""

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "cancelled"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call the model asks for. `id` is the server's, or ours when the call was read from text."""

    name: str
    arguments: dict[str, Any]
    id: str = ""
    problem: str = ""
    """Why the call may not run, written for the model: cut off, not JSON, unknown tool. Empty: it may."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `tool_call_id` and `name` only with role "tool", `tool_calls` only with "assistant"."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
    cache: bool = False
    """Whether the prefix up to and with this message is worth an explicit cache mark."""
    marks: tuple[int, ...] = ()
    """Offsets in `content` up to which the prefix is worth one, ascending: where a stable part ends."""
    joints: tuple[int, ...] = ()
    """Offsets at which `content` is sent in blocks where marks are taken: an endpoint finds what an earlier
    request marked at the end of a block only, so what was the end once has to stay one."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request. `estimated` when the endpoint did not say."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the reply's text; never a part of a tool-call marker."""

    text: str


@dataclass(frozen=True, slots=True)
class ChatDone:
    """The end of a reply: the whole text, the calls in order, why it ended, what it cost."""

    content: str
    calls: tuple[ToolCall, ...]
    finish_reason: FinishReason
    usage: Usage = field(default_factory=Usage)
    model: str = ""


ChatEvent = TextDelta | ChatDone


@dataclass(frozen=True, slots=True)
class FimRequest:
    """A request to write what belongs between `prefix` and `suffix`.

    `context` holds (path, text) of other files, nearest last; the endpoint's profile decides whether
    it travels as repository-level FIM or as llama.cpp's `input_extra`.
    """

    path: str
    prefix: str
    suffix: str
    context: tuple[tuple[str, str], ...] = ()
    repo: str = ""
    max_tokens: int = 256
    stops: tuple[str, ...] = ()

"""What happens in an agent run, one frozen value each, for a front end to show or write down."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from qwen_lsp.model.messages import Usage

Ended = Literal[
    "done", "turns", "tokens", "time", "loop", "malformed", "window", "refused", "cancelled", "endpoint"
]


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the model's text, as it streams."""

    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A tool is about to run."""

    id: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a tool answered; `ok` False when the call was refused or failed."""

    id: str
    tool: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """The model's list of what it means to do: (text, status) each."""

    todos: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Turned:
    """A turn is over."""

    turn: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run is over; `reason` is a sentence for the user."""

    ended: Ended
    reason: str


AgentEvent = Said | Called | Observed | Planned | Turned | Stopped


def as_json(event: AgentEvent) -> dict[str, Any]:
    """The event as one JSON object, its kind under "event"."""
    return {"event": type(event).__name__.lower(), **asdict(event)}

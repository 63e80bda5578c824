"""What happens in an agent run, one frozen value each, for a front end to show or write down."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from qwen_lsp.model.messages import Usage

Ended = Literal[
    "done",
    "turns",
    "tokens",
    "money",
    "time",
    "loop",
    "malformed",
    "window",
    "refused",
    "cancelled",
    "endpoint",
]


@dataclass(frozen=True, slots=True)
class Began:
    """A run has begun, or goes on when `resumed`."""

    run: str
    """Its name: what it is resumed, shown and undone by."""
    task: str
    model: str
    resumed: bool = False
    more: str = ""
    """What the user said to a run that goes on."""


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
class Printed:
    """A piece of what a command prints, while it runs; control characters already taken out."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The fork's files are not what they were before this call."""

    id: str
    paths: tuple[str, ...]
    diff: str
    """The change of this call alone, as a unified diff."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A person is asked for leave, or for an answer to the model's question; `answer` is there when given."""

    title: str
    detail: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Compacted:
    """The conversation was shortened: tokens before and after, and whether the model wrote the summary."""

    before: int
    after: int
    by_model: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """Something beside the work that the person should know, in a sentence."""

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
    seconds: float = 0.0
    """From the request's start to the reply's end."""
    cost: float | None = None
    """Money of this run so far, in the currency of the price table; None without prices."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run is over; `reason` is a sentence for the user."""

    ended: Ended
    reason: str


AgentEvent = (
    Began
    | Said
    | Called
    | Printed
    | Observed
    | Changed
    | Asked
    | Noted
    | Planned
    | Compacted
    | Turned
    | Stopped
)


def as_json(event: AgentEvent) -> dict[str, Any]:
    """The event as one JSON object, its kind under "event"."""
    return {"event": type(event).__name__.lower(), **asdict(event)}

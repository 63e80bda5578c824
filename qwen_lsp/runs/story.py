"""Story: what happened in a run, turn by turn, as it was written down or as it is being told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, cast

from qwen_lsp.features.agent.events import (
    AgentEvent,
    Asked,
    Began,
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

_KINDS: Mapping[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (
        Began, Said, Called, Printed, Observed, Changed, Asked, Compacted, Noted, Planned, Turned, Stopped,
    )
}  # fmt: skip


@dataclass(slots=True)
class Call:
    """One call of a tool with what came of it."""

    id: str
    tool: str
    arguments: Mapping[str, Any]
    began: float
    ok: bool | None = None
    """None while it runs, and for good when the run was ended before it was over."""
    text: str = ""
    """What the model was told."""
    printed: str = ""
    diff: str = ""
    seconds: float = 0.0


Step = Call | Asked | Compacted | Noted | Planned | Began


@dataclass(slots=True)
class Turn:
    """One reply of the model, and what it set going."""

    number: int = 0
    """0 where the reply did not come to its end."""
    said: str = ""
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    cost: float | None = None
    steps: list[Step] = field(default_factory=list["Step"])
    """In order of time."""

    @property
    def calls(self) -> list[Call]:
        return [step for step in self.steps if isinstance(step, Call)]


@dataclass(slots=True)
class Story:
    """A run as far as it is told."""

    run: str = ""
    task: str = ""
    model: str = ""
    turns: list[Turn] = field(default_factory=list[Turn])
    plan: tuple[tuple[str, str], ...] = ()
    ended: str = ""
    """Empty while it goes on, and for good when it was killed."""
    reason: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    began: float | None = None
    """Seconds since the epoch, as `over`."""
    over: float | None = None

    @property
    def words(self) -> str:
        """What the model said last, when it said it was done."""
        return self.turns[-1].said.strip() if self.turns and self.ended == "done" else ""

    @property
    def seconds(self) -> float:
        """From the first event to the last, waiting for people included."""
        return (self.over or 0.0) - (self.began or 0.0)


def told(rows: Iterable[Mapping[str, Any]]) -> Story:
    """The story of events as `events.as_json` gives them, with `at` in seconds since the epoch."""
    story = Story()
    for at, event in replayed(rows):
        _hear(story, event, at)
    return story


def replayed(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[float, AgentEvent]]:
    """The events again, each with its time; what this version does not know is left out."""
    for row in rows:
        event = _event(row)
        if event is not None:
            at = row.get("at")
            yield float(at) if isinstance(at, int | float) else 0.0, event


def _event(row: Mapping[str, Any]) -> AgentEvent | None:
    kind = _KINDS.get(str(row.get("event")))
    if kind is None:
        return None
    known = {one.name for one in fields(kind)}
    values = {name: value for name, value in row.items() if name in known}
    try:
        if kind is Turned:
            values["usage"] = Usage(**cast("dict[str, Any]", values["usage"]))
        if kind is Planned:
            steps = cast("Sequence[Sequence[object]]", values["todos"])
            values["todos"] = tuple((str(step[0]), str(step[1])) for step in steps)
        if kind is Changed:
            values["paths"] = tuple(cast("Sequence[str]", values["paths"]))
        return kind(**values)
    except (TypeError, KeyError, IndexError):
        return None


def _hear(story: Story, event: AgentEvent, at: float) -> None:
    if story.began is None:
        story.began = at
    story.over = at
    match event:
        case Began():
            story.run, story.task, story.model = event.run, event.task or story.task, event.model
            story.ended = story.reason = ""
            if event.resumed:
                story.turns.append(Turn(steps=[event]))
        case Said():
            _open(story).said += event.text
        case Turned():
            turn = _open(story)
            turn.number, turn.usage = event.turn, event.usage
            turn.seconds, turn.cost = event.seconds, event.cost
            story.usage += event.usage
            story.cost = event.cost
        case Called():
            _last(story).steps.append(Call(event.id, event.tool, event.arguments, at))
        case Printed() | Observed() | Changed():
            _answer(story, event, at)
        case Planned():
            story.plan = event.todos
            _last(story).steps.append(event)
        case Asked():
            _asked(_last(story), event)
        case Compacted() | Noted():
            _last(story).steps.append(event)
        case Stopped():
            story.ended, story.reason = event.ended, event.reason


def _open(story: Story) -> Turn:
    """The turn whose reply is not over; one with a number is."""
    if not story.turns or story.turns[-1].number:
        story.turns.append(Turn())
    return story.turns[-1]


def _last(story: Story) -> Turn:
    return story.turns[-1] if story.turns else _open(story)


def _asked(turn: Turn, event: Asked) -> None:
    """A question with its answer takes the place of the question."""
    last = turn.steps[-1] if turn.steps else None
    if event.answer and isinstance(last, Asked) and (last.title, last.detail) == (event.title, event.detail):
        turn.steps.pop()
    turn.steps.append(event)


def _answer(story: Story, event: Printed | Observed | Changed, at: float) -> None:
    turn = _last(story)
    call = next((call for call in reversed(turn.calls) if call.id == event.id), None)
    if call is None:
        call = Call(event.id, getattr(event, "tool", ""), {}, at)
        turn.steps.append(call)
    if isinstance(event, Printed):
        call.printed += event.text
    elif isinstance(event, Changed):
        call.diff += event.diff
    else:
        call.ok, call.text, call.seconds = event.ok, event.text, at - call.began

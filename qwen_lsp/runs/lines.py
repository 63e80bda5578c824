"""What an event of a run looks like in a view of lines, and what it says to somebody who does not see it.

For clients that draw text and know nothing of tools. Nothing is escaped here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

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
    Stopped,
    Turned,
)
from qwen_lsp.runs import diffs
from qwen_lsp.runs.words import about, ending, first_line, shortened, step

Style = Literal["tool", "output", "problem", "question", "plan", "done", "added", "removed"]
Line = tuple[Style, str]
"""How a line is to look, and the line."""

_OF_DIFF: Mapping[diffs.Kind, Style] = {"add": "added", "remove": "removed"}
_ANSWERED: Mapping[str, str] = {"once": "allowed once", "request": "allowed for this run", "no": "refused"}


def lines(event: AgentEvent) -> list[Line]:
    """What an event adds to the view: those of a plan take the place of the plan before. The model's own
    words are none: they go on where they ended."""
    match event:
        case Called():
            return [("tool", f"▸ {_call(event)}")]
        case Printed():
            return _rows("output", event.text.strip(), "  ")
        case Observed(ok=False):
            return [("problem", f"  {first_line(event.text)}")]
        case Asked() if event.answer:
            return _rows("question", f"{event.title} → {_ANSWERED.get(event.answer, event.answer)}")
        case Noted():
            return _rows("question", event.text)
        case Planned():
            return [_step(" ".join(text.split()), status) for text, status in event.todos]
        case Compacted():
            return [("output", shortened(event))]
        case Stopped() if event.ended != "done":
            return _rows("problem", event.reason)
        case _:
            return []


def question(title: str, detail: str = "", diff: str = "", offered: Sequence[str] = ()) -> list[Line]:
    """What the person is asked: what would happen, the diff of it, and what can be answered."""
    return [
        *_rows("question", f"? {title}"),
        *_rows("output", detail, "  "),
        *((_OF_DIFF.get(kind, "output"), line) for kind, line in diffs.lines(diff)),
        *(("output", f"  {line}") for line in offered),
    ]


def spoken(event: AgentEvent) -> str:
    """The same in a few words, for a screen reader; empty for what comes in pieces."""
    match event:
        case Called():
            return _call(event).replace("_", " ", event.tool.count("_"))
        case Observed(ok=False):
            return f"{event.tool.replace('_', ' ')} failed"
        case Noted():
            return event.text
        case Stopped():
            return event.reason or f"The run ended: {event.ended}"
        case _:
            return ""


def doing(event: AgentEvent) -> str:
    """What the run is at from this event on, in a word or two; empty where that stays as it was."""
    match event:
        case Began():
            return "Working"
        case Turned():
            return f"Turn {event.turn}"
        case Stopped():
            return ending(event.ended)
        case _:
            return ""


def as_json(lines: Sequence[Line], scrub: Callable[[str], str] = str) -> list[dict[str, str]]:
    """Lines as JSON objects, each text after `scrub`."""
    return [{"style": style, "text": scrub(text)} for style, text in lines]


def _rows(style: Style, text: str, indent: str = "") -> list[Line]:
    return [(style, indent + row) for row in text.split("\n")] if text else []


def _step(text: str, status: str) -> Line:
    return ("done" if status == "completed" else "plan", step(text, status))


def _call(event: Called) -> str:
    return f"{event.tool} {about(event.tool, event.arguments)}".rstrip()

"""The loop: ask, run the calls on the fork, show the model what happened, until it is done.

Every request extends the one before it byte for byte: the history only grows. Nothing of the user's
moves here; the caller lands the result (`task.landed`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from qwen_lsp.errors import ContextOverflow, EditRejected, EndpointError, ToolRefused
from qwen_lsp.features.agent.approval import Approval
from qwen_lsp.features.agent.events import (
    AgentEvent,
    Called,
    Ended,
    Observed,
    Planned,
    Said,
    Stopped,
    Turned,
)
from qwen_lsp.features.agent.toolbox import Desk, Tool, call, checked, digest
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import ChatDone, Message, TextDelta, ToolCall, Usage
from qwen_lsp.settings import AgentSettings
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

MOST_REPAIRS = 3
"""Malformed turns in a row before the run ends."""
SAME_CALL_WARNS, SAME_CALL_ENDS = 3, 5
_CUT = "Your reply was cut off by its length limit. Go on, in smaller steps."
_UNPARSED = (
    "Your last reply contains tool-call markup that is not a well-formed call, so nothing was run. "
    "Repeat it as one complete call: <tool_call>, <function=NAME>, <parameter=KEY> for each argument."
)
_MARKUP = ("<tool_call>", "<function=", "<parameter=")


@dataclass(frozen=True, slots=True)
class AgentResult:
    """How a run ended. `fork` holds all edits; `edits` is what it changed against the base."""

    fork: Snapshot
    edits: tuple[FileEdit, ...]
    summary: str
    ended: Ended
    reason: str
    usage: Usage
    turns: int


@dataclass(frozen=True, slots=True)
class Means:
    """What a run works with. `record` gets every message as it joins the history, whatever happens next."""

    endpoint: Endpoint
    gate: Gate
    settings: AgentSettings
    max_tokens: int
    on_event: Callable[[AgentEvent], None]
    record: Callable[[Message], None]
    approval: Approval
    tools: Mapping[str, Tool] = field(default_factory=lambda: TOOLS)


@dataclass(slots=True)
class _Run:
    """The state of one run."""

    fork: Snapshot
    history: list[Message]
    usage: Usage = field(default_factory=Usage)
    turns: int = 0
    repairs: int = 0
    summary: str = ""
    last_call: tuple[str, str, str] = ("", "", "")
    same_calls: int = 0
    seen: dict[RelPath, str] = field(default_factory=dict[RelPath, str])


class _End(Exception):
    """Leaves the loop from any depth; carries why."""

    def __init__(self, ended: Ended, reason: str) -> None:
        super().__init__(reason)
        self.ended: Ended = ended


async def converse(snapshot: Snapshot, history: Sequence[Message], means: Means) -> AgentResult:
    """Run the loop from `history` (system and first user message) on a fork of `snapshot`.

    Cancelling the task closes the stream to the endpoint and raises CancelledError; the base is untouched.
    """
    run = _Run(snapshot, [])
    for message in history:
        _say(run, means, message)
    ended: Ended = "done"
    reason = "The task is done."
    try:
        async with asyncio.timeout(means.settings.max_seconds):
            while await _turn(run, means):
                pass
    except _End as end:
        ended, reason = end.ended, str(end)
    except TimeoutError:
        ended = "time"
        reason = f"Stopped after {means.settings.max_seconds:g} s; raise agent.max_seconds for more."
    except ContextOverflow as error:
        ended, reason = "window", f"The conversation no longer fits the model's window: {error}"
    except EndpointError as error:
        ended, reason = "endpoint", str(error)
    means.on_event(Stopped(ended, reason))
    edits = tuple(run.fork.changes_since(snapshot))
    return AgentResult(run.fork, edits, run.summary, ended, reason, run.usage, run.turns)


def _say(run: _Run, means: Means, message: Message) -> None:
    run.history.append(message)
    means.record(message)


async def _turn(run: _Run, means: Means) -> bool:
    """One reply and its calls; whether to go on. Raises _End where the run must stop."""
    if run.turns >= means.settings.max_turns:
        raise _End("turns", f"Stopped after {run.turns} turns; raise agent.max_turns for more.")
    if run.usage.prompt + run.usage.completion >= means.settings.max_total_tokens:
        raise _End("tokens", "Stopped at the token limit of the run; raise agent.max_total_tokens for more.")
    reply = await _reply(run, means)
    run.turns += 1
    run.usage += reply.usage
    means.on_event(Turned(run.turns, reply.usage))
    _say(run, means, Message("assistant", reply.content, tool_calls=reply.calls))
    if not reply.calls:
        return _without_calls(run, means, reply)
    for asked in reply.calls:
        observation = await _observe(run, means, asked)
        _say(run, means, Message("tool", observation, tool_call_id=asked.id, name=asked.name))
    run.repairs = run.repairs + 1 if all(asked.problem for asked in reply.calls) else 0
    if run.repairs > MOST_REPAIRS:
        raise _End("malformed", f"The model made no well-formed call in {run.repairs} turns in a row.")
    return True


async def _reply(run: _Run, means: Means) -> ChatDone:
    specs = [tool.spec() for tool in means.tools.values()]
    stream = means.endpoint.chat(tuple(run.history), tools=specs, max_tokens=means.max_tokens)
    async with contextlib.aclosing(stream):
        async for event in stream:
            if isinstance(event, TextDelta):
                means.on_event(Said(event.text))
            else:
                return event
    raise _End("endpoint", "The endpoint ended its reply without saying why.")


def _without_calls(run: _Run, means: Means, reply: ChatDone) -> bool:
    """A reply with no call is the end, unless it was cut or its calls could not be read."""
    cut = reply.finish_reason == "length"
    if not cut and not any(mark in reply.content for mark in _MARKUP):
        run.summary = reply.content.strip()
        return False
    run.repairs += 1
    if run.repairs > MOST_REPAIRS:
        raise _End("malformed", "The model's replies were cut off or unreadable too often.")
    _say(run, means, Message("user", _CUT if cut else _UNPARSED))
    return True


async def _observe(run: _Run, means: Means, asked: ToolCall) -> str:
    """Run one call on the fork; a refusal is an observation too."""
    means.on_event(Called(asked.id, asked.name, asked.arguments))
    try:
        tool, _ = checked(means.tools, asked)
        means.approval.admits(tool)
        outcome = await call(means.tools, Desk(run.fork, means.gate, run.seen), asked)
    except (ToolRefused, EditRejected) as error:
        text, ok = str(error), False
    else:
        run.fork, text, ok = outcome.snapshot, outcome.text, outcome.ok
        for path in outcome.shown:
            run.seen[path] = digest(run.fork.text(path))
    text = _noticing_repeats(run, asked, text)
    means.on_event(Observed(asked.id, asked.name, ok, text))
    if ok and asked.name == "todo_write":
        means.on_event(Planned(_todos(asked.arguments["todos"])))
    return text


def _todos(listed: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    items = [cast("Mapping[str, Any]", item) for item in listed if isinstance(item, Mapping)]
    return tuple((str(item.get("content", "")), str(item.get("status", ""))) for item in items)


def _noticing_repeats(run: _Run, asked: ToolCall, text: str) -> str:
    """Steady work changes either the call or what it shows; only an exact repeat of both counts."""
    this = (asked.name, json.dumps(asked.arguments, sort_keys=True, default=str), text)
    run.same_calls = run.same_calls + 1 if this == run.last_call else 1
    run.last_call = this
    if run.same_calls >= SAME_CALL_ENDS:
        raise _End("loop", f"The model repeated the same {asked.name} call {run.same_calls} times.")
    if run.same_calls >= SAME_CALL_WARNS:
        return f"{text}\n[Call number {run.same_calls} like this, with the same result. Do something else.]"
    return text

"""The loop: ask, run the calls on the fork, show the model what happened, until it is done.

Every request extends the one before it byte for byte, until the window is full: the history only grows.
Nothing of the user's moves here; the caller lands the result.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from qwen_lsp.errors import ContextOverflow, EndpointError, EndpointFailed, EndpointTimeout, MalformedReply
from qwen_lsp.features.agent.calls import answer
from qwen_lsp.features.agent.compact import compact, make_room
from qwen_lsp.features.agent.course import Course, Means
from qwen_lsp.features.agent.ending import End
from qwen_lsp.features.agent.events import Ended, Said, Stopped, Turned
from qwen_lsp.features.agent.finishing import unfinished
from qwen_lsp.features.agent.room import Room
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ChatDone, Message, TextDelta, ToolCall, Usage
from qwen_lsp.text.edits import FileEdit

MOST_REPAIRS = 3
"""Turns in a row whose calls could not be read before the run ends."""
_BROKEN_OFF = 1
"""Replies of one turn that may break off in the middle before the run ends."""
_SMALLER = 0.8

__all__ = ["MOST_REPAIRS", "AgentResult", "Means", "converse"]


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
    cost: float | None = None
    """Money, None without a price."""


Opening = Callable[[], Awaitable[Sequence[Message]]]
"""Makes the messages that a run begins or goes on with. Raises End where that is not possible."""


async def converse(course: Course, opening: Opening) -> AgentResult:
    """Run the loop, after the messages of `opening` have joined the history.

    Cancelling the task closes the stream to the endpoint and raises CancelledError; what was done until then
    is in the log, and the base is untouched.
    """
    means = course.means
    ended: Ended = "done"
    reason = "The task is done."
    try:
        async with course.clock.running():
            for message in await opening():
                course.say(message)
            while await _turn(course):
                pass
    except End as end:
        ended, reason = end.ended, str(end)
    except EndpointError as error:
        ended, reason = "endpoint", str(error)
    except BaseException as error:
        # Also of what is no business of the loop it is written down that the run ended, and where.
        cancelled = not isinstance(error, Exception)
        said = "It was stopped." if cancelled else f"It failed: {type(error).__name__}."
        means.on_event(Stopped("cancelled", said))
        raise
    means.on_event(Stopped(ended, reason))
    edits = tuple(course.fork.changes_since(course.base))
    cost = course.caps.cost(course.usage)
    return AgentResult(course.fork, edits, course.summary, ended, reason, course.usage, course.turns, cost)


async def _turn(course: Course) -> bool:
    """One reply and its calls; whether to go on. Raises End where the run must stop."""
    course.caps.check(course.spent)
    await make_room(course)
    begun = time.monotonic()
    reply = await _reply(course)
    calls = _named(course, reply.calls)
    course.turns += 1
    course.usage += reply.usage
    course.last = reply.usage
    course.history.measure(reply.usage)
    cost = course.caps.cost(course.usage)
    course.means.on_event(Turned(course.turns, reply.usage, time.monotonic() - begun, cost))
    course.say(Message("assistant", reply.content, tool_calls=calls))
    course.summary = reply.content.strip() or course.summary
    if reply.finish_reason == "content_filter":
        raise End("refused", "The endpoint's content filter stopped the reply.")
    if not calls:
        return _without_calls(course, reply)
    await answer(course, calls)
    course.nudged = ""
    course.repairs = course.repairs + 1 if all(asked.problem for asked in calls) else 0
    _check_repairs(course)
    return True


def _named(course: Course, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
    """The calls, each with an id of its own in the conversation: servers send none, or the same again."""
    taken = {call.id for message in course.history.messages for call in message.tool_calls}
    named: list[ToolCall] = []
    for call in calls:
        number = len(taken)
        while call.id in taken or not call.id:
            call = replace(call, id=f"call_{number}")
            number += 1
        taken.add(call.id)
        named.append(call)
    return tuple(named)


def _without_calls(course: Course, reply: ChatDone) -> bool:
    """A reply with no call is the end, unless a call got lost in it."""
    found = unfinished(
        reply.content, reply.finish_reason, list(course.means.tools), steps_open=course.steps_open
    )
    if found is None:
        return False
    if found.fault == "announced" and course.nudged == "announced":
        return False
    if found.fault == "empty" and course.nudged == "empty":
        raise End("malformed", "The model replied with nothing, twice.")
    course.nudged = found.fault
    if found.fault in ("cut", "unparsed"):
        course.repairs += 1
        _check_repairs(course)
    course.say(Message("user", found.told))
    return True


def _check_repairs(course: Course) -> None:
    if course.repairs > MOST_REPAIRS:
        raise End(
            "malformed",
            f"The model made no well-formed call in {course.repairs} turns in a row: its replies were cut "
            "off or could not be read.",
        )


async def _reply(course: Course) -> ChatDone:
    """The next reply, asked for anew where it broke off, and in less room where it did not fit."""
    broken, compacted = 0, False
    while True:
        begun: list[str] = []
        try:
            return await _asked(course, begun)
        except ContextOverflow as error:
            if compacted:
                raise End("window", f"The conversation does not fit the model's window: {error}.") from None
            await _learn(course, error)
            # With a smaller window goes a shorter reply: that may have been all that did not fit.
            if course.history.tokens > course.room.most:
                compacted = True
                await compact(course, ask=False)
        except (MalformedReply, EndpointTimeout, EndpointFailed) as error:
            broken += 1
            # A server that does not answer at all has been asked often enough by the endpoint itself.
            if broken > _BROKEN_OFF or (isinstance(error, EndpointFailed) and not begun):
                raise


async def _learn(course: Course, error: ContextOverflow) -> None:
    """The window is smaller than was thought, or the tokens are more."""
    window = error.limit or await course.means.endpoint.window()
    if window >= course.room.window:
        window = int(min(course.room.window, course.history.tokens) * _SMALLER)
    course.room = Room.of(window, course.means.max_tokens, course.room.asking)


async def _asked(course: Course, begun: list[str]) -> ChatDone:
    means = course.means
    stream = means.endpoint.chat(course.history.messages, tools=means.offered, max_tokens=course.room.reply)
    async with contextlib.aclosing(stream):
        async for event in stream:
            if isinstance(event, TextDelta):
                begun.append(event.text)
                means.on_event(Said(event.text))
            else:
                return event
    raise MalformedReply("the endpoint ended its reply without saying why")

"""The calls of one reply, answered: looking at the same time, changing one after the other, results in order.

A call that fails is an answer like any other and does not stop the next one, unless that would destroy or
judge what the failed one was to bring about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from qwen_lsp.errors import EditRejected, ToolRefused, WorkspaceError
from qwen_lsp.features.agent.course import Course, fields_of, todos_of
from qwen_lsp.features.agent.events import Called, Changed, Observed, Planned, Printed
from qwen_lsp.features.agent.repeats import Done
from qwen_lsp.features.agent.room import fitted
from qwen_lsp.features.agent.toolbox import Desk, Outcome, call, checked, digest
from qwen_lsp.features.agent.unsaved import look
from qwen_lsp.model.messages import Message, ToolCall
from qwen_lsp.text.edits import unified
from qwen_lsp.workspace.paths import RelPath

CHECKS = "run_checks"
_LEAST = 64
"""Tokens that every result has, so that it can say at least what became of the call."""
_LARGEST_SHARE = 4
_TAIL = 0.6
"""Of a cut result of a command: what is printed last tells most."""
_AFTER_FAILURE = (
    "Not run, because a call before it in the same reply failed, and this one builds on it. Mend that first, "
    "then send this call again if it is still right."
)
_BUILDS_ON = frozenset({"delete_file"})


@dataclass(frozen=True, slots=True)
class Answered:
    """A call and what it came to. `outcome` None: it was refused, for the reason in `text`."""

    call: ToolCall
    text: str
    outcome: Outcome | None = None
    digests: Mapping[RelPath, str] | None = None


async def answer(course: Course, calls: Sequence[ToolCall]) -> None:
    """Run the calls of a reply on the fork and put their results into the history. Raises End."""
    done: list[Done] = []
    failed = False
    room = course.room.results_after(course.history.tokens)
    left = len(calls)
    for batch in _batches(course, calls):
        for asked in batch:
            course.means.on_event(Called(asked.id, asked.name, asked.arguments))
        await look(course, batch)
        if failed and _builds_on_others(course, batch[0]):
            answers = [Answered(batch[0], _AFTER_FAILURE)]
        else:
            answers = await asyncio.gather(*(_answer(course, asked) for asked in batch))
        for one in answers:
            share = max(_LEAST, min(room // left, course.room.window // _LARGEST_SHARE))
            settled = _settled(course, one, share)
            room -= course.means.count(settled.text)
            left -= 1
            failed = failed or (not settled.ok and bool(settled.edits))
            done.append(settled)
            if left:
                course.say(_result(settled))
    notes: list[str] = []
    try:
        notes.append(await _checks(course, calls, done, room))
        notes.append(course.repeats.note(done))
        notes.append(course.caps.warning(course.spent))
    finally:
        # The last result is said whatever ends the run here.
        course.say(_result(done[-1], *filter(None, notes)))


def _result(done: Done, *notes: str) -> Message:
    text = "\n".join((done.text, *notes))
    return Message("tool", text, tool_call_id=done.call.id, name=done.call.name)


def _batches(course: Course, calls: Sequence[ToolCall]) -> Iterator[Sequence[ToolCall]]:
    """Calls that only look, one behind the other, go together; every other one is alone."""
    batch: list[ToolCall] = []
    for asked in calls:
        tool = course.means.tools.get(asked.name)
        if tool is not None and tool.kind == "read":
            batch.append(asked)
            continue
        if batch:
            yield batch
            batch = []
        yield [asked]
    if batch:
        yield batch


def _builds_on_others(course: Course, asked: ToolCall) -> bool:
    tool = course.means.tools.get(asked.name)
    return asked.name in _BUILDS_ON or (tool is not None and tool.kind == "command")


async def _answer(course: Course, asked: ToolCall) -> Answered:
    """Run one call. A refusal is an answer too."""
    means, desk = course.means, _desk(course, asked)
    try:
        tool, arguments = checked(means.tools, asked)
        means.approval.admits(tool)
        await means.approval.edit_leave(desk, tool, arguments)
        outcome = await call(means.tools, desk, asked)
    except (ToolRefused, EditRejected) as error:
        return Answered(asked, str(error))
    return Answered(asked, outcome.text, outcome, _digests(outcome))


def _desk(course: Course, asked: ToolCall) -> Desk:
    def printed(text: str) -> None:
        course.means.on_event(Printed(asked.id, text))

    return Desk(course.fork, course.means.gate, course.seen, printed)


def _digests(outcome: Outcome) -> Mapping[RelPath, str]:
    found: dict[RelPath, str] = {}
    for path in outcome.shown:
        try:
            found[path] = digest(outcome.snapshot.text(path))
        except WorkspaceError:  # gone again meanwhile: then it is not known to the model either
            continue
    return found


def _settled(course: Course, one: Answered, room: int) -> Done:
    """Take over what a call did, and tell of it; its text cut to so many tokens."""
    means, asked = course.means, one.call
    tool = means.tools.get(asked.name)
    of_command = tool is not None and tool.kind in ("command", "external")
    text, cut = fitted(one.text, room, means.count, tail=_TAIL if of_command else 0.0)
    ok = one.outcome is not None and one.outcome.ok
    changed: Mapping[RelPath, Any] = {}
    before = course.fork
    if one.outcome is not None:
        digests = one.digests or {}
        # What was read beside others was read of the fork as it was; only a change makes another one.
        fork = course.fork if tool is None or tool.kind == "read" else one.outcome.snapshot
        shown = () if cut else tuple(path for path in one.outcome.shown if path in digests)
        changed = course.works_on(fork, shown, digests)
    means.on_event(Observed(asked.id, asked.name, ok, text))
    if changed:
        diff = "".join(unified(edit) for edit in course.fork.changes_since(before))
        means.on_event(Changed(asked.id, tuple(changed), diff))
    if ok and asked.name == "todo_write":
        course.todos = todos_of(means.tools, asked) or ()
        means.on_event(Planned(course.todos))
    edits = _place(asked) if tool is not None and tool.kind == "edit" else ""
    key = f"{asked.name} {edits}".strip()
    course.open_failures.pop(key, None)
    if not ok:
        course.open_failures[key] = text
    left = {str(path): digest(edit.after or "") if edit else "" for path, edit in changed.items()}
    return Done(asked, text, ok, left, edits)


async def _checks(course: Course, calls: Sequence[ToolCall], done: Sequence[Done], room: int) -> str:
    """What the project's checks say after a turn that edited something, where the settings ask for them."""
    check = course.means.after_edits
    if check is None or not any(one.left for one in done) or any(asked.name == CHECKS for asked in calls):
        return ""
    asked = ToolCall(CHECKS, {}, f"checks_{course.turns}")
    course.means.on_event(Called(asked.id, asked.name, asked.arguments))
    text = await check(_desk(course, asked)) or ""
    text, _ = fitted(text, max(_LEAST, room), course.means.count, tail=_TAIL)
    course.means.on_event(Observed(asked.id, asked.name, not text, text or "Nothing new."))
    return text


def _place(asked: ToolCall) -> str:
    """The file whose change a call means."""
    arguments = asked.arguments
    path = arguments.get("file_path") or arguments.get("source_path")
    edits = arguments.get("edits")
    if not path and isinstance(edits, list):
        items = [fields_of(item) for item in cast("list[Any]", edits)]
        path = ", ".join(dict.fromkeys(str(item.get("file_path", "")) for item in items))
    return str(path or asked.name)

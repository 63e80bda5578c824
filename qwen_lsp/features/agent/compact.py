"""Compaction: a conversation that grows out of the window goes on from a summary of itself.

It always fits: `room` keeps what the request for a summary needs before the window is full. The model writes
the summary as one more message of the same conversation; where that fails the account of the run takes its
place. Afterwards the history is its own beginning, the summary, the files as they are now, and what is open.
"""

from __future__ import annotations

import asyncio
import contextlib

from qwen_lsp.context.render import piece
from qwen_lsp.errors import EndpointError, ToolRefused
from qwen_lsp.features.agent.account import account
from qwen_lsp.features.agent.course import Course
from qwen_lsp.features.agent.ending import End
from qwen_lsp.features.agent.events import Compacted
from qwen_lsp.features.agent.finishing import lost_call
from qwen_lsp.features.agent.room import LEAST_WORK, fitted
from qwen_lsp.features.agent.toolbox import Desk, digest
from qwen_lsp.features.prompting import prompt
from qwen_lsp.model.messages import ChatDone, Message
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath

SECONDS = 180.0
"""Longest time for a summary; then the run goes on without the model's."""
_KEPT_SHARE = 0.55
"""How full a history may be after compaction; with more the first pack is given up, prefix and all."""
_FILES_SHARE = 0.25
_LISTED = 60
_NO_PROGRESS = 2
"""Turns between two compactions below which they do not help."""
_MOST_IN_VAIN = 3


async def make_room(course: Course) -> None:
    """Shorten the history if another turn would not fit. Raises End where that is not possible."""
    if course.history.tokens > course.room.most:
        await compact(course)


async def compact(course: Course, *, ask: bool = True) -> None:
    """Shorten the history; `ask` False: without the model. Raises End where it stays too long."""
    means, room, before = course.means, course.room, course.history.tokens
    if course.turns - course.turn_of_compaction < _NO_PROGRESS and course.compactions:
        course.vain += 1
    else:
        course.vain = 0
    if course.vain >= _MOST_IN_VAIN:
        raise End("window", f"The model's window of {room.window:,} tokens is too small for this task.")
    head = course.history.messages[:2]
    summary = await _summary(course) if ask and before <= room.summarised else ""
    by_model = bool(summary)
    if not summary:
        summary = await asyncio.to_thread(
            account, course.history.messages[2:], means.count, max(room.summary, LEAST_WORK)
        )
    most = int(room.most * _KEPT_SHARE)
    history = await asyncio.to_thread(_shortened, course, head, summary, most)
    means.log.restarted(history)
    course.history.restart(history)
    course.compactions, course.turn_of_compaction = course.compactions + 1, course.turns
    after = course.history.tokens
    means.on_event(Compacted(before, after, by_model))
    if after > room.most or after >= before:
        raise End(
            "window",
            f"The model's window of {room.window:,} tokens is too small to go on: what has to be kept is "
            f"{after:,} tokens, and {room.most:,} fit beside a reply.",
        )


async def _summary(course: Course) -> str:
    """The model's own summary; empty when it fails, takes too long, says nothing or calls tools instead."""
    means, room = course.means, course.room
    asking = Message("user", prompt("agent_summary"))
    stream = means.endpoint.chat(
        (*course.history.messages, asking), tools=means.offered, max_tokens=room.summary
    )
    done: ChatDone | None = None
    with contextlib.suppress(EndpointError, TimeoutError):
        async with asyncio.timeout(SECONDS), contextlib.aclosing(stream):
            async for event in stream:
                done = event if isinstance(event, ChatDone) else None
    if done is None:
        return ""
    course.usage += done.usage
    text = done.content.strip()
    if not text or lost_call(text, list(means.tools)):
        return ""
    return fitted(text, room.summary, means.count)[0]


def _shortened(course: Course, head: tuple[Message, ...], summary: str, most: int) -> list[Message]:
    """The new history: its beginning, and one message with all that goes on. From a thread."""
    size = course.history.size
    said = _said(course, summary, ())
    used = course.history.fixed + sum(map(size, head)) + size(said)
    if used > most and course.first is not None and head[1:] != (course.first,):
        used += size(course.first) - size(head[1])
        head = (head[0], course.first)
    room = min(most - used, int(course.room.most * _FILES_SHARE))
    files = _files(course, room)
    course.seen = {path: digest_ for path, (_, digest_) in files.items()}
    return [*head, _said(course, summary, tuple(text for text, _ in files.values()))]


def _said(course: Course, summary: str, files: tuple[str, ...]) -> Message:
    changed = course.fork.changes_since(course.base, moves=False)
    listed = [_changed(edit) for edit in changed[:_LISTED]]
    if len(changed) > _LISTED:
        listed.append(f"and {len(changed) - _LISTED} more")
    shown = f"Their text and what else was looked at last, as it is now:\n\n{''.join(files)}" if files else ""
    return Message(
        "user",
        prompt(
            "agent_compacted",
            summary=summary or "(nothing)",
            changed="\n".join(listed) or "(none)",
            files=shown,
            state=_state(course),
        ),
    )


def _changed(edit: FileEdit) -> str:
    if edit.after is None:
        return f"- {edit.path}: deleted"
    lines = edit.after.count("\n") + (not edit.after.endswith("\n") and bool(edit.after))
    return f"- {edit.path}: {'new' if edit.before is None else 'changed'}, {lines:,} lines now"


def _state(course: Course) -> str:
    parts: list[str] = []
    if course.todos:
        parts.append("Your list:\n" + "\n".join(f"- [{status}] {text}" for text, status in course.todos))
    if course.open_failures:
        latest = list(course.open_failures.items())[-3:]
        parts.append("Failed last:\n" + "\n".join(f"- {what}: {text[:600]}" for what, text in latest))
    return "".join(f"{part}\n\n" for part in parts)


def _files(course: Course, room: int) -> dict[RelPath, tuple[str, str]]:
    """Files worth showing again, whole, within so many tokens: those changed first, then the last seen."""
    desk = Desk(course.fork, course.means.gate)
    changed = {RelPath(edit.path) for edit in course.fork.changes_since(course.base, moves=False)}
    latest = list(reversed(course.seen))
    order = sorted(dict.fromkeys([*latest, *sorted(changed)]), key=lambda path: path not in changed)
    found: dict[RelPath, tuple[str, str]] = {}
    for path in order:
        try:
            text = piece(path, desk.shown(path))
        except ToolRefused:  # deleted, or withheld
            continue
        tokens = course.means.count(text)
        if tokens <= room:
            room -= tokens
            found[path] = (text, digest(course.fork.text(path)))
    return found

"""The first message of a run: what the workspace is, what was asked, and, last of all, how things stand.

What changes least comes first, so that the long part before the task stays cached over runs; what changes
with every run (the date, git's state, open files, the selection) comes behind everything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qwen_lsp.context.epoch import Held
from qwen_lsp.context.render import Pack
from qwen_lsp.context.wording import wording_ranker
from qwen_lsp.errors import WorkspaceError
from qwen_lsp.features.agent.course import Course
from qwen_lsp.features.agent.ending import End
from qwen_lsp.features.agent.toolbox import digest
from qwen_lsp.features.prompting import prompt
from qwen_lsp.features.surroundings import Question, Surroundings, by_epoch, by_relevance
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import Message
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

_CANDIDATES = 8_000
_NO_ROOM = "(left out for want of room; look with the tools)"


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked to do, and what it is told besides."""

    task: str
    paths: Sequence[RelPath] = ()
    """Files the user points at, the open one first."""
    selection: str = ""
    """What is selected there, as far as a model may see it."""
    instructions: str = ""
    """The instructions of the user and the project, with a blank line behind them; empty for none."""
    facts: Sequence[str] = ()
    """How things stand: one sentence each."""


@dataclass(slots=True)
class Shown:
    """What the first message turned out to show; filled by `open_with`."""

    pack: Pack = field(default_factory=Pack)


async def open_with(
    course: Course, request: Request, held: Held | None, shown: Shown | None = None
) -> Sequence[Message]:
    """The system and the first user message. Raises End where the window is too small for them.

    With `held` a large first message extends that of the last run.
    """
    means, room = course.means, course.room
    system = Message("system", prompt("agent"), cache=True)
    course.first = without_pack(means.gate, request)
    history, small = course.history, course.first
    begun = await asyncio.to_thread(history.size, system)
    asked = await asyncio.to_thread(history.size, small)
    budget = room.pack(history.fixed + begun + asked, means.settings.budget_tokens)
    if budget <= 0:
        raise End(
            "window",
            f"The model's window of {room.window:,} tokens is too small: instructions and tools take "
            f"{history.fixed + begun:,} tokens, the task and what belongs to it {asked:,}, and a reply with "
            f"its results and a summary {room.window - room.most:,}.",
        )
    around, seen = await asyncio.to_thread(_around, course, request, held, budget)
    if held is not None and around.epoch is not None:
        held.keep(around.epoch)
    course.seen.update(seen)
    if shown is not None:
        shown.pack = around.packed
    first = _filled(means.gate, request, around.context, around.near)
    return system, around.message("agent_task", first, cache=True)


def without_pack(gate: Gate, request: Request) -> Message:
    """The first user message of a conversation that has no room for a pack."""
    return Message("user", _filled(gate, request, _NO_ROOM, ""), cache=True)


def _filled(gate: Gate, request: Request, context: str, near: str) -> str:
    facts = [f"- {fact}" for fact in request.facts]
    if selection := _said(gate, request.selection):
        facts.append(f"- The user has selected, in {selection}")
    return prompt(
        "agent_task",
        context=context,
        instructions=request.instructions,
        near=near,
        task=_said(gate, request.task),
        facts="\n".join(facts) or "- Nothing else is known.",
    )


def _said(gate: Gate, text: str) -> str:
    """What the user typed or selected, without keys and passwords."""
    return (gate.admit(RelPath("what the user said"), text).text or "").strip()


def _around(
    course: Course, request: Request, held: Held | None, budget: int
) -> tuple[Surroundings, Mapping[RelPath, str]]:
    """What stands around the task, and which files the model thereby knows. From a thread."""
    means, snapshot = course.means, course.base
    ranked = wording_ranker(snapshot, request.task, request.paths)
    question = Question(snapshot, ranked, None, means.gate, means.count)
    around = by_epoch(question, held, means.endpoint.model, budget, None) or by_relevance(
        question, budget, _CANDIDATES
    )
    return around, _known(question.snapshot, around.packed)


def _known(snapshot: Snapshot, packed: Pack) -> Mapping[RelPath, str]:
    """The files shown whole, each with the digest of its text."""
    latest = {part.path: part.kind for part in packed.parts}
    found: dict[RelPath, str] = {}
    for path, kind in latest.items():
        if kind == "whole":
            try:
                found[path] = digest(snapshot.text(path))
            except WorkspaceError:  # gone since it was packed
                continue
    return found

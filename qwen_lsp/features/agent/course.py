"""Course: how far a run has come. The one mutable thing of the loop, and what it is worked on with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, cast

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.approval import Approval
from qwen_lsp.features.agent.caps import Caps, Clock, Spent
from qwen_lsp.features.agent.events import AgentEvent
from qwen_lsp.features.agent.history import History
from qwen_lsp.features.agent.log import Changes, Log, Unlogged
from qwen_lsp.features.agent.repeats import Repeats
from qwen_lsp.features.agent.room import Room
from qwen_lsp.features.agent.toolbox import Desk, Tool, checked
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import Message, ToolCall, ToolSpec, Usage
from qwen_lsp.settings import AgentSettings
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

Texts = Callable[[Sequence[RelPath]], Awaitable[Mapping[RelPath, str | None]]]
"""Gives for some files the texts that an editor shows and has not saved; None for one that is as the disk has
it. A file that is not in the answer is as it was before."""

_ASKING = 300
"""Tokens of the request for a summary, without what it sums up (tests/features/agent/test_compact.py)."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a run works with."""

    endpoint: Endpoint
    gate: Gate
    settings: AgentSettings
    count: Callable[[str], int]
    """Exact tokens of a text."""
    max_tokens: int
    """The longest reply by the settings."""
    approval: Approval
    on_event: Callable[[AgentEvent], None] = lambda event: None
    log: Log = field(default_factory=Unlogged)
    tools: Mapping[str, Tool] = field(default_factory=lambda: TOOLS)
    specs: Sequence[ToolSpec] | None = None
    """The tools as they stand in every request; None: as `tools` has them. In a run that is gone on with they
    are those it began with."""
    cost: Callable[[Usage], float | None] = lambda usage: None
    """What tokens cost, None without a price."""
    after_edits: Callable[[Desk], Awaitable[str | None]] | None = None
    """What to append to the last result of a turn that edited something; None: nothing."""
    texts: Texts | None = None
    """Texts that an editor has and the disk has not, asked for before a call looks at a file; None where
    there is no such editor."""
    clock: Clock | None = None
    """The time of the run, when somebody else stops it for a while; None: one of its own."""

    @property
    def offered(self) -> Sequence[ToolSpec]:
        return self.specs if self.specs is not None else [tool.spec() for tool in self.tools.values()]


@dataclass(slots=True)
class Course:
    """The state of one run. Used on the event loop only."""

    means: Means
    base: Snapshot
    fork: Snapshot
    history: History
    room: Room
    caps: Caps
    clock: Clock
    first: Message | None = None
    """The first user message without the pack, for a conversation that has no room for it any more."""
    usage: Usage = field(default_factory=Usage)
    last: Usage = field(default_factory=Usage)
    turns: int = 0
    repairs: int = 0
    """Turns in a row whose calls could not be read, or that were cut off."""
    nudged: str = ""
    """The fault that the model was told about last, if it has done nothing since."""
    summary: str = ""
    todos: tuple[tuple[str, str], ...] = ()
    seen: dict[RelPath, str] = field(default_factory=dict[RelPath, str])
    """Files the model has been shown, the latest last, each with the digest of its text as it was."""
    open_failures: dict[str, str] = field(default_factory=dict[str, str])
    """What failed and has not succeeded since."""
    repeats: Repeats = field(default_factory=Repeats)
    compactions: int = 0
    turn_of_compaction: int = -1
    vain: int = 0
    """Compactions in a row after which hardly anything was done."""

    @classmethod
    async def begin(
        cls,
        base: Snapshot,
        means: Means,
        *,
        fork: Snapshot | None = None,
        first: Message | None = None,
        seen: Mapping[RelPath, str] | None = None,
    ) -> Course:
        """A course at its start, or, with the fork and what was seen before, where it was left."""
        # The same text is counted to cut it, to add it up and to keep it.
        means = replace(means, count=lru_cache(maxsize=8)(means.count))
        window = await means.endpoint.window()
        history = await asyncio.to_thread(History, means.offered, means.count)
        return cls(
            means,
            base,
            base if fork is None else fork,
            history,
            Room.of(window, means.max_tokens, _ASKING),
            Caps(means.settings, means.cost),
            means.clock or Clock(means.settings.max_seconds),
            first,
            seen=dict(seen or {}),
        )

    @property
    def spent(self) -> Spent:
        return Spent(self.turns, self.usage, self.clock.seconds, self.last)

    @property
    def steps_open(self) -> bool:
        """Whether the model's own list has steps that are not done."""
        return any(status != "completed" for _, status in self.todos)

    def restore(self, messages: Sequence[Message]) -> None:
        """Take over the history of a run that stopped; it is in the log already. Counts: for a thread."""
        self.history.restart(messages)
        asked = [call for message in messages for call in message.tool_calls if call.name == "todo_write"]
        noted = (todos_of(self.means.tools, call) for call in reversed(asked))
        self.todos = next((todos for todos in noted if todos is not None), self.todos)

    def say(self, message: Message) -> None:
        """A message joins the history, and the log first."""
        self.means.log.said(message)
        self.history.add(message)

    def works_on(self, fork: Snapshot, shown: Sequence[RelPath], digests: Mapping[RelPath, str]) -> Changes:
        """The fork becomes this one, and the model has been shown these files. Gives what changed by it."""
        moved = {RelPath(edit.path) for edit in fork.changes_since(self.fork, moves=False)}
        self.fork = fork
        for path in shown:
            self.seen.pop(path, None)
            self.seen[path] = digests[path]
        edits = fork.changes_since(self.base, moves=False) if moved else ()
        whole = {RelPath(edit.path): edit for edit in edits}
        changed = {path: whole.get(path) for path in sorted(moved)}
        if changed or shown:
            self.means.log.worked(changed, {path: digests[path] for path in shown})
        return changed


def todos_of(tools: Mapping[str, Tool], asked: ToolCall) -> tuple[tuple[str, str], ...] | None:
    """The steps of a call of `todo_write`, each with its status; None where the call was refused."""
    try:
        _, arguments = checked(tools, asked)
    except ToolRefused:
        return None
    listed = cast("Sequence[Mapping[str, Any]]", arguments["todos"])
    return tuple((str(item["content"]), str(item["status"])) for item in listed)


def fields_of(value: object) -> Mapping[str, Any]:
    """An object of a call's arguments; empty where it is none."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}

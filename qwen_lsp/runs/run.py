"""One agent run in an open workspace: all that it works with put together, and what it said kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from qwen_lsp.errors import EndpointError, EndpointMissing, UserError
from qwen_lsp.features.agent.caps import Clock
from qwen_lsp.features.agent.course import Course, Means, Texts
from qwen_lsp.features.agent.events import AgentEvent, Began, Noted, Stopped, Turned
from qwen_lsp.features.agent.instructions import Instructions, instructions, user_file
from qwen_lsp.features.agent.loop import AgentResult, Opening, converse
from qwen_lsp.features.agent.opening import Request, Shown, open_with, without_pack
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import Message, Usage
from qwen_lsp.runs.facts import facts
from qwen_lsp.runs.front import Front
from qwen_lsp.runs.outfit import Outfit, outfit
from qwen_lsp.runs.record import Meta, Record, new_name, settle
from qwen_lsp.runs.resuming import Resumed, going_on, resumed
from qwen_lsp.runs.stored import StoredRun, load
from qwen_lsp.session import Session
from qwen_lsp.settings import AgentMode, McpServerSettings
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.words import listed
from qwen_lsp.workspace.paths import RelPath

_LISTED = 40


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that is over, and by what name it is kept."""

    run: str
    result: AgentResult
    edits: tuple[FileEdit, ...]
    """What it changed on its fork; nothing of it has landed yet."""
    shown: Shown
    """What its first message showed; empty for a run that was gone on with."""
    instructions: Instructions
    conflicts: tuple[RelPath, ...] = ()
    """Files whose changes a resumed run has lost to the user's own."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a front end asks for."""

    task: str
    mode: AgentMode | None = None
    """None: that of the settings."""
    paths: Sequence[RelPath] = ()
    """Files the user points at, the open one first."""
    selection: str = ""
    """What is selected there, as far as a model may see it."""
    more: str = ""
    """What the user says to a run that is gone on with."""
    name: str = ""
    """What a new run is to be called; empty: what it likes."""
    texts: Texts | None = None
    """Texts that an editor has and the disk has not."""
    servers: Mapping[str, McpServerSettings] = field(default_factory=dict[str, McpServerSettings])
    """Programs that lend tools to this run, beside those of the settings."""


async def carry_out(
    session: Session,
    task: str,
    *,
    front: Front,
    mode: AgentMode | None = None,
    paths: Sequence[RelPath] = (),
    selection: str = "",
    snapshot: Snapshot | None = None,
    resume: str | None = None,
    more: str = "",
    name: str = "",
    texts: Texts | None = None,
    servers: Mapping[str, McpServerSettings] | None = None,
) -> RunResult:
    """Carry out a task on a fork of the workspace (`snapshot`, or as it is now); nothing of it is written.

    `mode` None is that of the settings. `paths` are files the user points at, the open one first, and
    `selection` is what is selected there, as far as a model may see it. `resume` goes on with a run that
    stopped or was done, by its name; then `task` says nothing, and `more` is what the user says to it. `name`
    is what a new run is called (`record.new_name`), `texts` gives what an editor has not saved, and `servers`
    lend tools beside those of the settings, on the same questions. Raises EndpointMissing, UserError and,
    when cancelled, CancelledError: what was done until then can be resumed.
    """
    endpoint = session.endpoint
    if endpoint is None:
        raise EndpointMissing("An agentic edit")
    stored = None if resume is None else _stored(session, resume)
    if stored is not None:
        task = stored.info.meta.task
        if more and not stored.messages:  # it was ended before it said anything: both are what it is about
            task, more = f"{task}\n\n{more}", ""
    wish = Wish(task, mode, paths, selection, more, name, texts, servers or {})
    run = _Run(session, endpoint, wish, front, stored, snapshot or session.snapshot)
    try:
        return await run.carried_out()
    finally:
        run.record.close()


def _stored(session: Session, run: str) -> StoredRun:
    stored = load(run)
    if stored.info.meta.root != str(session.root):
        raise UserError(f"The run {run} belongs to {stored.info.meta.root}.")
    if not stored.undone or stored.info.running:
        return stored
    said = f"Taken back before it went on: {listed(stored.undone, _LISTED)}."
    try:
        settle(run, "undone", stored.undone, said, others=False)
    except OSError as error:
        raise UserError(f"The run {run} cannot be gone on with: {error.strerror or error}") from None
    return load(run)


class _Run:
    """One run, from its record to its result."""

    def __init__(
        self,
        session: Session,
        endpoint: Endpoint,
        wish: Wish,
        front: Front,
        stored: StoredRun | None,
        base: Snapshot,
    ) -> None:
        self.session, self.endpoint, self.wish, self.front = session, endpoint, wish, front
        # A run that was killed before it said anything begins anew, under its name.
        self.stored = stored if stored is not None and stored.messages else None
        self.base = base
        self.mode: AgentMode = wish.mode or session.settings.agent.mode
        if stored is None:
            begun = datetime.now(UTC).isoformat(timespec="seconds")
            meta = Meta(
                wish.name or new_name(), str(session.root), wish.task, endpoint.model, self.mode, begun, ()
            )
        else:
            meta = replace(stored.info.meta, task=wish.task, mode=self.mode, ended="", reason="")
        self.before = meta
        self.record = Record(meta, resumed=stored is not None)
        self.usage = Usage()
        self.clock = Clock(session.settings.agent.max_seconds)
        self.told_problem = False

    def told(self, event: AgentEvent) -> None:
        """Everything that happens is written down, then shown."""
        self.record.event(event)
        if isinstance(event, Turned):
            self.usage += event.usage
            self._update(turns=self.before.turns + event.turn, cost=self._cost(event.cost))
        elif isinstance(event, Stopped):
            self._update(ended=event.ended, reason=event.reason)
        self.front.on_event(event)
        if self.record.problem and not self.told_problem:
            self.told_problem = True
            self.front.on_event(Noted(self.record.problem))

    async def carried_out(self) -> RunResult:
        meta = self.record.meta
        wish = self.wish
        self.told(Began(meta.run, meta.task, meta.model, self.stored is not None, wish.more))
        async with outfit(
            self.session, self.base, self.front, self.mode, self.clock, self.told, wish.servers
        ) as kit:
            specs = self.stored.info.meta.tools if self.stored else ()
            specs = specs or tuple(tool.spec() for tool in kit.tools.values())
            session = self.session
            means = Means(
                endpoint=self.endpoint,
                gate=session.gate,
                settings=session.settings.agent,
                count=session.count,
                max_tokens=session.settings.endpoint.max_output_tokens,
                approval=kit.approval,
                on_event=self.told,
                log=self.record,
                tools=kit.only(specs),
                specs=specs,
                cost=lambda usage: session.ledger.cost(self.endpoint.model, usage),
                after_edits=kit.after_edits,
                texts=wish.texts,
                clock=self.clock,
            )
            try:
                return await self._conversed(means, kit)
            except EndpointError as error:
                self._update(ended="endpoint", reason=str(error))
                raise

    async def _conversed(self, means: Means, kit: Outfit) -> RunResult:
        session, wish = self.session, self.wish
        found = Resumed(self.base)
        if self.stored is not None:
            found = await asyncio.to_thread(resumed, self.stored, self.base)
        known = self.stored.seen if self.stored else None
        course = await Course.begin(self.base, means, fork=found.fork, seen=known)
        self._update(model=self.endpoint.model, tools=tuple(means.offered))
        open_files = [visit.path for visit in session.visits]
        state, told = await asyncio.gather(
            asyncio.to_thread(facts, session.root, open_files, kit.facts),
            asyncio.to_thread(instructions, self.base, session.gate, wish.paths, user_file(), session.count),
        )
        request = Request(wish.task, wish.paths, wish.selection, told.text, state)
        shown = Shown()
        opening: Opening
        if self.stored is None:
            held = await session.held("agent")

            async def begin() -> Sequence[Message]:
                return await open_with(course, request, held, shown)

            opening = begin
        else:
            stored, messages = self.stored, self.stored.messages
            await asyncio.to_thread(course.restore, messages)
            course.first = without_pack(session.gate, request)
            self._tell_conflicts(found)

            async def go_on() -> Sequence[Message]:
                said = going_on(messages, found, wish.more, state, done=stored.done, fates=stored.fates)
                self.record.told_fates()
                return said

            opening = go_on
        result = await converse(course, opening)
        self.usage = result.usage  # with what summaries took, which is no turn's
        self._update(files=tuple(edit.path for edit in result.edits))
        return RunResult(self.record.meta.run, result, result.edits, shown, told, found.conflicts)

    def _tell_conflicts(self, found: Resumed) -> None:
        if found.conflicts:
            files = ", ".join(found.conflicts)
            self.told(
                Noted(f"You changed the same places meanwhile, so the run's changes there are gone: {files}.")
            )

    def _cost(self, cost: float | None) -> float | None:
        return self.before.cost if cost is None else cost + (self.before.cost or 0.0)

    def _update(self, **fields: object) -> None:
        before, usage = self.before, self.usage
        self.record.update(
            replace(
                self.record.meta,
                prompt=before.prompt + usage.prompt,
                completion=before.completion + usage.completion,
                cached=before.cached + usage.cached,
                **fields,
            )
        )

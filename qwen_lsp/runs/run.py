"""One agent run in an open workspace: all that it works with put together, and what it said kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from qwen_lsp.errors import EndpointMissing
from qwen_lsp.features.agent.approval import Approval
from qwen_lsp.features.agent.events import AgentEvent, Began
from qwen_lsp.features.agent.loop import AgentResult
from qwen_lsp.features.agent.task import run as run_task
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.runs.front import Front
from qwen_lsp.runs.record import Meta, Record, new_name
from qwen_lsp.session import Session
from qwen_lsp.settings import AgentMode
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that is over, and by what name it is kept."""

    run: str
    result: AgentResult
    edits: tuple[FileEdit, ...]
    """What it changed on its fork; nothing of it has landed yet."""


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
) -> RunResult:
    """Carry out a task on a fork of the workspace (`snapshot`, or as it is now); nothing of it is written.

    `mode` None is that of the settings. `paths` are files the user points at, the open one first, and
    `selection` is what is selected there, as far as a model may see it. `resume` goes on with a run that
    stopped, by its name, and `more` is what the user says to it then. Raises EndpointMissing, UserError
    and, when the task is cancelled, CancelledError: what was done until then can be resumed.
    """
    if session.endpoint is None:
        raise EndpointMissing("An agentic edit")
    mode = mode or session.settings.agent.mode
    specs = tuple(tool.spec() for tool in TOOLS.values())
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    meta = Meta(new_name(), str(session.root), task, session.endpoint.model, mode, begun, specs)
    record = Record(meta)

    def told(event: AgentEvent) -> None:
        record.event(event)
        front.on_event(event)

    try:
        told(Began(meta.run, task, meta.model))
        result = await run_task(
            snapshot or session.snapshot,
            task,
            endpoint=session.endpoint,
            gate=session.gate,
            settings=session.settings.agent,
            count=session.count,
            max_tokens=session.settings.endpoint.max_output_tokens,
            on_event=told,
            record=record.said,
            paths=paths,
            selection=selection,
            held=await session.held("agent"),
            approval=Approval(mode, front.approve),
        )
        record.update(replace(record.meta, ended=result.ended, reason=result.reason, turns=result.turns))
    finally:
        record.close()
    return RunResult(meta.run, result, result.edits)

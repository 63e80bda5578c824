"""One agentic task from words to edits: the first prompt, the loop, and landing on what changed meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from qwen_lsp.context.epoch import Held
from qwen_lsp.context.rank import rank_task
from qwen_lsp.errors import ConflictError
from qwen_lsp.features.agent.approval import Approval
from qwen_lsp.features.agent.events import AgentEvent
from qwen_lsp.features.agent.loop import AgentResult, Means, converse
from qwen_lsp.features.prompting import prompt
from qwen_lsp.features.surroundings import Question, Surroundings, by_epoch, by_relevance
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import Message
from qwen_lsp.settings import AgentSettings
from qwen_lsp.text.edits import FileEdit, rebase
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

_ROOM_FOR_WORK = 0.5
"""Share of the window that the first pack leaves to the conversation."""
_CANDIDATES = 8_000


async def run(
    snapshot: Snapshot,
    task: str,
    *,
    endpoint: Endpoint,
    gate: Gate,
    settings: AgentSettings,
    count: Callable[[str], int],
    max_tokens: int,
    on_event: Callable[[AgentEvent], None],
    record: Callable[[Message], None],
    paths: Sequence[RelPath] = (),
    selection: str = "",
    held: Held | None = None,
    approval: Approval | None = None,
) -> AgentResult:
    """Carry out `task` on a fork of `snapshot`; nothing is written.

    `paths` are files the user points at (the open one first); `selection` is said at the very end of
    the prompt, with the other facts that change, so that the long part before it stays cached. With
    `held` a large first message extends that of the last run.
    """
    window = await endpoint.window()
    budget = min(settings.budget_tokens, int(window * _ROOM_FOR_WORK))
    question = Question(
        snapshot, lambda limit: rank_task(snapshot, task, paths, limit=limit), None, gate, count
    )
    around = await asyncio.to_thread(_around, question, held, endpoint.model, budget)
    if held is not None and around.epoch is not None:
        held.keep(around.epoch)
    first = prompt(
        "agent_task",
        context=around.context,
        near=around.near,
        task=_shown(gate, task),
        selection=_shown(gate, selection) or "(none)",
    )
    history = [
        Message("system", prompt("agent"), cache=True),
        around.message("agent_task", first, cache=True),
    ]
    means = Means(
        endpoint, gate, settings, max_tokens, on_event, record, approval or Approval(settings.mode)
    )  # fmt: skip
    return await converse(snapshot, history, means)


def _shown(gate: Gate, text: str) -> str:
    """What the user typed or selected, without keys and passwords."""
    return (gate.admit(RelPath("what the user said"), text).text or "").strip()


def landed(edits: Sequence[FileEdit], current: Snapshot) -> list[FileEdit]:
    """The edits as they apply to what the files are now; unchanged where nobody touched a file since.

    Raises ConflictError naming every file that was changed on both sides in the same place.
    """
    result: list[FileEdit] = []
    clashes: list[str] = []
    for edit in edits:
        path = RelPath(edit.path)
        now = current.text(path) if current.has(path) else None
        if now == edit.before:
            result.append(edit)
        elif now is not None and edit.before is not None and edit.after is not None:
            try:
                merged = rebase(edit.before, edit.after, now)
            except ConflictError as error:
                clashes.append(f"{edit.path}: {error}")
                continue
            if merged != now:
                result.append(FileEdit(edit.path, now, merged, edit.moved_from, edit.why))
        elif now != edit.after:
            clashes.append(f"{edit.path}: it was created, changed or deleted meanwhile")
    if clashes:
        raise ConflictError(
            "Nothing was changed, because these files changed meanwhile: " + "; ".join(clashes)
        )
    return result


def _around(question: Question, held: Held | None, model: str, budget: int) -> Surroundings:
    around = by_epoch(question, held, model, budget, None)
    return around if around is not None else by_relevance(question, budget, _CANDIDATES)

"""One agentic task from words to edits: the first prompt and the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from qwen_lsp.context.epoch import Held
from qwen_lsp.context.rank import rank_task
from qwen_lsp.features.agent.approval import Approval
from qwen_lsp.features.agent.events import AgentEvent
from qwen_lsp.features.agent.loop import AgentResult, Means, converse
from qwen_lsp.features.prompting import prompt
from qwen_lsp.features.surroundings import Question, Surroundings, by_epoch, by_relevance
from qwen_lsp.index.landing import landed as landed
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import Message
from qwen_lsp.settings import AgentSettings
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


def _around(question: Question, held: Held | None, model: str, budget: int) -> Surroundings:
    around = by_epoch(question, held, model, budget, None)
    return around if around is not None else by_relevance(question, budget, _CANDIDATES)

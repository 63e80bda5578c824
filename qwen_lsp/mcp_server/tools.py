"""What each tool does, as text for a model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from qwen_lsp.errors import QwenLspError, ToolRefused
from qwen_lsp.features.agent import looking, reading
from qwen_lsp.features.agent.arguments import fitted
from qwen_lsp.features.agent.toolbox import Desk, Run
from qwen_lsp.mcp_server.catalog import ENTRIES
from qwen_lsp.mcp_server.rooms import Rooms, Tell
from qwen_lsp.session import Session

Arguments = Mapping[str, Any]
_Act = Callable[[Sequence[Session], Arguments, Tell], Awaitable[str]]


async def call(rooms: Rooms, name: str, given: Arguments, tell: Tell) -> str:
    """Do what a tool does. Raises QwenLspError with a text that tells a model what to do."""
    entry = ENTRIES.get(name)
    if entry is None:
        raise ToolRefused(f"There is no tool {name!r}. The tools are: {', '.join(ENTRIES)}.")
    present = {key: value for key, value in given.items() if value is not None}
    arguments = fitted(name, entry.parameters, entry.required, present)
    return await _ACTS[name](await rooms.ready(tell), arguments, tell)


def _by_agent(run: Run) -> _Act:
    """A tool of the agent's that only looks, asked in each workspace."""

    async def act(sessions: Sequence[Session], arguments: Arguments, tell: Tell) -> str:
        del tell
        said: list[str] = []
        refused: list[QwenLspError] = []
        for session in sessions:
            desk = Desk(session.snapshot, session.gate)
            try:
                outcome = await asyncio.to_thread(run, desk, arguments)
            except QwenLspError as error:
                refused.append(error)
                continue
            said.append(outcome.text if len(sessions) == 1 else f"# {session.root}\n{outcome.text}")
        if refused and not said:
            raise refused[0]
        return "\n\n".join(said)

    return act


_ACTS: Mapping[str, _Act] = {
    "find_symbol": _by_agent(looking.find_symbol),
    "references": _by_agent(looking.find_references),
    "outline": _by_agent(reading.outline),
}

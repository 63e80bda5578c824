"""What a run may use: the tools in their fixed order, bound to what they work with, and who gives leave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from qwen_lsp.features.agent.approval import Answer, Approval, Ask
from qwen_lsp.features.agent.asking import Question, ask_tools
from qwen_lsp.features.agent.caps import Clock
from qwen_lsp.features.agent.events import AgentEvent, Noted
from qwen_lsp.features.agent.external import external_tools
from qwen_lsp.features.agent.toolbox import Desk, Tool
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.model.messages import ToolSpec
from qwen_lsp.runs.front import Front
from qwen_lsp.session import Session
from qwen_lsp.settings import AgentMode
from qwen_lsp.workspace.guard import guarded


@dataclass(frozen=True, slots=True)
class Outfit:
    """The tools of a run by name, in the order of the requests; the leave it has; and what to say of both."""

    tools: Mapping[str, Tool]
    approval: Approval
    facts: tuple[str, ...]
    after_edits: Callable[[Desk], Awaitable[str | None]] | None = None
    """The checks that run by themselves after edits, where the settings ask for them."""

    def only(self, specs: Sequence[ToolSpec]) -> Mapping[str, Tool]:
        """The tools that a run began with, as far as they are still there."""
        names = [str(spec["function"]["name"]) for spec in specs]
        return {name: self.tools[name] for name in names if name in self.tools}


@contextlib.asynccontextmanager
async def outfit(
    session: Session, front: Front, mode: AgentMode, clock: Clock, told: Callable[[AgentEvent], None]
) -> AsyncGenerator[Outfit]:
    """Everything a run uses, for as long as it lasts. Time in which a person is asked stops the clock."""

    async def approve(ask: Ask, /) -> Answer:
        with clock.waiting():
            return await front.approve(ask)

    settings, root = session.settings.agent, session.root
    own = await asyncio.to_thread(guarded, root)
    approval = Approval(mode, approve, on_event=told, commands=settings.allow_commands, guarded=own)
    question = front.ask
    tools = [*TOOLS.values(), *ask_tools(None if question is None else _timed(question, clock), told)]
    facts = ("This run only plans: look around, then reply with the plan.",) if mode == "plan" else ()
    names = [tool.name for tool in tools]

    def tell(problem: str) -> None:
        told(Noted(problem))

    async with external_tools(settings.mcp_servers, approval, root, tell=tell, taken=names) as lent:
        yield Outfit({tool.name: tool for tool in (*tools, *lent)}, approval, facts)


def _timed(ask: Callable[[Question], Awaitable[str]], clock: Clock) -> Callable[[Question], Awaitable[str]]:
    async def asked(question: Question) -> str:
        with clock.waiting():
            return await ask(question)

    return asked

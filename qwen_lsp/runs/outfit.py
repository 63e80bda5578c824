"""What a run may use: the tools in their fixed order, bound to what they work with, and who gives leave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.approval import Answer, Approval, Ask
from qwen_lsp.features.agent.asking import Question, ask_tools
from qwen_lsp.features.agent.calls import CHECKS
from qwen_lsp.features.agent.caps import Clock
from qwen_lsp.features.agent.commands import program_tools
from qwen_lsp.features.agent.events import AgentEvent, Noted
from qwen_lsp.features.agent.external import external_tools
from qwen_lsp.features.agent.toolbox import Desk, Tool
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ToolSpec
from qwen_lsp.runs.front import Front
from qwen_lsp.sandbox.command import NoSandbox
from qwen_lsp.sandbox.find import find
from qwen_lsp.session import Session
from qwen_lsp.settings import AgentMode, McpServerSettings
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
    session: Session,
    base: Snapshot,
    front: Front,
    mode: AgentMode,
    clock: Clock,
    told: Callable[[AgentEvent], None],
    servers: Mapping[str, McpServerSettings] | None = None,
) -> AsyncGenerator[Outfit]:
    """Everything a run uses, for as long as it lasts. Time in which a person is asked stops the clock.

    `base` is the snapshot that the run began with. `servers` lend tools beside those of the settings, which
    keep their names. Commands are on where this system has a sandbox.
    """

    async def approve(ask: Ask, /) -> Answer:
        with clock.waiting():
            return await front.approve(ask)

    settings, root = session.settings.agent, session.root
    own, sandbox = await asyncio.gather(asyncio.to_thread(guarded, root), asyncio.to_thread(find, root))
    approval = Approval(mode, approve, on_event=told, commands=settings.allow_commands, guarded=own)
    question = front.ask
    asking = ask_tools(None if question is None else _timed(question, clock), told)
    facts = ["This run only plans: look around, then reply with the plan."] if mode == "plan" else []
    if isinstance(sandbox, NoSandbox):
        facts.append(f"Commands and checks cannot be run: {sandbox.reason}.")

    def tell(problem: str) -> None:
        told(Noted(problem))

    async with contextlib.AsyncExitStack() as stack:
        programs = await stack.enter_async_context(
            program_tools(base, sandbox, approval=approval, gate=session.gate, settings=settings)
        )
        own_tools = (*TOOLS.values(), *programs, *asking)
        names = [tool.name for tool in own_tools]
        lenders = {**(servers or {}), **settings.mcp_servers}
        lent = await stack.enter_async_context(
            external_tools(lenders, approval, root, tell=tell, taken=names)
        )
        tools = {tool.name: tool for tool in (*own_tools, *lent)}
        yield Outfit(tools, approval, tuple(facts), _checking(tools) if settings.check_after_edits else None)


def _timed(ask: Callable[[Question], Awaitable[str]], clock: Clock) -> Callable[[Question], Awaitable[str]]:
    async def asked(question: Question) -> str:
        with clock.waiting():
            return await ask(question)

    return asked


def _checking(tools: Mapping[str, Tool]) -> Callable[[Desk], Awaitable[str | None]] | None:
    """What the checks find after edits; None where they pass. A refusal is told like a failure."""
    act = tools[CHECKS].act
    if act is None:
        return None

    async def check(desk: Desk) -> str | None:
        try:
            outcome = await act(desk, {})
        except ToolRefused as error:
            return str(error)
        return None if outcome.ok else outcome.text

    return check

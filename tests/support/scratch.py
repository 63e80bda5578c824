"""An agent's commands over files of a test: a workspace, its scratch copy, and a person who answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qwen_lsp.features.agent.approval import Answer, Approval, Ask
from qwen_lsp.features.agent.checking import Checks
from qwen_lsp.features.agent.commands import command_tools
from qwen_lsp.features.agent.toolbox import Desk, Outcome, call
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.sandbox.command import Sandbox
from qwen_lsp.sandbox.scratch import Scratch
from qwen_lsp.settings import AgentSettings
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import indexed_workspace
from tests.support.shell import PlainShell


@dataclass
class Commands:
    """The tools that run programs, as a loop would call them."""

    base: Snapshot
    sandbox: Sandbox
    scratch: Scratch
    approval: Approval
    checks: Checks
    gate: Gate
    asked: list[Ask] = field(default_factory=list[Ask])
    printed: list[str] = field(default_factory=list[str])
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a command has printed something."""

    def __post_init__(self) -> None:
        self.fork = self.base
        self.tools = {tool.name: tool for tool in command_tools(self.scratch, self.approval, self.checks)}

    @property
    def desk(self) -> Desk:
        return Desk(self.fork, self.gate, printed=self._print)

    def _print(self, text: str) -> None:
        self.printed.append(text)
        self.heard.set()

    @property
    def lines(self) -> list[str]:
        """The command lines that were run."""
        assert isinstance(self.sandbox, PlainShell)
        return self.sandbox.lines

    async def call(self, tool: str, **arguments: Any) -> Outcome:
        """One call; the fork after it is that of the next one. Raises ToolRefused."""
        outcome = await call(self.tools, self.desk, ToolCall(tool, arguments, "1"))
        self.fork = outcome.snapshot
        return outcome

    async def shell(self, command: str, **arguments: Any) -> Outcome:
        return await self.call("run_shell_command", command=command, **arguments)

    def edit(self, path: str, old: str, new: str) -> None:
        text = self.fork.text(RelPath(path))
        assert old in text
        self.fork = self.fork.edited(RelPath(path), text.replace(old, new))


@asynccontextmanager
async def commands(
    files: str,
    folder: Path,
    *,
    answer: Answer | Callable[[Ask], Answer] = "once",
    sandbox: Sandbox | None = None,
    **settings: Any,
) -> AsyncGenerator[Commands]:
    """Commands over files written below `folder`. `answer` is what the person says to every question."""
    root = folder / "workspace"
    await asyncio.to_thread(root.mkdir, parents=True)
    base = (await indexed_workspace(files, root)).snapshot
    gate = Gate(root)
    asked: list[Ask] = []

    async def approver(ask: Ask, /) -> Answer:
        asked.append(ask)
        return answer(ask) if callable(answer) else answer

    chosen = AgentSettings(**settings)
    shell = sandbox or PlainShell()
    async with Scratch.at(root, shell, allowed=gate.withholds, place=folder / "scratch") as scratch:
        approval = Approval(chosen.mode, approver)
        checks = Checks(scratch, base, chosen)
        yield Commands(base, shell, scratch, approval, checks, gate, asked)

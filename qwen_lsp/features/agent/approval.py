"""Who decides what a run may do: code and the person, never the text of a prompt.

Looking at the workspace and editing the fork need nobody's leave: what lands is previewed. A command, a
program that lends tools, and a path that is touchy but not forbidden are asked for, each exactly as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.toolbox import Tool
from qwen_lsp.settings import AgentMode

Answer = Literal["once", "request", "no"]
"""This time; as often as it is the very same thing in this run; not at all."""
AskKind = Literal["command", "path", "external", "network"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that wants leave."""

    kind: AskKind
    title: str
    """One sentence for the person."""
    detail: str
    """Exactly what would happen: the command line, the path, the tool with its arguments."""
    key: tuple[str, ...]
    """What "request" is bound to: a thing with another key is asked for anew."""


class Approver(Protocol):
    """Puts a question to whoever is there. Cancelling it takes the question back."""

    async def __call__(self, ask: Ask, /) -> Answer: ...


async def nobody(ask: Ask, /) -> Answer:
    """Where there is no person to ask."""
    return "no"


@dataclass(slots=True)
class Approval:
    """The leave given in one run, in memory only."""

    mode: AgentMode
    """Look only; ask for each new thing; allow what can be asked for. What is forbidden stays so in all."""
    approver: Approver = nobody
    granted: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])

    def admits(self, tool: Tool) -> None:
        """Raises ToolRefused where this mode has no such tool at all."""
        if self.mode == "plan" and tool.kind in ("edit", "command", "external"):
            raise ToolRefused(
                f"{tool.name} is off: this run only plans. Look around, then reply with the plan."
            )

    async def leave(self, ask: Ask) -> None:
        """Returns when the thing may be done. Raises ToolRefused when it may not."""
        if self.mode == "allow" or ask.key in self.granted:
            return
        answer = await self.approver(ask)
        if answer == "no":
            raise ToolRefused(
                f"The user did not allow it: {ask.detail}. Do without, or ask what to do instead."
            )
        if answer == "request":
            self.granted.add(ask.key)

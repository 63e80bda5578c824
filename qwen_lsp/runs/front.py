"""Front: what a run asks of whoever shows it. Everything a person decides comes in through here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from qwen_lsp.features.agent.approval import Answer, Approver, Ask, nobody
from qwen_lsp.features.agent.asking import Question
from qwen_lsp.features.agent.events import AgentEvent

__all__ = ["Front", "Plain", "Question"]


class Front(Protocol):
    """Called on the event loop. `approve` and `ask` may take as long as a person does; being cancelled,
    they take their question back."""

    def on_event(self, event: AgentEvent, /) -> None:
        """Something happened. Must return at once and raise nothing."""
        ...

    async def approve(self, ask: Ask, /) -> Answer:
        """Whether the thing may be done."""
        ...

    @property
    def ask(self) -> Callable[[Question], Awaitable[str]] | None:
        """Puts the model's question to the person and gives the answer; None where nobody is there, so
        that the model is not offered the tool."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """A front made of functions; one without a person unless it is given more."""

    on_event: Callable[[AgentEvent], None] = lambda event: None
    approve: Approver = nobody
    ask: Callable[[Question], Awaitable[str]] | None = None

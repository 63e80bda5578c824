"""Where a run stands: the plan, and one line of turns, tokens, money and time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.text import Text

from qwen_lsp.cli.agent_text import todo
from qwen_lsp.features.agent.events import AgentEvent, Began, Planned, Turned
from qwen_lsp.model.messages import Usage
from qwen_lsp.runs.words import clock, money, percent, tokens
from qwen_lsp.text.words import number

_MOST_STEPS = 6


@dataclass(slots=True)
class Standing:
    """What a run has come to so far, told by its events."""

    window: int = 0
    """Tokens the model can read; 0 where nobody knows."""
    now: Callable[[], float] = time.monotonic
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    filled: int = 0
    """Tokens of the last request with its reply, which the next one begins with."""
    cost: float | None = None
    plan: tuple[tuple[str, str], ...] = ()
    run: str = ""
    began: float = -1.0

    def hear(self, event: AgentEvent) -> None:
        """Take in one event."""
        if self.began < 0:
            self.began = self.now()
        if isinstance(event, Began):
            self.run = event.run
        elif isinstance(event, Planned):
            self.plan = event.todos
        elif isinstance(event, Turned):
            self.turns = event.turn
            self.usage += event.usage
            self.filled = event.usage.prompt + event.usage.completion
            self.cost = event.cost

    @property
    def seconds(self) -> float:
        return self.now() - self.began if self.began >= 0 else 0.0

    @property
    def done(self) -> int:
        """How many steps of the plan are done."""
        return sum(status == "completed" for _, status in self.plan)

    def line(self, width: int, hint: str = "") -> Text:
        """One line within so many columns; what matters least is left out first."""
        sent = f"{tokens(self.usage.prompt)} sent"
        cached = f" ({percent(self.usage.cached, self.usage.prompt)} cached)" if self.usage.prompt else ""
        # (what is said, how soon it may go: higher goes first)
        parts = [
            (number(self.turns, "turn"), 0),
            (f"{sent}{cached}", 1),
            (f"{tokens(self.usage.completion)} written", 4),
            (f"cost {money(self.cost)}" if self.cost is not None else "", 2),
            (clock(self.seconds), 0),
            (f"window {percent(self.filled, self.window)}" if self.window and self.filled else "", 3),
            (hint, 5),
        ]
        kept = [part for part in parts if part[0]]
        while len(kept) > 1 and len(" · ".join(said for said, _ in kept)) > width:
            kept.remove(max(kept, key=lambda part: part[1]))
        text = Text(" · ".join(said for said, _ in kept), "dim")
        text.truncate(width, overflow="ellipsis")
        return text

    def steps(self, most: int = _MOST_STEPS) -> list[Text]:
        """The plan with the state of each step; of a long one, what is around the step it is at."""
        if not self.plan:
            return []
        at = next((i for i, (_, status) in enumerate(self.plan) if status != "completed"), len(self.plan))
        first = max(0, min(at - 1, len(self.plan) - most))
        shown = self.plan[first : first + most]
        head = Text(f"Plan, {self.done} of {len(self.plan)} done", "dim")
        return [head, *(Text("  ") + todo(*step) for step in shown)]

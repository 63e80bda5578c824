"""The limits of a run: turns, tokens, money, time. Each ends it with a clear reason, after one warning."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass

from qwen_lsp.features.agent.ending import End
from qwen_lsp.model.messages import Usage
from qwen_lsp.settings import AgentSettings

_NEAR = 0.9
_LAST_TURNS = 5


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used so far."""

    turns: int
    usage: Usage
    seconds: float
    last: Usage
    """What the latest request used: about what the next one will."""


class Caps:
    """The limits of the settings. `cost` is what usage costs, None where no price is known."""

    def __init__(self, settings: AgentSettings, cost: Callable[[Usage], float | None]) -> None:
        self._settings = settings
        self._cost = cost
        self._warned = False

    def cost(self, spent: Usage) -> float | None:
        return self._cost(spent)

    def check(self, spent: Spent) -> None:
        """Whether another turn may begin. Raises End."""
        settings, cost = self._settings, self._cost(spent.usage)
        if spent.turns >= settings.max_turns:
            raise End("turns", f"Stopped after {spent.turns} turns; raise agent.max_turns for more.")
        if (tokens := _tokens(spent.usage)) >= settings.max_total_tokens:
            raise End(
                "tokens",
                f"Stopped at {tokens:,} tokens, the limit of the run; raise agent.max_total_tokens for more.",
            )
        if settings.max_cost and cost is not None and cost >= settings.max_cost:
            raise End(
                "money",
                f"Stopped after spending {cost:.2f}, the limit of the run; raise agent.max_cost for more.",
            )

    def warning(self, spent: Spent) -> str:
        """What to tell the model, once, when the end is near; empty otherwise."""
        if self._warned or not (left := self._left(spent)):
            return ""
        self._warned = True
        return (
            f"[{left} left in this run. Finish the step at hand so that the code is whole, then reply "
            "without a tool call: what is done and what remains.]"
        )

    def _left(self, spent: Spent) -> str:
        settings, cost = self._settings, self._cost(spent.usage)
        turns = settings.max_turns - spent.turns
        if 0 < turns <= max(1, min(_LAST_TURNS, settings.max_turns // 10)):
            return f"{turns} {'turn' if turns == 1 else 'turns'}"
        tokens = settings.max_total_tokens - _tokens(spent.usage)
        if tokens < max(settings.max_total_tokens * (1 - _NEAR), 2 * _tokens(spent.last)):
            return f"About {max(0, tokens):,} tokens"
        if settings.max_cost and cost is not None and cost >= settings.max_cost * _NEAR:
            return "Almost no money"
        seconds = settings.max_seconds - spent.seconds
        if seconds < settings.max_seconds * (1 - _NEAR):
            return f"About {max(0, int(seconds))} seconds"
        return ""


class Clock:
    """The time of a run, which stands still while a person is asked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit: asyncio.Timeout | None = None
        self._begun = self._waited = self._since = 0.0
        self._waiting = 0
        self._left: float | None = None

    @property
    def seconds(self) -> float:
        """How long the run has worked."""
        if self._limit is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._begun - self._waited

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """The time of what is inside is counted. Raises End once it is used up."""
        self._begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._seconds) as self._limit:
                yield
        except TimeoutError:
            if self._limit is None or not self._limit.expired():
                raise
            raise End(
                "time", f"Stopped after {self._seconds:g} s; raise agent.max_seconds for more."
            ) from None

    @contextlib.contextmanager
    def waiting(self) -> Generator[None]:
        """A person is asked meanwhile; may be entered while it is entered already."""
        loop = asyncio.get_running_loop()
        if self._waiting == 0:
            self._since = loop.time()
            self._left = None if self._limit is None else self._limit.when()
            if self._limit is not None:
                self._limit.reschedule(None)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if self._waiting == 0:
                waited = loop.time() - self._since
                self._waited += waited
                if self._limit is not None and self._left is not None:
                    self._limit.reschedule(self._left + waited)


def _tokens(usage: Usage) -> int:
    return usage.prompt + usage.completion

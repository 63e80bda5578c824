"""What every request cost: tokens, cached tokens, seconds, and money when prices are known.

Requests that failed, were cancelled or had to be repeated count too: the endpoint billed them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from qwen_lsp.model.messages import Usage
from qwen_lsp.settings import PriceSettings

Purpose = Literal["chat", "completion", "warm-up"]
Outcome = Literal["done", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class Price:
    """Money for a million tokens."""

    prompt: float = 0.0
    completion: float = 0.0
    cached: float | None = None
    """For prompt tokens that the endpoint had cached; None: as any prompt token."""

    def of(self, usage: Usage) -> float:
        """What a request costs."""
        cached = min(usage.cached, usage.prompt)
        rate = self.prompt if self.cached is None else self.cached
        spent = (usage.prompt - cached) * self.prompt + cached * rate + usage.completion * self.completion
        return spent / 1_000_000


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over requests."""

    requests: int = 0
    cancelled: int = 0
    failed: int = 0
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    cost: float | None = None
    """None when no request had a known price."""

    def __add__(self, other: Total) -> Total:
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Total(
            self.requests + other.requests,
            self.cancelled + other.cancelled,
            self.failed + other.failed,
            self.usage + other.usage,
            self.seconds + other.seconds,
            sum(costs) if costs else None,
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """What was spent, for each purpose and together."""

    by_purpose: Mapping[str, Total]
    all: Total


class Ledger:
    """Adds up requests. Everything is kept as sums, so that a long session costs no memory."""

    def __init__(self, prices: Mapping[str, Price] | None = None) -> None:
        self._prices = dict(prices or {})
        self._totals: dict[str, Total] = {}
        self.under_way = 0
        """Requests that somebody waits for and that have begun and not ended."""
        self.problem = ""
        """Why the last request that was not cancelled failed, as a sentence; empty when it was answered."""
        self.on_change: Callable[[], None] = lambda: None

    def began(self, purpose: Purpose) -> None:
        """A request is sent; `record` tells of its end. Nobody waits for a warm-up."""
        if purpose != "warm-up":
            self.under_way += 1
            self.on_change()

    def refused(self, problem: str) -> None:
        """Nothing was sent, since the endpoint could not be asked what it is."""
        self.problem = problem
        self.on_change()

    def record(
        self,
        purpose: Purpose,
        model: str,
        usage: Usage,
        *,
        seconds: float,
        outcome: Outcome = "done",
        problem: str = "",
    ) -> None:
        """One request to the endpoint has ended; every attempt of a repeated request counts."""
        if purpose != "warm-up":
            self.under_way = max(0, self.under_way - 1)
        if outcome != "cancelled":
            self.problem = problem
        price = self._price(model)
        one = Total(
            1,
            int(outcome == "cancelled"),
            int(outcome == "failed"),
            usage,
            seconds,
            None if price is None else price.of(usage),
        )
        self._totals[purpose] = self._totals.get(purpose, Total()) + one
        self.on_change()

    def reprice(self, prices: Mapping[str, Price]) -> None:
        """Requests from now on cost this; what was spent stays as it was counted."""
        self._prices = dict(prices)

    def totals(self) -> Totals:
        """The sums so far."""
        everything = Total()
        for total in self._totals.values():
            everything += total
        return Totals(dict(self._totals), everything)

    def cost(self, model: str, usage: Usage) -> float | None:
        """What tokens of a model cost; None where its price is not known."""
        price = self._price(model)
        return None if price is None else price.of(usage)

    def _price(self, model: str) -> Price | None:
        """The price of a model: by its name, else by the longest listed beginning of it."""
        if model in self._prices:
            return self._prices[model]
        begun = [name for name in self._prices if model.startswith(name)]
        return self._prices[max(begun, key=len)] if begun else None


def prices_of(table: Mapping[str, PriceSettings]) -> dict[str, Price]:
    """The price table of the settings."""
    return {model: Price(row.input, row.output, row.cached) for model, row in table.items()}

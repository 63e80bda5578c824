"""What stands before every request: refused keys, asked-for waits, the breaker; and behind it: the bill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from qwen_lsp.errors import (
    AuthenticationFailed,
    EndpointError,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    MalformedReply,
    RateLimited,
)
from qwen_lsp.model.ledger import Ledger, Outcome, Purpose
from qwen_lsp.model.messages import Usage
from qwen_lsp.model.resilience import Breaker
from qwen_lsp.model.tokens import estimate

BROKEN = (EndpointFailed, EndpointTimeout, EndpointUnreachable, MalformedReply)
"""The errors that tell of an endpoint that is ill; the others are answers of a healthy one."""


class Tally:
    """What one attempt used: as the endpoint says, else estimated from its texts."""

    def __init__(self, prompt: str, generated: Sequence[str]) -> None:
        self._prompt = prompt
        self._generated = generated
        self.usage: Usage | None = None
        self.begun = False
        """Whether the endpoint took the request: one it refused costs nothing."""

    def spent(self) -> Usage:
        """The usage of the attempt so far."""
        if self.usage is not None:
            return self.usage
        if not self.begun:
            return Usage()
        return Usage(estimate(self._prompt), estimate("".join(self._generated)), estimated=True)


class Guard:
    """The state that requests to one endpoint share. Chat and completion fail apart from each other."""

    def __init__(self, host: str, ledger: Ledger) -> None:
        self.ledger = ledger
        self._breakers: dict[Purpose, Breaker] = {"chat": Breaker(host), "completion": Breaker(host)}
        self._refused: AuthenticationFailed | None = None
        self._not_before = 0.0
        self._host = host

    def wait(self) -> float:
        """Seconds that the endpoint asked to be left alone for, from now."""
        return max(0.0, self._not_before - asyncio.get_running_loop().time())

    def remember(self, error: EndpointError) -> None:
        """Keep what an error says about later requests."""
        if isinstance(error, AuthenticationFailed):
            self._refused = error
        if isinstance(error, RateLimited) and error.retry_after:
            self._not_before = asyncio.get_running_loop().time() + error.retry_after

    @asynccontextmanager
    async def attempt(
        self, purpose: Purpose, model: str, prompt: str, generated: Sequence[str]
    ) -> AsyncGenerator[Tally]:
        """One request. Refuses it when it is pointless, and books what it used however it ends."""
        # A key that was refused is not sent again; new settings bring a new endpoint.
        if self._refused is not None:
            raise self._refused
        if purpose == "completion" and (left := self.wait()) > 0:
            raise RateLimited(f"{self._host} asks to wait for {left:.0f} s more", left)
        breaker = self._breakers[purpose]
        loop = asyncio.get_running_loop()
        started = loop.time()
        breaker.check(started)
        tally = Tally(prompt, generated)
        outcome: Outcome = "done"
        try:
            yield tally
            breaker.succeeded()
        except (asyncio.CancelledError, GeneratorExit):
            outcome = "cancelled"
            tally.begun = True
            breaker.gave_up()
            raise
        except EndpointError as error:
            outcome = "failed"
            self.remember(error)
            if isinstance(error, BROKEN):
                breaker.failed(loop.time())
            else:
                breaker.succeeded()
            raise
        finally:
            seconds = loop.time() - started
            self.ledger.record(purpose, model, tally.spent(), seconds=seconds, outcome=outcome)

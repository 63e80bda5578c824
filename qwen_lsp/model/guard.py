"""What stands before every request: refused keys, asked-for waits, the breaker; and behind it: the bill."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

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

BROKEN = (EndpointFailed, EndpointTimeout, EndpointUnreachable, MalformedReply)
"""The errors that tell of an endpoint that is ill; the others are answers of a healthy one."""
Size = Callable[[], tuple[int, int]]
"""The tokens of the prompt and of what was generated so far, about."""


class Attempt:
    """One request: refused where it is pointless, and booked with what it used however it ends.

    `size` is asked only when the endpoint does not say, as happens whenever a reply is left early.
    """

    def __init__(
        self, guard: Guard, purpose: Purpose, model: str, size: Callable[[], tuple[int, int]]
    ) -> None:
        self._guard = guard
        self._purpose: Purpose = purpose
        self._model = model
        self._size = size
        self._started = 0.0
        self.usage: Usage | None = None
        self.begun = False
        """Whether the endpoint took the request: one it refused costs nothing."""

    def spent(self) -> Usage:
        """The usage of the attempt so far."""
        if self.usage is not None:
            return self.usage
        if not self.begun:
            return Usage()
        return Usage(*self._size(), estimated=True)

    def __enter__(self) -> Self:
        self._started = self._guard.admit(self._purpose)
        self._guard.ledger.began(self._purpose)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome: Outcome = "failed"
        if error is None:
            outcome = "done"
        elif isinstance(error, asyncio.CancelledError | GeneratorExit):
            outcome = "cancelled"
            self.begun = True
        seconds = asyncio.get_running_loop().time() - self._started
        self._guard.settle(self._purpose, error)
        self._guard.ledger.record(
            self._purpose,
            self._model,
            self.spent(),
            seconds=seconds,
            outcome=outcome,
            problem=str(error) if isinstance(error, EndpointError) else "",
        )


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
        """Keep what an error before a request, or of one, says about later requests, and to the person."""
        self.ledger.refused(str(error))
        if isinstance(error, AuthenticationFailed):
            self._refused = error
        if isinstance(error, RateLimited) and error.retry_after:
            self._not_before = asyncio.get_running_loop().time() + error.retry_after

    def attempt(self, purpose: Purpose, model: str, size: Size) -> Attempt:
        """One request, for `with`."""
        return Attempt(self, purpose, model, size)

    def admit(self, purpose: Purpose) -> float:
        """The loop's time at which a request begins. Raises when it is pointless to send it."""
        # A key that was refused is not sent again; new settings bring a new endpoint.
        if self._refused is not None:
            raise self._refused
        if purpose != "chat" and (left := self.wait()) > 0:
            raise RateLimited(f"{self._host} asks to wait for {left:.0f} s more", left)
        started = asyncio.get_running_loop().time()
        if purpose == "warm-up":
            # It may not be the one request that finds out whether the endpoint is back.
            self._breakers["completion"].check_closed(started)
        else:
            self._breakers[purpose].check(started)
        return started

    def settle(self, purpose: Purpose, error: BaseException | None) -> None:
        """Keep what the end of a request says about the endpoint."""
        if isinstance(error, EndpointError):
            self.remember(error)
        if purpose == "warm-up":
            return
        breaker = self._breakers[purpose]
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            breaker.gave_up()
        elif isinstance(error, BROKEN):
            breaker.failed(asyncio.get_running_loop().time())
        elif error is None or isinstance(error, EndpointError):
            breaker.succeeded()
        else:
            breaker.gave_up()

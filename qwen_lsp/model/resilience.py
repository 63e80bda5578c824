"""When to ask again: growing waits with jitter, a server's own wish to wait, and a breaker.

Pure but for the random jitter; time is a number that the caller brings.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from qwen_lsp.errors import EndpointFailed, EndpointUnreachable, RateLimited

FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
LONGEST_ASKED_WAIT = 60.0
"""A server that asks for more is not waited for; the user is told."""
THRESHOLD = 5
COOL_DOWN = 4.0
"""Seconds until an open breaker lets one request through; a server that came back is found in 5."""


def retryable(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, RateLimited):
        return error.retry_after is None or error.retry_after <= LONGEST_ASKED_WAIT
    return isinstance(error, EndpointFailed | EndpointUnreachable)


def wait_before(attempt: int, error: Exception) -> float:
    """The seconds before attempt 1, 2, …: never less than the server asked for, never in step with others."""
    asked = error.retry_after if isinstance(error, RateLimited) else None
    if asked is not None:
        return asked + random.uniform(0, 0.1 * asked + 0.05)  # noqa: S311
    grown = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
    return grown * random.uniform(0.5, 1.0)  # noqa: S311


@dataclass(slots=True)
class Breaker:
    """Stops asking after a run of failures; lets one request through now and then to see."""

    host: str
    failures: int = 0
    opened_at: float | None = None
    probing: bool = False

    def check(self, now: float) -> None:
        """Raise EndpointFailed while open. The first request after the cool-down becomes the probe."""
        if self.opened_at is None:
            return
        left = self.opened_at + COOL_DOWN - now
        if left > 0 or self.probing:
            raise self._open(left)
        self.probing = True

    def check_closed(self, now: float) -> None:
        """Raise EndpointFailed unless all is well: for requests that must not become the probe."""
        if self.opened_at is not None:
            raise self._open(self.opened_at + COOL_DOWN - now)

    def _open(self, left: float) -> EndpointFailed:
        when = f"in {left:.0f} s" if left > 0.5 else "in a moment"
        return EndpointFailed(f"{self.host} failed {self.failures} times in a row; it is asked again {when}")

    def succeeded(self) -> None:
        """The endpoint answered."""
        self.failures, self.opened_at, self.probing = 0, None, False

    def failed(self, now: float) -> None:
        """The endpoint did not answer as it should."""
        self.failures += 1
        self.probing = False
        if self.failures >= THRESHOLD:
            self.opened_at = now

    def gave_up(self) -> None:
        """The request ended without telling anything about the endpoint: it was cancelled."""
        self.probing = False

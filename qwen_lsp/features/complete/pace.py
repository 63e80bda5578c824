"""How long to wait before the endpoint is asked: from how fast somebody types and how fast it answers."""

from __future__ import annotations

from dataclasses import dataclass

PAUSE = 0.7  # seconds without a key after which somebody does not type any more
_SHARE = 0.25  # of the newest value in a running average
_DEVIATIONS = 2.0
_JITTER = 0.001


@dataclass(slots=True)
class Average:
    """A running average in seconds and its mean deviation; `value` is None before the first one."""

    value: float | None = None
    deviation: float = 0.0

    def add(self, seconds: float) -> None:
        if self.value is None:
            self.value = seconds
            return
        self.deviation += _SHARE * (abs(seconds - self.value) - self.deviation)
        self.value += _SHARE * (seconds - self.value)


class Pace:
    """The rhythm of one person and one endpoint. Times are those of the event loop, in seconds.

    A request that is answered before the next key is never wasted, so that none waits where the endpoint is
    faster than the typing; nor does the first one after a pause, since what is typed next may agree with its
    answer. Else it waits as long as a key usually takes to come, and is not sent when one does.
    """

    def __init__(self) -> None:
        self._gap = Average()
        self._latency = Average()
        self._last: float | None = None
        self._pausing = True

    @property
    def latency(self) -> float | None:
        """How long the endpoint usually takes to a usable answer."""
        return self._latency.value

    def key(self, now: float) -> None:
        """Something was typed."""
        gap = None if self._last is None else now - self._last
        self._pausing = gap is None or gap > PAUSE
        if gap is not None and not self._pausing:
            self._gap.add(gap)
        self._last = now

    def answered(self, seconds: float) -> None:
        """The endpoint took so long."""
        self._latency.add(seconds)

    def wait(self, most: float) -> float:
        """Seconds from the last key until the endpoint is to be asked, `most` at most."""
        gap, latency = self._gap.value, self._latency.value
        if self._pausing or gap is None or (latency is not None and latency < gap):
            return 0.0
        return min(most, gap + max(_JITTER, _DEVIATIONS * self._gap.deviation))

"""The garbage collector, told to wait while a prompt is made.

Making one allocates tens of thousands of objects that all live until its end and hold no cycles. The
collector would run a hundred times amid that, take them for long-lived ones, and walk over the whole index
because there are so many of those: a third of the time, to find nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock


class _Waiting:
    """How many threads are in it, and whether the collector ran before the first of them."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.threads = 0
        self.was_enabled = False


_waiting = _Waiting()


@contextmanager
def collector_waits() -> Generator[None]:
    """Also a decorator. Of several threads in it the last one out lets the collector go on."""
    with _waiting.lock:
        if not _waiting.threads:
            _waiting.was_enabled = gc.isenabled()
            gc.disable()
        _waiting.threads += 1
    try:
        yield
    finally:
        with _waiting.lock:
            _waiting.threads -= 1
            if not _waiting.threads and _waiting.was_enabled:
                gc.enable()

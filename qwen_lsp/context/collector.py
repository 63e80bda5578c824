"""The garbage collector, told to wait while a prompt is made.

Making one allocates tens of thousands of objects that all live until its end and hold no cycles. The
collector would run a hundred times amid that, take them for long-lived ones, and walk over the whole index
because there are so many of those: a third of the time, to find nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collector_waits() -> Generator[None]:
    """Also a decorator. Of two threads in it the first one out lets the collector go on: no harm."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

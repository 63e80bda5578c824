"""Ctrl-C while something runs: the first one asks it to stop, the second one leaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

_Value = TypeVar("_Value")


async def until_stopped(work: Coroutine[Any, Any, _Value], on_stop: Callable[[], None]) -> _Value | None:
    """The result of the work, or None where Ctrl-C (or SIGTERM) ended it; `on_stop` is called at once then.

    The second Ctrl-C raises KeyboardInterrupt through everything, the third ends the process.
    """
    task = asyncio.ensure_future(work)
    stopped = False
    presses = 0

    def press() -> None:
        nonlocal presses, stopped
        presses += 1
        if presses == 1:
            stopped = True
            on_stop()
            task.cancel()
        elif presses == 2:
            raise KeyboardInterrupt
        else:
            os._exit(130)

    with _heard(press):
        try:
            return await task
        except asyncio.CancelledError:
            if stopped:
                return None
            # Where no signal can be listened to, the event loop's own handler has cancelled who waits here.
            own = asyncio.current_task()
            if own is None or not own.cancelling():
                raise
            own.uncancel()
            on_stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return None


@contextlib.contextmanager
def _heard(press: Callable[[], None]) -> Generator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}
    listened: list[signal.Signals] = []
    # Not in every thread, not on every system.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in signals:
            loop.add_signal_handler(number, press)
            listened.append(number)
    try:
        yield
    finally:
        for number in listened:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])

"""The keyboard while an event loop runs: a line is awaited, and what is typed ahead does not disturb.

A question that stands blocks nothing, so that Ctrl-C and the end of a run are heard while it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Generator
from typing import Any

try:
    import termios
except ImportError:  # no POSIX terminal
    termios = None


def is_there() -> bool:
    """Whether somebody can type an answer."""
    try:
        return sys.stdin is not None and sys.stdin.isatty()  # pyright: ignore[reportUnnecessaryComparison]
    except ValueError:  # closed
        return False


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """What is typed is not echoed, since it would stand in the middle of what is drawn. Signals work on."""
    with _changed(lambda flags, bits: flags & ~bits):
        yield


@contextlib.contextmanager
def open_to_typing() -> Generator[None]:
    """Echo on again, for a question; what was typed before it was asked is no answer to it."""
    with _changed(lambda flags, bits: flags | bits):
        yield


@contextlib.contextmanager
def _changed(change: Callable[[int, int], int]) -> Generator[None]:
    if termios is None or not is_there():
        yield
        return
    keys = sys.stdin.fileno()
    before: list[Any] = termios.tcgetattr(keys)
    after = list(before)
    after[3] = change(after[3], termios.ECHO)
    # Flushed: an Enter that was meant for something else must not approve a command.
    termios.tcsetattr(keys, termios.TCSAFLUSH, after)
    try:
        yield
    finally:
        termios.tcsetattr(keys, termios.TCSAFLUSH, before)


async def line() -> str:
    """One typed line, without its end. Raises EOFError at the end of input; cancelling gives up waiting."""
    if termios is None:
        return await asyncio.to_thread(input)
    loop = asyncio.get_running_loop()
    keys = sys.stdin.fileno()
    typed = loop.create_future()
    got = bytearray()

    def read() -> None:
        # The terminal hands over whole lines, so nothing of a later one is taken.
        piece = os.read(keys, 4_096)
        got.extend(piece)
        if not typed.done() and (not piece or got.endswith(b"\n")):
            typed.set_result(None)

    loop.add_reader(keys, read)
    try:
        await typed
    finally:
        loop.remove_reader(keys)
    if not got:
        raise EOFError
    return got.decode("utf-8", "replace").strip()

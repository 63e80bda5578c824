"""Questions to a person, asked while an event loop runs."""

from __future__ import annotations

import io
import signal
import sys
from typing import TextIO, cast

from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text


class _Lines(io.TextIOBase):
    """Lines as `input` gives them, without readline.

    While that reads its own files before its first line, a Ctrl-C is kept back until the next key.
    """

    def __init__(self, source: TextIO) -> None:
        self._source = source

    def readline(self, size: int = -1, /) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One line without its end. Raises EOFError at the end of input."""
        line = self._source.readline(size)
        if not line:
            raise EOFError
        return line.rstrip("\r\n")


def agreed(console: Console, question: str, *, default: bool) -> bool:
    """Yes or no. The end of input is no; Ctrl-C is KeyboardInterrupt at once.

    The event loop's own handler of Ctrl-C only asks the running task to end, which it cannot while it waits
    for a key.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return Confirm.ask(
            Text(question), console=console, default=default, stream=cast(TextIO, _Lines(sys.stdin))
        )
    except EOFError:
        console.print()
        return False
    finally:
        signal.signal(signal.SIGINT, before)

"""Questions to a person, asked while an event loop runs."""

from __future__ import annotations

import signal

from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text


def agreed(console: Console, question: str, *, default: bool) -> bool:
    """Yes or no. The end of input is no; Ctrl-C is KeyboardInterrupt at once.

    The event loop's own handler of Ctrl-C only asks the running task to end, which it cannot while it waits
    for a key.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return Confirm.ask(Text(question), console=console, default=default)
    except EOFError:
        console.print()
        return False
    finally:
        signal.signal(signal.SIGINT, before)

"""What an editor closes by itself while somebody types: brackets and quotes, right behind the cursor."""

from __future__ import annotations

from collections.abc import Callable

SIGNS = ")]}>\"'`"
_MOST = 4


def closed_behind(text: str, offset: int, typed: int, goes_on: Callable[[int], bool]) -> int | None:
    """How many signs an editor has put behind the cursor for `typed` characters; None where more has changed.

    `goes_on` tells whether at an offset behind them the text is what stood behind the cursor before.
    """
    for closed in range(min(typed, _MOST) + 1):
        at = offset + closed
        if goes_on(at):
            return closed
        if at == len(text) or text[at] not in SIGNS:
            return None
    return None

"""How a window of tokens is divided between the fixed text, the context and the reply."""

from __future__ import annotations

from dataclasses import dataclass

from qwen_lsp.errors import BudgetTooSmall

TEMPLATE_MARGIN = 64
"""Tokens for what a chat template puts around messages: role marks and line ends."""


@dataclass(frozen=True, slots=True)
class Division:
    """The parts of one window, in tokens. `context` is what a pack may take."""

    window: int
    fixed: int
    context: int
    reply: int


def steady(window: int, *, reply: int, wanted: int) -> int:
    """The tokens that every prompt of a feature may have, whatever it asks: room for a reply is left."""
    return min(wanted, window - min(reply, window // 4) - TEMPLATE_MARGIN)


def divide(window: int, *, fixed: int, reply: int, wanted: int) -> Division:
    """Divide `window`; the context gets at most `wanted` and never pushes the reply out.

    `fixed` are the tokens that must be sent (instructions, question, the file itself). A reply that would
    leave no room shrinks to a quarter of what is free before the context does. Raises BudgetTooSmall when
    the fixed part alone does not leave a short reply.
    """
    free = window - fixed - TEMPLATE_MARGIN
    least = min(reply, 256)
    if free < least:
        raise BudgetTooSmall(
            f"The model's window of {window:,} tokens is too small: {fixed:,} must be sent and "
            f"{least:,} are needed for a reply."
        )
    granted = reply if reply <= free // 2 else max(least, free // 4)
    return Division(window, fixed, max(0, min(wanted, free - granted)), granted)

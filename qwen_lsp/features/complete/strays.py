"""Closing brackets that nothing opened: a model that lost count is read up to there."""

from __future__ import annotations

import re

from qwen_lsp.features.complete.balance import balance
from qwen_lsp.features.complete.place import Place
from qwen_lsp.syntax.blocks import nesting

_CLOSER = re.compile(r"[)\]}]")


def without_strays(text: str, place: Place) -> str:
    """The answer up to the first bracket that closes nothing, where the code around it tells that."""
    if place.language is None or not _CLOSER.search(text):
        return text
    if not balance(place.line_before + text).closing_nothing:
        return text
    head = place.head
    # What begins in the middle of something may be inside of a bracket; a Python definition never is.
    inside = head[:1].isspace() and place.language.id != "python"
    if inside or balance(head).closing_nothing:
        return text
    found = nesting(place.language, head, text, 0)
    if found is None or found.outer_closed_at is None or found.outer_closed_at < len(head):
        return text
    return text[: found.outer_closed_at - len(head)].rstrip()

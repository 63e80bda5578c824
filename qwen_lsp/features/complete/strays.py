"""Closing brackets that nothing opened: a model that lost count is read up to there."""

from __future__ import annotations

import re

from qwen_lsp.features.complete.balance import balance
from qwen_lsp.features.complete.place import Place
from qwen_lsp.syntax.blocks import MOST, nesting

_CLOSER = re.compile(r"[)\]}]")
_TOP = re.compile(r"^[A-Za-z@#]", re.MULTILINE)


def without_strays(text: str, place: Place) -> str:
    """The answer up to the first bracket that closes nothing, where the code around it tells that."""
    if place.language is None or not _CLOSER.search(text):
        return text
    if not balance(place.line_before + text).closing_nothing:
        return text
    head = _from_top(place, len(text))
    if not head or balance(head).closing_nothing:
        return text
    found = nesting(place.language, head, text, 0)
    if found is None or found.outer_closed_at is None or found.outer_closed_at < len(head):
        return text
    return text[: found.outer_closed_at - len(head)].rstrip()


def _from_top(place: Place, more: int) -> str:
    """The code up to the cursor from a line on before which no bracket is open; empty when none is near."""
    head = place.head
    # A definition of Python stands in no bracket, however far in it is.
    if not head[:1].isspace() or (place.language is not None and place.language.id == "python"):
        return head
    start = max(0, place.offset - (MOST - more))
    if start == 0:
        return place.text[: place.offset]
    top = _TOP.search(place.text, start, place.line_start)
    return "" if top is None else place.text[top.start() : place.offset]

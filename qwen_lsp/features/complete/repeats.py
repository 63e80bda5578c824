"""Answers that go round in circles: the same line, or the same few lines, again and again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwen_lsp.features.complete.shape import TRIVIAL, telling

_TIMES = {1: 3, 2: 3, 3: 2, 4: 2}
"""How often a group of so many lines stands in a row until it is no longer meant."""
LONGEST = max(size * times for size, times in _TIMES.items())
"""Lines that are looked at to tell a circle."""
_IN_LINE = re.compile(r"(?P<once>(?=[^\n]{0,24}[A-Za-z]{3})[^\n]{4,48}?)(?P=once){4,}")


def kept_of(said: Sequence[str]) -> int | None:
    """How many lines stay when the last ones, stripped, make a circle; None when they make none."""
    for size, times in _TIMES.items():
        count = size * times
        if len(said) < count:
            break
        group = said[-size:]
        if all(said[-size * (n + 1) : len(said) - size * n] == group for n in range(1, times)) and _means(
            group
        ):
            return len(said) - count + size
    return None


def _means(group: Sequence[str]) -> bool:
    """Whether a group says something: blank lines and closing brackets may well repeat."""
    lines = sum(line not in TRIVIAL and telling(line) for line in group)
    return lines >= (1 if len(group) < 3 else 2)


def without_circle_in_line(text: str) -> str:
    """An answer that ends in one phrase, five times in a row, says it once; one that goes on meant it."""
    if len(text) < 20:
        return text
    for match in _IN_LINE.finditer(text):
        if match["once"].startswith(text[match.end() :].rstrip()):
            return text[: match.end("once")]
    return text

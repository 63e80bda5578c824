"""Counts and lists as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence


def number(count: int, what: str) -> str:
    """`1 file`, `2,000 files`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def listed(names: Sequence[str], most: int) -> str:
    """`a, b and 3 more`: at most so many names."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

"""The words and marks of a few lines, and which of them an edit put in the place of which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_WORD = re.compile(r"""\w+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`\n]*`|[^\w\s]""")
_NAME = re.compile(r"[^\W\d]\w*")
_MOST_WORDS = 600


@dataclass(frozen=True, slots=True)
class Swap:
    """Words that stood in the old lines, and those that stand there now. Offsets are in the old lines."""

    old: str
    new: str
    start: int

    @property
    def is_name(self) -> bool:
        """Whether one name took the place of another one."""
        return _NAME.fullmatch(self.old) is not None and _NAME.fullmatch(self.new) is not None


def words(text: str) -> list[re.Match[str]]:
    """Names, numbers, strings on one line, and single marks, in order."""
    return list(_WORD.finditer(text))


def same_words(text: str) -> tuple[str, ...]:
    """The words of a text, without what is between them: two texts with the same ones say the same."""
    return tuple(match[0] for match in _WORD.finditer(text))


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def says(text: str, name: str) -> bool:
    """Whether a text has a name as a whole word."""
    return next(places_of(text, name), None) is not None


def places_of(text: str, said: str) -> Iterator[re.Match[str]]:
    """Where a text says some words: never in the middle of a longer word."""
    before = r"(?<!\w)" if said[:1].isalnum() or said[:1] == "_" else ""
    behind = r"(?!\w)" if said[-1:].isalnum() or said[-1:] == "_" else ""
    return re.finditer(before + re.escape(said) + behind, text)


@lru_cache(maxsize=64)
def swaps(before: str, after: str) -> tuple[Swap, ...]:
    """What took the place of what, in order; nothing for texts too long to compare.

    Kept, since the same few edits are compared again whenever somebody asks.

    Words that only came or only went are no swap: what they mean depends on what is around them.
    """
    old, new = words(before), words(after)
    if not old or not new or len(old) > _MOST_WORDS or len(new) > _MOST_WORDS:
        return ()
    said, says_now = [m[0] for m in old], [m[0] for m in new]
    found: list[Swap] = []
    for tag, i, j, k, m in SequenceMatcher(None, said, says_now, autojunk=False).get_opcodes():
        if tag == "replace":
            start, end = old[i].start(), old[j - 1].end()
            first, last = new[k].start(), new[m - 1].end()
            found.append(Swap(before[start:end], after[first:last], start))
    return tuple(found)


def neighbours(text: str, start: int, end: int) -> tuple[str, str]:
    """The words beside a stretch of text on its own line or lines; empty where the line begins or ends."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    before, behind = words(text[first:start]), _WORD.search(text[end : len(text) if last < 0 else last])
    return before[-1][0] if before else "", behind[0] if behind else ""

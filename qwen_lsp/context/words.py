"""The words that names are made of: what code is about, before it says so by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from qwen_lsp.context.names import Near

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SHORTEST = 3
# Words that names of every subject have.
_EMPTY_WORDS = """
add all and are can create default del delete for from get has have init into make new not run set test the
this type use using with
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


@lru_cache(maxsize=32_768)
def words_of(name: str) -> tuple[str, ...]:
    """`parse`, `http`, `header` for `parseHTTPHeader` and `parse_http_header`; empty words left out."""
    words = (word.lower() for word in _WORD.findall(name))
    return tuple(dict.fromkeys(w for w in words if len(w) >= _SHORTEST and w not in _EMPTY))


@dataclass(frozen=True, slots=True)
class Subject:
    """The words near a place, each weighed by how near."""

    weights: Mapping[str, float] = field(default_factory=dict[str, float])

    @classmethod
    def of(cls, names: Iterable[Near]) -> Subject:
        weights: dict[str, float] = {}
        for near in names:
            for word in words_of(near.name):
                if near.weight > weights.get(word, 0.0):
                    weights[word] = near.weight
        return cls(weights)

    def likeness(self, name: str) -> float:
        """How much of a name is said near by, from 0 to 1; a long name has to share more words."""
        words, weights = words_of(name), self.weights
        said = 0.0
        for word in words:
            if word in weights:
                said += weights[word]
        return min(1.0, said / len(words) ** 0.5) if said else 0.0

    def nearest(self, number: int) -> list[str]:
        """The words to search for: the nearest ones, the longest of those first."""
        ranked = sorted(self.weights.items(), key=lambda item: (-item[1] * min(len(item[0]), 10), item[0]))
        return [word for word, _ in ranked[:number]]

"""Answers: what the index said of names, remembered until a content comes in that has them.

Ranking asks for the same few thousand names again and again. Two texts that differ by an edit have nearly
the same names, so what an edit makes doubtful is a handful of answers, not all.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Answers(Generic[_T]):
    """Sequences by name and limit, up to `most` elements in all. May be used from any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, dict[int, Sequence[_T]]] = OrderedDict()
        self._lock = threading.Lock()
        self._generation = 0

    def get(self, name: str, limit: int, ask: Callable[[], Sequence[_T]]) -> Sequence[_T]:
        """What is remembered, or else what `ask` says."""
        with self._lock:
            answers = self._kept.get(name)
            if answers is not None and (known := answers.get(limit)) is not None:
                self._kept.move_to_end(name)
                return known
            generation = self._generation
        said = ask()
        if len(said) > self._most // 20:
            return said
        with self._lock:
            # What was asked before something came in may lack it.
            if generation == self._generation:
                answers = self._kept.setdefault(name, {})
                self._kept.move_to_end(name)
                if limit not in answers:  # else another thread asked meanwhile
                    answers[limit] = said
                    self._size += 1 + len(said)
                while self._size > self._most:
                    _, oldest = self._kept.popitem(last=False)
                    self._size -= sum(1 + len(each) for each in oldest.values())
        return said

    def forget(self, names: Collection[str] | None = None) -> None:
        """These names have other answers from now on; without names, all have."""
        with self._lock:
            self._generation += 1
            if names is None:
                self._kept.clear()
                self._size = 0
                return
            for name in names:
                answers = self._kept.pop(name, None)
                if answers is not None:
                    self._size -= sum(1 + len(each) for each in answers.values())

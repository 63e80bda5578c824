"""Memory: what was made last, up to a size, for whoever would make it again from the same content."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Memory(Generic[_T]):
    """What was made last, up to a size: a pure function's memory, keyed by content, so never stale."""

    def __init__(self, most: int) -> None:
        self._kept: OrderedDict[Hashable, tuple[_T, int]] = OrderedDict()
        self._most = most
        self._size = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> _T | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def keep(self, key: Hashable, value: _T, size: int) -> None:
        """Remember it, in place of what was remembered before."""
        if size > self._most // 4:
            return
        with self._lock:
            _, replaced = self._kept.pop(key, (None, 0))
            self._size -= replaced
            self._kept[key] = (value, size)
            self._size += size
            while self._size > self._most:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._size -= dropped

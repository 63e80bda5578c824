"""What the predictor reads, and in which order: the code nearest to what is open, the open files last."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from qwen_lsp.errors import FileUnreadable, OutsideWorkspace
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.predict.predictor import Predictor
from qwen_lsp.workspace.paths import RelPath

PAUSE = 1.0  # seconds without typing, after which a changed file is read again
_MOST_BYTES = 3_500_000  # of the workspace: about a million tokens, which is all that is remembered
_LARGEST = 200_000


class Lessons:
    """A queue of files to read, worked off on the event loop in slices that nobody has to wait for."""

    def __init__(
        self,
        predictor: Predictor,
        snapshot: Callable[[], Snapshot],
        spawn: Callable[[Coroutine[Any, Any, None], str], None],
    ) -> None:
        self._predictor, self._snapshot, self._spawn = predictor, snapshot, spawn
        self._waiting: deque[RelPath] = deque()
        self._wanted: tuple[RelPath, ...] | None = None
        self._stale: set[RelPath] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def over(self) -> bool:
        """Whether nothing is left to read."""
        return self._idle.is_set()

    async def finished(self) -> None:
        await self._idle.wait()

    def first(self, path: RelPath) -> None:
        """Read this file before all others that wait."""
        self._waiting.appendleft(path)
        self._begin()

    def changed(self, path: RelPath) -> None:
        """Read this file again, once nobody types in it for a moment."""
        self._stale.add(path)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(PAUSE, self._read_stale)

    def workspace(self, recent: Sequence[RelPath]) -> None:
        """Read as much of the workspace's code as can be remembered, nearest to `recent` last."""
        self._wanted = tuple(recent)
        self._begin()

    def stop(self) -> None:
        self._waiting.clear()
        self._wanted = None
        if self._timer is not None:
            self._timer.cancel()

    def _read_stale(self) -> None:
        stale, self._stale = self._stale, set()
        for path in stale:
            self.first(path)

    def _begin(self) -> None:
        if (self._waiting or self._wanted is not None) and self._idle.is_set():
            self._idle.clear()
            self._spawn(self._read(), "predictor")

    async def _read(self) -> None:
        try:
            while self._waiting or self._wanted is not None:
                if self._wanted is not None:
                    near, self._wanted = self._wanted, None
                    # In a thread: there may be a hundred thousand files to choose from.
                    self._waiting.extend(await asyncio.to_thread(_chosen, self._snapshot(), near))
                    continue
                path = self._waiting.popleft()
                try:
                    text = await asyncio.to_thread(self._snapshot().text, path)
                except (FileUnreadable, OutsideWorkspace):
                    self._predictor.forget(path)
                    continue
                if len(text) <= _LARGEST:
                    for _ in self._predictor.learn_in_slices(path, text):
                        await asyncio.sleep(0)
                await asyncio.sleep(0)
        finally:
            self._idle.set()


def _chosen(snapshot: Snapshot, recent: Sequence[RelPath]) -> list[RelPath]:
    """The code nearest to some files, as much as is remembered, in the order in which it is read."""
    near = {folder for path in recent for folder in _folders(path)}
    kinship: dict[str, int] = {}
    # By how much of their path is near; never one long sort, for which the event loop would have to wait.
    known: dict[int, list[tuple[RelPath, int]]] = {}
    for path, entry in snapshot.files.items():
        if entry.language is None or entry.size > _LARGEST or path in snapshot.buffers:
            continue
        folder = path[: path.rfind("/") + 1]
        if folder not in kinship:
            kinship[folder] = sum(one in near for one in _folders(path))
        known.setdefault(kinship[folder], []).append((path, entry.size))
    room, chosen = _MOST_BYTES, list[RelPath]()
    for shared in sorted(known, reverse=True):
        for path, size in sorted(known[shared]) if room >= 0 else ():
            if (room := room - size) < 0:
                break
            chosen.append(path)
    # What was read last is remembered longest and found first: so the open files once more at the end.
    return [*reversed(chosen), *snapshot.buffers]


def _folders(path: str) -> list[str]:
    """The folders around a file, outermost first; the root is one."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]

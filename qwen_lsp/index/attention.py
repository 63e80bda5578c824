"""What is opened while the index is made goes to the front, with what it imports and what is beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from qwen_lsp.index.nearness import around, latest_first, ranked, recently_changed
from qwen_lsp.index.pool import Job, Queue
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.workspace.paths import RelPath

_T = TypeVar("_T")
Check = Callable[[Sequence[RelPath]], Awaitable[None]]
"""Compares some files with the disk and takes in what changed."""


class Attention:
    """Follows which documents are opened, from `async with` to its end. Lives on the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: set[RelPath] = set()
        self._opened = asyncio.Event()
        self._queue: Queue | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._end: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Attention:
        self._end = self._store.subscribe(self._look)
        self._look(self._store.current)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end()
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def during(self, work: Awaitable[_T], check: Check) -> _T:
        """Wait for `work`; meanwhile see to it that what is around the open files is as the disk says."""
        future = asyncio.ensure_future(work)
        try:
            while not future.done():
                if self._opened.is_set():
                    self._opened.clear()
                    await check(await self._around(latest_first(self._store.current)))
                    continue
                waiter = asyncio.ensure_future(self._opened.wait())
                await asyncio.wait({future, waiter}, return_when=asyncio.FIRST_COMPLETED)
                waiter.cancel()
            return await future
        finally:
            future.cancel()

    async def queue(self, jobs: Sequence[Job], workers: int) -> Queue:
        """The jobs in their order. Until the end, what is opened moves forward in it."""
        snapshot = self._store.current
        self._opened.clear()

        def make() -> Queue:
            opened = latest_first(snapshot)
            recent = recently_changed(snapshot.root, jobs)
            return Queue(ranked(jobs, opened, around(snapshot, opened), recent), workers)

        self._queue = await asyncio.to_thread(make)
        if self._opened.is_set():
            self._bring_forward(latest_first(self._store.current))
        return self._queue

    def _look(self, snapshot: Snapshot) -> None:
        if snapshot.buffers.keys() <= self._seen:
            return
        new = [path for path in latest_first(snapshot) if path not in self._seen]
        self._seen.update(snapshot.buffers)
        self._opened.set()
        if self._queue is not None:
            self._bring_forward(new)

    def _bring_forward(self, paths: Sequence[RelPath]) -> None:
        if self._queue is not None:
            self._queue.promote(paths)
            task = asyncio.get_running_loop().create_task(self._bring_neighbours(self._queue, paths))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _bring_neighbours(self, queue: Queue, paths: Sequence[RelPath]) -> None:
        queue.promote(await self._around(paths))

    async def _around(self, paths: Iterable[RelPath]) -> list[RelPath]:
        return await asyncio.to_thread(around, self._store.current, paths)

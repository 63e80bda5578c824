"""What was found on disk, collected and put into the store now and then, not file by file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from qwen_lsp.index.manifest import MOST_LAID_OVER
from qwen_lsp.index.packed import DiskChange, FileEntry
from qwen_lsp.index.pool import POISON, Found
from qwen_lsp.index.store import Store
from qwen_lsp.index.tables import Scanned
from qwen_lsp.workspace.paths import RelPath

Progress = Callable[[int, int], None]
"""Called with the number of files done and of files there are to do."""

_APPLY_SECONDS = 0.2


class Intake:
    """`newer` are paths of which more is known by now than will be found."""

    def __init__(
        self, store: Store, total: int, progress: Progress | None, newer: Collection[RelPath] = ()
    ) -> None:
        self.gone: list[RelPath] = []
        self.unwritten: list[Scanned] = []
        """Files that no worker has put into the database."""
        self._store = store
        self._progress = progress
        self._newer = newer
        self._total = total
        self._done = 0
        self._changes: dict[RelPath, DiskChange] = {}
        self._applied = time.monotonic()
        self._tidying: asyncio.Task[None] | None = None

    def take(self, found: Found) -> None:
        for file in found.files:
            self._changes[file.path] = disk_change(file)
        for path in found.gone:
            self._changes[path] = None
        for job in found.poison:
            self._changes[job.path] = POISON
            self.unwritten.append(Scanned(job.path, job.stat.size, job.stat.mtime_ns, skip=POISON))
        self.gone += found.gone
        self._done += len(found.files) + len(found.gone) + len(found.poison)
        if self._progress is not None:
            self._progress(self._done, self._total)
        if time.monotonic() - self._applied >= _APPLY_SECONDS:
            self.apply()

    def apply(self) -> None:
        changes, self._changes = self._changes, {}
        if self._newer:
            changes = {path: change for path, change in changes.items() if path not in self._newer}
        self._store.apply_disk(changes)
        self._applied = time.monotonic()
        over = len(self._store.current.manifest.over) > MOST_LAID_OVER
        if over and (self._tidying is None or self._tidying.done()):
            self._tidying = asyncio.get_running_loop().create_task(self._store.tidy())

    async def finish(self) -> None:
        """Put in what is left, and leave nothing running."""
        self.apply()
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.gather(self._tidying, return_exceptions=True)


def disk_change(file: Scanned) -> DiskChange:
    if file.skip is not None:
        return file.skip
    return FileEntry(file.digest, file.size, file.mtime_ns, file.language)

"""Whose turn it is to read many files: one process at a time for one index, while others use its rows.

The lock is advisory, a file beside the database. The system frees it when its holder ends, however that
happens. Nobody waits for a holder that gets nowhere, and where there are no locks everybody reads.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from qwen_lsp.index.cache import Cache, Kept
from qwen_lsp.index.pool import Found, Job
from qwen_lsp.index.tables import Scanned
from qwen_lsp.workspace.paths import RelPath

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PATIENCE = 20.0
"""Seconds without a new row after which the holder is thought to stand still."""
_PAUSE, _SHARE = 0.25, 20  # between two looks at the rows, and as many times what a look takes
_PROBE = 200
_TAKEN = frozenset({errno.EAGAIN, errno.EACCES, errno.EDEADLK})


class Turn:
    """One claim on one index. Not to be used by two threads at once."""

    def __init__(self, database: Path) -> None:
        self._file = database.with_suffix(".lock")
        self._descriptor = -1

    def take(self) -> bool:
        """Whether it is ours now: at once, or not. True as well where the disk knows no locks."""
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            if sys.platform == "win32":
                msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return self._descriptor < 0 or error.errno not in _TAKEN
        return True

    def give_back(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@asynccontextmanager
async def turn(
    cache: Cache, jobs: Sequence[Job], report: Callable[[Found], None]
) -> AsyncGenerator[list[Job]]:
    """The jobs that are left when our turn has come; what others found until then is reported."""
    left = list(jobs)
    if cache.database is None:
        yield left
        return
    claim = Turn(cache.database)
    moved, rows = time.monotonic(), -1
    try:
        while left:
            ours = await asyncio.to_thread(claim.take)
            begun = time.monotonic()
            # Those of the holder before us may have come after the jobs were planned.
            kept = await asyncio.to_thread(_kept, cache, left, probe=ours and rows < 0)
            found = [job for job in left if _is_known(job, kept)]
            if found:
                report(Found(tuple(_scanned(job.path, kept[job.path]) for job in found)))
                left = [job for job in left if not _is_known(job, kept)]
            now = time.monotonic()
            if found or len(kept) != rows:
                moved, rows = now, len(kept)
            if ours or now - moved > PATIENCE:
                break
            await asyncio.sleep(max(_PAUSE, _SHARE * (now - begun)))
        yield left
    finally:
        claim.give_back()


def _kept(cache: Cache, jobs: Sequence[Job], *, probe: bool) -> dict[RelPath, Kept]:
    """The rows there are. `probe`: none, unless some of these jobs have one."""
    if probe and not cache.manifest([job.path for job in jobs[:: 1 + len(jobs) // _PROBE]]):
        return {}
    return cache.manifest()


def _is_known(job: Job, kept: dict[RelPath, Kept]) -> bool:
    row = kept.get(job.path)
    return row is not None and (row.size, row.mtime_ns) == (job.stat.size, job.stat.mtime_ns)


def _scanned(path: RelPath, row: Kept) -> Scanned:
    return Scanned(
        path, row.size, row.mtime_ns, row.digest, row.language, row.skip, row.definitions, row.references
    )

"""Worker processes: started, fed, watched and replaced.

A file that kills or hangs its worker is found by giving out the files of that batch one by one, and is
then skipped with a reason; everything else is indexed all the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qwen_lsp.index.tables import Scanned
from qwen_lsp.workspace.disk import Stat
from qwen_lsp.workspace.paths import RelPath

COMMAND = (sys.executable, "-P", "-m", "qwen_lsp.index.worker")
_BATCH_BYTES = 1024 * 1024
_BATCH_FILES = 96
_LEAST_BYTES = 64 * 1024
_MOST_FED = 128 * 1024 * 1024
"""Bytes after which a worker makes room for a new one: the parser's binding lets go of less than it takes."""
_START_SECONDS = 60.0
_DYING_SECONDS = 2.0
_MOST_POISON = 8
_LONGEST_LINE = 1 << 24
POISON = "the parser did not survive this file"


@dataclass(frozen=True, slots=True)
class Job:
    path: RelPath
    stat: Stat


@dataclass(frozen=True, slots=True)
class Found:
    """What a batch came to."""

    files: tuple[Scanned, ...] = ()
    gone: tuple[RelPath, ...] = ()
    poison: tuple[Job, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may take. `file_seconds` is CPU time; the wall clock gets a multiple of it."""

    max_bytes: int
    workers: int
    file_seconds: float = 5.0
    uses: bool = True
    """Whether it is kept which names each file uses."""

    def wall_seconds(self, files: int) -> float:
        return self.file_seconds * (2 + 0.2 * files)


class Queue(deque[list[Job]]):
    """Jobs that wait, in their order, in batches small enough that every worker gets several.

    The first ones are smaller still: what is in front is what somebody waits for. So are the last ones:
    all workers then end at about the same time.
    """

    def __init__(self, jobs: Sequence[Job], workers: int) -> None:
        super().__init__()
        self._workers = workers
        self.extend(self._batches(jobs))

    def promote(self, paths: Sequence[RelPath]) -> None:
        """Move the jobs for these paths, in this order, to the front; those given out are not there."""
        order = {path: place for place, path in enumerate(paths)}
        moved: list[Job] = []
        for batch in self:
            if any(job.path in order for job in batch):
                moved += [job for job in batch if job.path in order]
                batch[:] = [job for job in batch if job.path not in order]
        moved.sort(key=lambda job: order[job.path])
        self.extendleft(reversed(self._batches(moved)))

    def _batches(self, jobs: Sequence[Job]) -> list[list[Job]]:
        batches: list[list[Job]] = []
        left = sum(job.stat.size for job in jobs)
        size = most = 0
        for job in jobs:
            if not batches or size + job.stat.size > most or len(batches[-1]) >= _BATCH_FILES:
                fair = max(left // (2 * self._workers), _LEAST_BYTES)
                most = min(_BATCH_BYTES, fair, _LEAST_BYTES << min(len(batches), 16))
                batches.append([])
                size = 0
            batches[-1].append(job)
            size += job.stat.size
            left -= job.stat.size
        return batches


async def run_pool(
    root: Path,
    database: Path,
    jobs: Sequence[Job] | Queue,
    limits: Limits,
    report: Callable[[Found], None],
    *,
    command: Sequence[str] = COMMAND,
) -> list[Job]:
    """Index files in worker processes, reporting batch by batch.

    Returns the jobs that could not be done here because no worker runs or the database fails.
    """
    batches = jobs if isinstance(jobs, Queue) else Queue(jobs, limits.workers)
    hello = {
        "root": str(root),
        "database": str(database),
        "max_bytes": limits.max_bytes,
        "cpu_seconds": limits.file_seconds,
        "uses": limits.uses,
    }

    lost: Counter[str] = Counter()

    async def drain() -> None:
        worker: _Worker | None = None
        fed = 0
        try:
            while batches:
                if worker is None:
                    worker = await _start(command, hello)
                    if worker is None:
                        return
                    if not batches:
                        break
                batch = batches.popleft()
                if not batch:
                    continue
                fed += sum(job.stat.size for job in batch)
                reply = await _ask(worker, batch, limits.wall_seconds(len(batch)))
                if reply is None:
                    # One that died is waited for: to signal a process that is gone upsets asyncio.
                    await _stop(
                        worker, _DYING_SECONDS if worker.stdout is None or worker.stdout.at_eof() else 0.0
                    )
                    worker = None
                    if len(batch) > 1:
                        batches.extendleft([job] for job in reversed(batch))
                    else:
                        poison = _quarantined(batch[0], batches, lost)
                        report(Found(poison=tuple(poison)))
                elif "error" in reply:
                    batches.appendleft(batch)
                    return
                else:
                    report(_found(reply))
                    if fed > _MOST_FED:
                        await _stop(worker, 5.0)
                        worker, fed = None, 0
        finally:
            if worker is not None:
                await _stop(worker, 0.0 if batches else 5.0)

    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, min(limits.workers, len(batches)))):
            group.create_task(drain())
    return [job for batch in batches for job in batch]


def default_workers() -> int:
    """One less than the cores this process may use, but two on two cores: workers are niced and give way."""
    affine = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if affine else os.cpu_count() or 1
    return max(min(cores, 2), cores - 1)


_Worker = asyncio.subprocess.Process


async def _start(command: Sequence[str], hello: dict[str, Any]) -> _Worker | None:
    """A worker that has said it is ready; None when none can be had."""
    try:
        worker = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LONGEST_LINE,
        )
    except OSError:
        return None
    reply = await _exchange(worker, hello, _START_SECONDS)
    if reply is None or "ready" not in reply:
        await _stop(worker, _DYING_SECONDS)
        return None
    return worker


async def _ask(worker: _Worker, batch: Sequence[Job], seconds: float) -> dict[str, Any] | None:
    jobs = [(job.path, job.stat.size, job.stat.mtime_ns) for job in batch]
    return await _exchange(worker, jobs, seconds)


async def _exchange(worker: _Worker, message: object, seconds: float) -> dict[str, Any] | None:
    """One line there and one back; None when the worker died, hangs or talks nonsense."""
    if worker.stdin is None or worker.stdout is None:
        return None
    try:
        worker.stdin.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        async with asyncio.timeout(seconds):
            await worker.stdin.drain()
            line = await worker.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None
    except (OSError, TimeoutError, ValueError):
        return None


async def _stop(worker: _Worker, seconds: float = 0.0) -> None:
    """End a worker, giving it some time to end by itself."""
    if worker.stdin is not None:
        worker.stdin.close()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await worker.wait()
    finally:
        if worker.returncode is None:
            with suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()


def _quarantined(job: Job, batches: deque[list[Job]], lost: Counter[str]) -> list[Job]:
    """The file that ended a worker; after several of one kind, all that are left of that kind.

    A parser that does not work at all would cost a process for each file.
    """
    kind = _kind(job)
    lost[kind] += 1
    poison = [job]
    if lost[kind] >= _MOST_POISON:
        for batch in batches:
            poison += [other for other in batch if _kind(other) == kind]
            batch[:] = [other for other in batch if _kind(other) != kind]
    return poison


def _kind(job: Job) -> str:
    return job.path.rpartition("/")[2].rpartition(".")[2]


def _found(reply: dict[str, Any]) -> Found:
    files = tuple(Scanned(RelPath(row[0]), *row[1:]) for row in reply["found"])
    return Found(files, tuple(RelPath(path) for path in reply["gone"]))

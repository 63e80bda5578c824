"""The index made and kept current: listing, comparing, and reading only what changed.

Many files are read by worker processes, since parsing holds the interpreter's lock; a few small ones
here, one at a time in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from qwen_lsp.index import buffers, pool
from qwen_lsp.index.plan import Plan, gone, hinted, swept, tracks_others
from qwen_lsp.index.pool import Found, Job
from qwen_lsp.index.scan import scan
from qwen_lsp.index.snapshot import FileEntry, Snapshot
from qwen_lsp.index.store import DiskChange, Store
from qwen_lsp.index.tables import Scanned
from qwen_lsp.index.turns import turn
from qwen_lsp.settings import IndexSettings
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.workspace.hints import GIT_INDEX
from qwen_lsp.workspace.paths import RelPath

try:
    import resource
except ImportError:  # no such thing on Windows
    resource = None

Progress = Callable[[int, int], None]
"""Called with the number of files done and of files there are to do."""

_FEW_FILES = 16
_SMALL_FILE = 64 * 1024
_APPLY_SECONDS = 0.2


@dataclass(slots=True)
class IndexReport:
    """What an index run came to. CPU seconds include worker processes."""

    files: int = 0
    bytes: int = 0
    definitions: int = 0
    references: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    languages: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, int] = field(default_factory=dict[str, int])


async def build(
    store: Store,
    settings: IndexSettings | None = None,
    progress: Progress | None = None,
    *,
    command: Sequence[str] = pool.COMMAND,
) -> IndexReport:
    """Index the workspace, reading only what differs from the index kept of it.

    The settings hold for later refreshes. May be cancelled: what was indexed by then stays.
    """
    if settings is not None:
        store.settings = settings
    wall, cpu = time.perf_counter(), _cpu_seconds()
    async with store.indexing:
        await _sweep(store, progress, command)
        report = await asyncio.to_thread(_report, store)
    report.seconds = time.perf_counter() - wall
    report.cpu_seconds = _cpu_seconds() - cpu
    return report


async def refresh(store: Store, hints: set[RelPath] | None) -> float:
    """Take in what happened on disk: at the paths hinted at, or anywhere when that is not known.

    Returns the seconds it took to look everywhere, 0 when only the hints were looked at.
    """
    lost: list[RelPath] = []
    if hints is not None and GIT_INDEX in hints:
        hints = None if await asyncio.to_thread(tracks_others, store) else hints - {GIT_INDEX}
    if hints is not None:
        lost = await asyncio.to_thread(gone, store.current, hints)
        store.apply_disk(dict.fromkeys(lost))
        plan = await _hinted(store, hints)
        if plan is not None and _is_little(plan.jobs, store.current):
            # Not behind a sweep, which may take minutes the first time.
            if store.indexing.locked():
                store.ahead |= hints
            plan.forget += lost
            await _carry_out(store, plan)
            return 0.0
    async with store.indexing:
        plan = None if hints is None else await _hinted(store, hints)
        if plan is None:
            return await _sweep(store, None, pool.COMMAND)
        plan.forget += lost
        await _carry_out(store, plan)
        return 0.0


async def _hinted(store: Store, hints: set[RelPath]) -> Plan | None:
    if store.cache.broken:
        return None
    return await asyncio.to_thread(hinted, store.current, store.settings, hints)


async def _sweep(store: Store, progress: Progress | None, command: Sequence[str]) -> float:
    """Returns the seconds that the comparison took, without what came of it."""
    store.ahead.clear()
    begun = time.monotonic()
    plan = await asyncio.to_thread(swept, store.current, store.settings, store.cache)
    seconds = time.monotonic() - begun
    await _carry_out(store, plan, progress, command, newer=store.ahead)
    if store.cache.broken:  # damaged, or the disk is full: once more, with another database
        await asyncio.to_thread(store.cache.heal)
        plan = await asyncio.to_thread(swept, store.current, store.settings, store.cache)
        await _carry_out(store, plan, progress, command, newer=store.ahead)
    # What was gone before the sweep came to put it in.
    if store.ahead and (plan := await _hinted(store, set(store.ahead))) is not None:
        await _carry_out(store, plan)
    store.apply_disk({}, complete=True)
    await asyncio.to_thread(store.cache.collect_garbage, len(store.current.files))
    return seconds


async def _carry_out(
    store: Store,
    plan: Plan,
    progress: Progress | None = None,
    command: Sequence[str] = pool.COMMAND,
    newer: Collection[RelPath] = (),
) -> None:
    """`newer` are paths of which more is known by now than will be found."""
    intake = _Intake(store, len(plan.jobs), progress, newer)
    intake.apply(plan.changes)
    jobs = plan.jobs
    if not _is_little(jobs, store.current) and store.cache.database is not None:
        limits = pool.Limits(store.settings.max_file_bytes, store.settings.workers or pool.default_workers())
        try:
            async with turn(store.cache, jobs, intake.take) as jobs:
                jobs = await pool.run_pool(
                    store.root, store.cache.database, jobs, limits, intake.take, command=command
                )
        finally:
            intake.apply()
    for job in jobs:
        intake.take(await asyncio.to_thread(_scan_here, store, store.current, job))
    intake.apply()
    await asyncio.to_thread(store.cache.forget, [*plan.forget, *intake.gone])
    await asyncio.to_thread(store.cache.write, intake.unwritten)
    await asyncio.to_thread(store.cache.flush)


def _is_little(jobs: Sequence[Job], snapshot: Snapshot) -> bool:
    return len(jobs) < _FEW_FILES and all(
        job.stat.size <= _SMALL_FILE or job.path in snapshot.buffers for job in jobs
    )


def _scan_here(store: Store, snapshot: Snapshot, job: Job) -> Found:
    """Index one file in this process; the facts of an open document with the same text are taken over."""

    def ready(path: RelPath, digest: str, language: str) -> FileFacts | None:
        buffer = snapshot.buffers.get(path)
        if buffer is None or buffer.language is None or buffer.language.id != language:
            return None
        return buffer.memo.facts if buffers.digest(buffer) == digest else None

    scanned = scan(
        store.root, job.path, job.stat, known=store.cache.known,
        max_bytes=store.settings.max_file_bytes, ready=ready,
    )  # fmt: skip
    if scanned is None:
        return Found(gone=(job.path,))
    store.cache.write([scanned])
    return Found((scanned,))


class _Intake:
    """Collects what was found and puts it into the store now and then, not file by file."""

    def __init__(
        self, store: Store, total: int, progress: Progress | None, newer: Collection[RelPath]
    ) -> None:
        self.gone: list[RelPath] = []
        self.unwritten: list[Scanned] = []
        self._store = store
        self._progress = progress
        self._newer = newer
        self._total = total
        self._done = 0
        self._changes: dict[RelPath, DiskChange] = {}
        self._applied = time.monotonic()

    def take(self, found: Found) -> None:
        for file in found.files:
            self._changes[file.path] = disk_change(file)
        for path in found.gone:
            self._changes[path] = None
        for job in found.poison:
            self._changes[job.path] = pool.POISON
            self.unwritten.append(Scanned(job.path, job.stat.size, job.stat.mtime_ns, skip=pool.POISON))
        self.gone += found.gone
        self._done += len(found.files) + len(found.gone) + len(found.poison)
        if self._progress is not None:
            self._progress(self._done, self._total)
        # Each application copies the manifest, so that a large one is copied a few dozen times in all.
        enough = len(self._changes) * 40 >= len(self._store.current.files)
        if enough and time.monotonic() - self._applied >= _APPLY_SECONDS:
            self.apply()

    def apply(self, changes: Mapping[RelPath, DiskChange] | None = None) -> None:
        """Put these into the store, or what was collected."""
        if changes is None:
            changes, self._changes = self._changes, {}
        if self._newer:
            changes = {path: change for path, change in changes.items() if path not in self._newer}
        self._store.apply_disk(changes)
        self._applied = time.monotonic()


def disk_change(file: Scanned) -> DiskChange:
    if file.skip is not None:
        return file.skip
    return FileEntry(file.digest, file.size, file.mtime_ns, file.language)


def _report(store: Store) -> IndexReport:
    report = IndexReport()
    kept = store.cache.manifest()
    for path, entry in store.current.files.items():
        report.files += 1
        report.bytes += entry.size
        if entry.language is not None:
            report.languages[entry.language] = report.languages.get(entry.language, 0) + 1
        if path in kept:
            report.definitions += kept[path].definitions
            report.references += kept[path].references
    report.skipped = dict(Counter(store.current.skipped.values()))
    return report


def _cpu_seconds() -> float:
    if resource is None:
        return time.process_time()
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)

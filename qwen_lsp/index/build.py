"""The index made and kept current: listing, comparing, and reading only what changed.

Many files are read by worker processes, since parsing holds the interpreter's lock; a few small ones
here, one at a time in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from qwen_lsp.index import buffers, pool
from qwen_lsp.index.attention import Attention
from qwen_lsp.index.intake import Intake, Progress, disk_change
from qwen_lsp.index.nearness import around, latest_first
from qwen_lsp.index.plan import Plan, gone, hinted, swept, tracks_others
from qwen_lsp.index.pool import Found, Job
from qwen_lsp.index.scan import scan
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.index.turns import turn
from qwen_lsp.settings import IndexSettings
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.workspace.hints import GIT_INDEX
from qwen_lsp.workspace.paths import RelPath

try:
    import resource
except ImportError:  # no such thing on Windows
    resource = None

_FEW_FILES = 16
_SMALL_FILE = 64 * 1024
_MANY_FILES = 20_000


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
    head_start: float = 0.0,
    command: Sequence[str] = pool.COMMAND,
) -> IndexReport:
    """Index the workspace, reading only what differs from the index kept of it.

    The settings hold for later refreshes. May be cancelled: what was indexed by then stays. Of a large
    workspace the disk is looked at after `head_start` seconds, in which the index kept from the last time
    answers: it is checked at once around the open files.
    """
    if settings is not None:
        store.settings = settings
    wall, cpu = time.perf_counter(), _cpu_seconds()
    async with store.indexing:
        await _sweep(store, progress, command, head_start)
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


async def _sweep(
    store: Store, progress: Progress | None, command: Sequence[str], head_start: float = 0.0
) -> float:
    """Returns the seconds that the comparison took, without what came of it."""
    store.ahead.clear()
    if not store.current.manifest.count:
        await store.take_over(await asyncio.to_thread(store.cache.table))
    async with Attention(store) as attention:
        await attention.during(_head_start(store, head_start), lambda near: _checked(store, near))
        begun = time.monotonic()
        plan = await attention.during(
            asyncio.to_thread(swept, store.current, store.settings, store.cache),
            lambda near: _checked(store, near),
        )
        seconds = time.monotonic() - begun
        await _carry_out(store, plan, progress, command, attention)
        if store.cache.broken:  # damaged, or the disk is full: once more, with another database
            await asyncio.to_thread(store.cache.heal)
            plan = await asyncio.to_thread(swept, store.current, store.settings, store.cache)
            await _carry_out(store, plan, progress, command, attention)
        store.cache.replaced = store.cache.broken
    # What was gone before the sweep came to put it in.
    if store.ahead and (plan := await _hinted(store, set(store.ahead))) is not None:
        await _carry_out(store, plan)
    store.apply_disk({}, complete=True)
    await store.tidy(0)
    await asyncio.to_thread(store.cache.collect_garbage, store.current.manifest.count)
    return seconds


async def _head_start(store: Store, seconds: float) -> None:
    """Looking at the whole disk is seconds of work in a large workspace: first the answers."""
    if store.current.manifest.count > _MANY_FILES:
        await asyncio.sleep(seconds)


async def _carry_out(
    store: Store,
    plan: Plan,
    progress: Progress | None = None,
    command: Sequence[str] = pool.COMMAND,
    attention: Attention | None = None,
) -> None:
    if attention is None:
        store.apply_disk(plan.changes)
    else:
        await store.apply_listing(plan.changes)
    lean = store.current.manifest.count > store.settings.references_up_to
    intake = Intake(store, len(plan.jobs), progress, newer=store.ahead if plan.everywhere else ())
    jobs = plan.jobs
    if not _is_little(jobs, store.current) and store.cache.database is not None:
        workers = store.settings.workers or pool.default_workers()
        limits = pool.Limits(store.settings.max_file_bytes, workers, uses=not lean)
        try:
            async with turn(store.cache, jobs, intake.take) as left:
                queue = left if attention is None else await attention.queue(left, workers)
                jobs = await pool.run_pool(
                    store.root, store.cache.database, queue, limits, intake.take, command=command
                )
        finally:
            await intake.finish()
    for job in jobs:
        # One that was hinted at is one that somebody works on.
        uses = attention is None or not lean
        intake.take(await asyncio.to_thread(_scan_here, store, store.current, job, uses=uses))
    await intake.finish()
    await store.tidy()
    await asyncio.to_thread(_keep, store, plan, intake, lean=lean)


def _is_little(jobs: Sequence[Job], snapshot: Snapshot) -> bool:
    return len(jobs) < _FEW_FILES and all(
        job.stat.size <= _SMALL_FILE or job.path in snapshot.buffers for job in jobs
    )


async def _checked(store: Store, near: Sequence[RelPath]) -> None:
    """Take in what became of a few files while nobody looked, the first of them at once."""
    known = {path for path in near if path in store.current.files}
    plan = await asyncio.to_thread(hinted, store.current, store.settings, known)
    if plan is not None and not store.cache.broken:
        changes = dict(plan.changes)
        order = {path: place for place, path in enumerate(near)}
        for job in sorted(plan.jobs, key=lambda job: order[job.path])[:_FEW_FILES]:
            found = await asyncio.to_thread(_scan_here, store, store.current, job)
            changes[job.path] = disk_change(found.files[0]) if found.files else None
        store.apply_disk(changes)


async def attend(store: Store, path: RelPath) -> None:
    """Make ready what is around a document that somebody opened; the index itself may be unfinished."""
    if not store.cache.keeps_all_uses:
        await asyncio.to_thread(_keep_uses_around, store, [path])


def _keep_uses_around(store: Store, opened: Sequence[RelPath]) -> None:
    snapshot = store.current
    entries = (snapshot.files.get(path) for path in around(snapshot, opened))
    contents = {(e.digest, e.language) for e in entries if e is not None and e.digest and e.language}
    store.cache.keep_uses(contents)


def _keep(store: Store, plan: Plan, intake: Intake, *, lean: bool) -> None:
    """Bring the database up to what was found, and who uses what in it to what the settings say."""
    cache = store.cache
    cache.forget([*plan.forget, *intake.gone])
    cache.write([*intake.unwritten, *plan.unread])
    cache.flush()
    if lean:
        cache.look_at_uses()
        _keep_uses_around(store, latest_first(store.current))
    elif not cache.keeps_all_uses or plan.everywhere:
        cache.keep_uses_of_all()


def _scan_here(store: Store, snapshot: Snapshot, job: Job, *, uses: bool = True) -> Found:
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
    store.cache.write([scanned], uses=uses)
    return Found((scanned,))


def _report(store: Store) -> IndexReport:
    files, size, languages, skipped = store.current.manifest.merged().table.tally()
    definitions, references = store.cache.totals()
    return IndexReport(files, size, definitions, references, languages=languages, skipped=skipped)


def _cpu_seconds() -> float:
    if resource is None:
        return time.process_time()
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)

"""What there is to do: the disk compared with the index kept of it, everywhere or at a few paths."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from qwen_lsp.index.cache import Cache
from qwen_lsp.index.pool import Job
from qwen_lsp.index.scan import is_read, plain_stat
from qwen_lsp.index.snapshot import FileEntry, Snapshot
from qwen_lsp.index.store import DiskChange, Store
from qwen_lsp.settings import IndexSettings
from qwen_lsp.syntax.languages import available, language_for
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.ignore import OWN_FILE, IgnoreRules, reason_to_skip
from qwen_lsp.workspace.paths import RelPath

_RULES = frozenset({".gitignore", OWN_FILE})


@dataclass(slots=True)
class Plan:
    """What is known at once, the files to read (nearest to the open ones first), the rows to drop."""

    changes: dict[RelPath, DiskChange] = field(default_factory=dict[RelPath, DiskChange])
    jobs: list[Job] = field(default_factory=list[Job])
    forget: list[RelPath] = field(default_factory=list[RelPath])


def swept(snapshot: Snapshot, settings: IndexSettings, cache: Cache) -> Plan:
    """Compare the whole disk with the index. A workspace that is gone has no files."""
    listing = disk.list_files(snapshot.root, exclude=settings.exclude, max_bytes=settings.max_file_bytes)
    kept = cache.manifest()
    plan = Plan()
    jobs: list[Job] = []
    for path, stat in listing.files.items():
        if not _is_text(path):
            plan.changes[path] = "name is not valid text"
            continue
        row = kept.get(path)
        if not is_read(path):
            plan.changes[path] = FileEntry("", stat.size, stat.mtime_ns, None)
        elif row is not None and row.size == stat.size and row.mtime_ns == stat.mtime_ns:
            plan.changes[path] = row.skip or FileEntry(row.digest, row.size, row.mtime_ns, row.language)
        else:
            if path not in snapshot.files:
                plan.changes[path] = _unread(path, stat)
            jobs.append(Job(path, stat))
    for path, reason in listing.skipped.items():
        plan.changes[path] = reason
    present = plan.changes.keys() | {job.path for job in jobs}
    for path in (*snapshot.files, *snapshot.skipped):
        if path not in present:
            plan.changes[path] = None
    plan.forget = [path for path in kept if path not in listing.files]
    plan.changes = {p: change for p, change in plan.changes.items() if _is_news(snapshot, p, change)}
    plan.jobs = by_distance(jobs, snapshot.buffers)
    return plan


def hinted(snapshot: Snapshot, settings: IndexSettings, hints: set[RelPath]) -> Plan | None:
    """Look at a few paths. None: only a full sweep can tell (a new folder, other ignore rules, a link)."""
    plan = Plan(forget=gone(snapshot, hints))
    plan.changes.update(dict.fromkeys(plan.forget))
    rules = IgnoreRules.load(snapshot.root, settings.exclude)
    for path in sorted(hints):
        if path.rpartition("/")[2] in _RULES:
            return None
        known = path in snapshot.files or path in snapshot.skipped
        if not known and not _is_text(path):
            continue
        stat = plain_stat(snapshot.root, path)
        if stat is None:
            if os.path.lexists(snapshot.root / path):
                return None
            continue
        if not known and rules.ignores(path):
            continue
        if reason := reason_to_skip(path, stat.size, settings.max_file_bytes):
            plan.changes[path] = reason
            plan.forget.append(path)
            continue
        if not is_read(path):
            plan.changes[path] = FileEntry("", stat.size, stat.mtime_ns, None)
            continue
        entry = snapshot.files.get(path)
        if entry is None or not entry.digest or (entry.size, entry.mtime_ns) != (stat.size, stat.mtime_ns):
            plan.jobs.append(Job(path, stat))
    return plan


def gone(snapshot: Snapshot, hints: Iterable[RelPath]) -> list[RelPath]:
    """Known files among the hints, or in folders among them, that are no longer on disk."""
    lost = {path for path in hints if not os.path.lexists(snapshot.root / path)}
    found = [path for path in lost if path in snapshot.files or path in snapshot.skipped]
    folders = tuple(f"{path}/" for path in lost if path not in snapshot.files)
    if folders:
        known = (*snapshot.files, *snapshot.skipped)
        found += [path for path in known if path.startswith(folders)]
    return found


def tracks_others(store: Store) -> bool:
    """Whether git has come to track ignored files, or tracks some no more. Its index changes for less."""
    before, store.tracked = store.tracked, disk.tracked_though_ignored(store.root, store.settings.exclude)
    if before is None:
        return any(path not in store.current.files for path in store.tracked)
    return before != store.tracked


def by_distance(jobs: Iterable[Job], opened: Iterable[RelPath]) -> list[Job]:
    """Open files first, then those that share the longer part of their path with one."""
    folders = [path.split("/")[:-1] for path in opened]
    first = set(opened)
    known: dict[str, int] = {}

    def distance(path: RelPath) -> int:
        folder = path[: path.rfind("/") + 1]
        if folder not in known:
            parts = folder.split("/")[:-1]
            known[folder] = min((_steps(parts, other) for other in folders), default=0)
        return known[folder]

    return sorted(jobs, key=lambda job: (job.path not in first, distance(job.path), job.path))


def _steps(one: list[str], other: list[str]) -> int:
    shared = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        shared += 1
    return len(one) + len(other) - 2 * shared


def _unread(path: RelPath, stat: disk.Stat) -> FileEntry:
    language = language_for(path)
    known = language is not None and available(language)
    return FileEntry("", stat.size, stat.mtime_ns, language.id if known and language else None)


def _is_news(snapshot: Snapshot, path: RelPath, change: DiskChange) -> bool:
    if isinstance(change, FileEntry):
        return snapshot.files.get(path) != change
    if change is None:
        return True
    return snapshot.skipped.get(path) != change


def _is_text(path: str) -> bool:
    """Whether a name can be kept and sent: a file system may hold names that are no Unicode."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True

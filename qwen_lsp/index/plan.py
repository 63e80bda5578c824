"""What there is to do: the disk compared with the index kept of it, everywhere or at a few paths."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from qwen_lsp.index.cache import Cache, Kept
from qwen_lsp.index.manifest import Manifest
from qwen_lsp.index.packed import DiskChange, FileEntry
from qwen_lsp.index.pool import Job
from qwen_lsp.index.scan import is_read, plain_stat
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.index.tables import Scanned
from qwen_lsp.settings import IndexSettings
from qwen_lsp.syntax.languages import available, language_for
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.ignore import OWN_FILE, IgnoreRules, reason_to_skip
from qwen_lsp.workspace.paths import RelPath

_RULES = frozenset({".gitignore", OWN_FILE})


@dataclass(slots=True)
class Plan:
    """What is known at once, the files to read, the rows to drop."""

    changes: dict[RelPath, DiskChange] = field(default_factory=dict[RelPath, DiskChange])
    jobs: list[Job] = field(default_factory=list[Job])
    forget: list[RelPath] = field(default_factory=list[RelPath])
    unread: list[Scanned] = field(default_factory=list[Scanned])
    """New files that nobody reads, such as plain text: kept, so that the next time they are known at once."""
    everywhere: bool = False
    """Whether the whole disk was looked at."""


def swept(snapshot: Snapshot, settings: IndexSettings, cache: Cache) -> Plan:
    """Compare the whole disk with the index. A workspace that is gone has no files."""
    news = _News(snapshot.manifest, trusted=not cache.replaced)
    disk.list_into(news, snapshot.root, exclude=settings.exclude, max_bytes=settings.max_file_bytes)
    plan = Plan(everywhere=True)
    kept = cache.manifest([path for path in news.files if _is_text(path)])
    for path, stat in news.files.items():
        _look_at(path, stat, kept.get(path), snapshot, plan)
    plan.changes.update(news.skipped)
    plan.forget = [*news.gone(), *(path for path in news.skipped if path in snapshot.files)]
    plan.changes.update(dict.fromkeys(news.gone()))
    return plan


class _News:
    """Takes a listing and keeps what a manifest does not know; of the rest one bit each, not to miss any.

    A manifest that is not `trusted` says which files there were, but not that they are indexed.
    """

    def __init__(self, manifest: Manifest, *, trusted: bool) -> None:
        self._trusted = trusted
        self.files: dict[RelPath, disk.Stat] = {}
        self.skipped: dict[RelPath, str] = {}
        self._manifest = manifest
        self._seen = bytearray(len(manifest.table.paths.rows))
        self._over = {path for path, change in manifest.over.items() if change is not None}

    def file(self, path: RelPath, stat: disk.Stat) -> None:
        row = self._row(path)
        table = self._manifest.table
        same = self._trusted and row >= 0 and table.has_stat(row, stat.size, stat.mtime_ns)
        if not same or not (table.is_read(row) or not is_read(path)):
            self.files[path] = stat

    def skip(self, path: RelPath, reason: str) -> None:
        self._row(path)
        if self._manifest.get(path) != reason:
            self.skipped[path] = reason

    def gone(self) -> list[RelPath]:
        """What the manifest knows and the listing did not name."""
        table, over = self._manifest.table, self._manifest.over
        rows = (row for row, seen in enumerate(self._seen) if not seen and not table.is_gone(row))
        lost = (table.paths.rows[row] for row in rows)
        return [*(path for path in lost if path not in over), *sorted(self._over)]

    def _row(self, path: RelPath) -> int:
        """Note that a path is there; its row, or -1 when the table does not say how it was last."""
        row = self._manifest.table.paths.row(path)
        if row >= 0:
            self._seen[row] = 1
        if path in self._manifest.over:
            self._over.discard(path)
            return -1
        return row


def _look_at(path: RelPath, stat: disk.Stat, row: Kept | None, snapshot: Snapshot, plan: Plan) -> None:
    """One file that is on disk and not known to be as it was."""
    if not _is_text(path):
        change: DiskChange = "name is not valid text"
    elif not is_read(path):
        change = FileEntry("", stat.size, stat.mtime_ns, None)
        plan.unread.append(Scanned(path, stat.size, stat.mtime_ns))
    elif row is not None and row.size == stat.size and row.mtime_ns == stat.mtime_ns:
        change = row.skip or FileEntry(row.digest, row.size, row.mtime_ns, row.language)
    else:
        plan.jobs.append(Job(path, stat))
        change = snapshot.files.get(path) or _unread(path, stat)
    if snapshot.manifest.get(path) != change:
        plan.changes[path] = change


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
    for path in lost:
        if path not in snapshot.files:
            found += snapshot.manifest.beneath(path)
    return found


def tracks_others(store: Store) -> bool:
    """Whether git has come to track ignored files, or tracks some no more. Its index changes for less."""
    before, store.tracked = store.tracked, disk.tracked_though_ignored(store.root, store.settings.exclude)
    if before is None:
        return any(path not in store.current.files for path in store.tracked)
    return before != store.tracked


def _unread(path: RelPath, stat: disk.Stat) -> FileEntry:
    language = language_for(path)
    known = language is not None and available(language)
    return FileEntry("", stat.size, stat.mtime_ns, language.id if known and language else None)


def _is_text(path: str) -> bool:
    """Whether a name can be kept and sent: a file system may hold names that are no Unicode."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True

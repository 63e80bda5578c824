"""What is read first: the open files, what they import, what is beside them, what was worked on lately."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from qwen_lsp.index.graph import dependencies
from qwen_lsp.index.pool import Job
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace import git
from qwen_lsp.workspace.paths import RelPath, folder_of

_MOST_OPEN = 32
_BESIDE = 200
_RECENT = 400
_COMMITS = 50


def around(snapshot: Snapshot, opened: Iterable[RelPath]) -> list[RelPath]:
    """Some files, the files they import, and those in their folders, each once and in this order.

    Imports are read from the buffers that lie over the files: only of those is a tree worth making now.
    """
    first = list(opened)[:_MOST_OPEN]
    found = dict.fromkeys(first)
    for path in first:
        if path in snapshot.buffers:
            found.update(dict.fromkeys(dependencies(snapshot, path)))
    for path in first:
        beside = snapshot.manifest.in_folder(folder_of(path))
        found.update(dict.fromkeys(beside[:_BESIDE]))
    return list(found)


def latest_first(snapshot: Snapshot) -> list[RelPath]:
    """The open files, the one that was opened last first."""
    return [path for path in reversed(list(snapshot.buffers)) if snapshot.has(path)]


def recently_changed(root: Path, jobs: Collection[Job]) -> list[RelPath]:
    """What the last commits changed, latest first; where git tells nothing, what was written last."""
    if names := git.recently_changed(root, _COMMITS):
        return [RelPath(name) for name in names[:_RECENT]]
    latest = heapq.nlargest(_RECENT, jobs, key=lambda job: job.stat.written_ns)
    return [job.path for job in latest]


def ranked(
    jobs: Collection[Job], opened: Sequence[RelPath], near: Sequence[RelPath], recent: Sequence[RelPath]
) -> list[Job]:
    """The near files in their order, then recent ones, then by how much of its path an open one shares."""
    order = {path: place for place, path in enumerate(dict.fromkeys((*near, *recent)))}
    folders = [path.split("/")[:-1] for path in opened[:_MOST_OPEN]]
    known: dict[str, int] = {}

    def distance(path: RelPath) -> int:
        folder = path[: path.rfind("/") + 1]
        if folder not in known:
            parts = folder.split("/")[:-1]
            known[folder] = min((_steps(parts, other) for other in folders), default=0)
        return known[folder]

    front = [job for job in jobs if job.path in order]
    # Many short sorts of what is nearly sorted: during a long one the event loop would stand still.
    rest: dict[int, list[Job]] = {}
    for job in jobs:
        if job.path not in order:
            rest.setdefault(distance(job.path), []).append(job)
    front.sort(key=lambda job: order[job.path])
    for steps in sorted(rest):
        front += sorted(rest[steps], key=lambda job: job.path)
    return front


def _steps(one: list[str], other: list[str]) -> int:
    shared = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        shared += 1
    return len(one) + len(other) - 2 * shared

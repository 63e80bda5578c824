"""The order in which parts are sent: what keeps its place and its bytes first, the nearest last."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_lsp.context.render import Part
from qwen_lsp.index.graph import dependencies
from qwen_lsp.index.snapshot import Manifest, Snapshot
from qwen_lsp.workspace.paths import RelPath

_MOST_SORTED = 400


def in_order(snapshot: Snapshot, parts: Sequence[tuple[Part, float]]) -> list[Part]:
    """Files as they are on disk in dependency order, then open ones, then headers, the best of them last.

    Whole files and outlines do not depend on the cursor, so they stand where a cached prefix reaches;
    headers are chosen anew for each place.
    """
    steady = [part for part, _ in parts if part.kind in ("whole", "outline")]
    rest = [(part, score) for part, score in parts if part.kind not in ("whole", "outline")]
    closed = sorted((p for p in steady if p.path not in snapshot.buffers), key=lambda p: p.path)
    opened = sorted((p for p in steady if p.path in snapshot.buffers), key=lambda p: p.path)
    near = [part for part, _ in sorted(rest, key=lambda pair: (pair[1], pair[0].path))]
    return [*_dependencies_first(snapshot, closed), *opened, *near]


def _dependencies_first(snapshot: Snapshot, parts: Sequence[Part]) -> list[Part]:
    """A file after the files it imports, paths deciding where that leaves a choice; cycles are cut there."""
    if len(parts) > _MOST_SORTED:
        return list(parts)
    by_path = {part.path: part for part in parts}
    known = _known(snapshot)
    done: dict[RelPath, Part] = {}
    for start in by_path:
        stack: list[tuple[RelPath, bool]] = [(start, False)]
        open_paths: set[RelPath] = set()
        while stack:
            path, visited = stack.pop()
            if visited:
                done.setdefault(path, by_path[path])
                continue
            if path in done or path in open_paths:
                continue
            open_paths.add(path)
            stack.append((path, True))
            if path not in known:
                known[path] = dependencies(snapshot, path)
            further = [p for p in known[path] if p in by_path and p not in done]
            stack += [(p, False) for p in sorted(further, reverse=True)]
    return list(done.values())


class _Last:
    """Dependencies of closed files that were worked out for the last manifest."""

    def __init__(self, manifest: Manifest | None = None) -> None:
        self.manifest = manifest
        self.dependencies: dict[RelPath, list[RelPath]] = {}


_last = _Last()


def _known(snapshot: Snapshot) -> dict[RelPath, list[RelPath]]:
    """What is known already; nothing where a buffer creates or deletes a file: any import may change."""
    global _last
    if any(buffer.text is None or path not in snapshot.files for path, buffer in snapshot.buffers.items()):
        return {}
    if _last.manifest is not snapshot.manifest:
        _last = _Last(snapshot.manifest)
    return _last.dependencies

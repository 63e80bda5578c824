"""The order in which parts are sent: what keeps its place and its bytes first, the nearest last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from qwen_lsp.context.render import Part
from qwen_lsp.context.texts import name_of
from qwen_lsp.index.graph import dependencies, leading_to, said_by
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath

_CONFIGURATION = ("go.mod", "package.json", "tsconfig.json", "jsconfig.json")
"""Files whose content says where an import leads."""
_MANY = 200
"""Files that came or went; of more it is cheaper to look everything up again."""


def in_order(snapshot: Snapshot, parts: Sequence[tuple[Part, float]]) -> list[Part]:
    """Files as they are on disk in dependency order, then open ones, then headers, the best of them last.

    Whole files and outlines do not depend on the cursor, so they stand where a cached prefix reaches;
    headers are chosen anew for each place.
    """
    steady = {part.path: part for part, _ in parts if part.kind in ("whole", "outline")}
    rest = [(part, score) for part, score in parts if part.kind not in ("whole", "outline")]
    closed = dependencies_first(snapshot, [path for path in steady if path not in snapshot.buffers])
    opened = sorted(path for path in steady if path in snapshot.buffers)
    near = [part for part, _ in sorted(rest, key=lambda pair: (pair[1], pair[0].path))]
    return [*(steady[path] for path in (*closed, *opened)), *near]


def dependencies_first(snapshot: Snapshot, paths: Iterable[RelPath]) -> list[RelPath]:
    """A file after the files it imports, paths deciding where that leaves a choice; cycles are cut there.

    Takes time in proportion to the files and their imports; what a content imports is looked up once.
    """
    wanted = sorted(paths)
    among = set(wanted)
    imports = _imports.of(snapshot)
    done: dict[RelPath, None] = {}
    begun: set[RelPath] = set()
    for start in wanted:
        stack = [(start, False)]
        while stack:
            path, visited = stack.pop()
            if visited:
                done[path] = None
            elif path not in begun:
                begun.add(path)
                stack.append((path, True))
                further = [p for p in imports.by(snapshot, path) if p in among and p not in begun]
                stack += [(p, False) for p in sorted(further, reverse=True)]
    return list(done)


_Known = dict[RelPath, tuple[str, Sequence[RelPath], frozenset[str]]]
"""The content of a file, where its imports lead, and the words they are made of."""


class _Imports:
    """Who imports whom, by content, for as long as the same paths exist and lead to the same places."""

    def __init__(
        self, paths: Sequence[RelPath], configuration: Sequence[str], known: _Known | None = None
    ) -> None:
        self.paths, self.configuration = paths, configuration
        self._found: _Known = known if known is not None else {}

    def with_paths(self, snapshot: Snapshot, paths: Sequence[RelPath]) -> _Imports:
        """The same where other paths exist: without what leads to those gone, or may lead to those new."""
        gone = set(self.paths).difference(paths)
        new = set(paths).difference(self.paths)
        if len(gone) + len(new) > _MANY:
            return _Imports(paths, self.configuration)
        words = {word for path in new for word in leading_to(snapshot, path)}
        known = {
            path: found
            for path, found in list(self._found.items())
            if path not in gone and gone.isdisjoint(found[1]) and words.isdisjoint(found[2])
        }
        return _Imports(paths, self.configuration, known)

    def by(self, snapshot: Snapshot, path: RelPath) -> Sequence[RelPath]:
        """The files that `path` imports."""
        entry = None if path in snapshot.buffers else snapshot.files.get(path)
        name = entry.digest if entry is not None else name_of(snapshot, path)
        known, found, _ = self._found.get(path, ("", (), frozenset[str]()))
        if not name or known != name:
            facts = snapshot.facts(path)
            found = dependencies(snapshot, path)
            self._found[path] = (name, found, said_by(facts) if facts is not None else frozenset())
        return found


class _Last:
    """The imports known for the paths that were asked about last."""

    def __init__(self) -> None:
        self._last = _Imports((), ())
        self._lock = Lock()

    def of(self, snapshot: Snapshot) -> _Imports:
        paths = snapshot.paths()
        found = {path for name in _CONFIGURATION for path in snapshot.manifest.named(name)}
        found |= {path for path in snapshot.buffers if path.rpartition("/")[2] in _CONFIGURATION}
        configuration = [name_of(snapshot, path) for path in sorted(found)]
        with self._lock:
            last = self._last
            same = last.paths is paths or last.paths == paths
            if last.configuration != configuration:
                last = self._last = _Imports(paths, configuration)
            elif not same:
                last = self._last = last.with_paths(snapshot, paths)
            return last


_imports = _Last()


def reach_of(snapshot: Snapshot) -> object:
    """The same object as long as an import that stays the same leads to the same place."""
    return _imports.of(snapshot)

"""Which files a file sees without naming what it takes from them, and how far away each of them is.

An import of a name leads to that name. But a package sees all of itself, a header brings the headers that it
includes, an index file passes on what it exports, and a crate has macros everywhere: names of such files are
within reach though nothing in the file mentions them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from qwen_lsp.index.graph import resolve_all
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import Import
from qwen_lsp.workspace.paths import RelPath

_MOST_FILES = 400
_IMPORTED = 0.7


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a language sees other files.

    `folder` is the weight of the files beside it, 0 when they have to be imported; `hops` the weights of what
    it imports, of what that imports, and so on; `passes` which imports of a file are seen through it: every
    one, those of a whole module, or those of everything in it (`from module import *`).
    """

    folder: float = 0.0
    hops: tuple[float, ...] = (_IMPORTED,)
    passes: Literal["every", "whole", "star"] = "every"

    def passes_on(self, imp: Import) -> bool:
        if self.passes == "star":
            return "*" in imp.names
        return self.passes == "every" or not imp.names


_PACKAGE = _Rule(folder=1.0)
_INCLUDE = _Rule(hops=(0.9, 0.5, 0.3))
_SCRIPT = _Rule(hops=(_IMPORTED, 0.5, 0.4), passes="whole")
_RULES: Mapping[str, _Rule] = {
    "go": _PACKAGE,
    "java": _PACKAGE,
    "kotlin": _PACKAGE,
    "scala": _PACKAGE,
    "csharp": _PACKAGE,
    "swift": _PACKAGE,
    "php": _PACKAGE,
    "c": _INCLUDE,
    "cpp": _INCLUDE,
    "shellscript": _INCLUDE,
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "typescriptreact": _SCRIPT,
    "rust": _Rule(folder=0.4, hops=(_IMPORTED, 0.4), passes="whole"),
    "python": _Rule(hops=(_IMPORTED, 0.5, 0.4, 0.3), passes="star"),
}
_DEFAULT = _Rule()
_SOURCES: Mapping[str, tuple[str, ...]] = {"c": (".c",), "cpp": (".cc", ".cpp", ".cxx", ".c")}
_SOURCE_OF_HEADER = 0.4
_MAIN_OF_TEST = 0.8
_CRATE_MACROS = 0.5
_PARENT_MODULE = 0.6
_TEST_FILE = re.compile(r"_test\.go$|Tests?\.\w+$|(^|/)(tests?|__tests__)/")


def visible(snapshot: Snapshot, path: RelPath) -> Mapping[RelPath, float]:
    """The files that `path` sees, with a weight in (0, 1]: 1 for its own package, less for each step away.

    Bounded to a few hundred files, the nearest ones kept; `path` itself is not among them.
    """
    language = snapshot.language(path)
    if language is None or snapshot.facts(path) is None:
        return {}
    rule = _RULES.get(language.id, _DEFAULT)
    seen: dict[RelPath, float] = {}
    _add(seen, _imported(snapshot, path, rule))
    if language.id in _SOURCES:
        headers = [(file, weight) for file, weight in seen.items() if weight >= rule.hops[0]]
        _add(seen, _sources(snapshot, headers, _SOURCES[language.id]))
    if language.id == "rust":
        _add(seen, _crate(snapshot, path))
    if rule.folder:
        _add(seen, _package(snapshot, path, language.id, rule.folder))
    seen.pop(path, None)
    if len(seen) > _MOST_FILES:
        return dict(sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:_MOST_FILES])
    return seen


def _add(seen: dict[RelPath, float], found: Iterable[tuple[RelPath, float]]) -> None:
    for file, weight in found:
        seen[file] = max(weight, seen.get(file, 0.0))


def _imported(snapshot: Snapshot, path: RelPath, rule: _Rule) -> Iterator[tuple[RelPath, float]]:
    """What `path` imports, and what that passes on."""
    done = {path}
    level = [path]
    for hop, weight in enumerate(rule.hops):
        reached: list[RelPath] = []
        for file in level:
            facts = snapshot.facts(file)
            for imp in facts.imports if facts is not None else ():
                if hop and not rule.passes_on(imp):
                    continue
                for target in resolve_all(snapshot, file, imp if imp.names else _module(imp)):
                    if target not in done:
                        done.add(target)
                        reached.append(target)
                        yield target, weight
            if len(done) > _MOST_FILES:
                return
        level = reached


def _module(imp: Import) -> Import:
    return Import(imp.module, (), imp.line)


def _package(
    snapshot: Snapshot, path: RelPath, language: str, weight: float
) -> Iterator[tuple[RelPath, float]]:
    """The files beside `path` in its language; a test also sees the package that it tests."""
    folder = posixpath.dirname(path)
    is_test = _TEST_FILE.search(path) is not None
    for other in snapshot.in_folder(folder)[:_MOST_FILES]:
        if is_test or _TEST_FILE.search(other) is None:
            found = snapshot.language(other)
            if found is not None and found.id == language:
                yield other, weight
    if (main := folder.replace("src/test/", "src/main/", 1)) != folder:
        for other in snapshot.in_folder(main)[:_MOST_FILES]:
            yield other, weight * _MAIN_OF_TEST


def _sources(
    snapshot: Snapshot, headers: Iterable[tuple[RelPath, float]], suffixes: tuple[str, ...]
) -> Iterator[tuple[RelPath, float]]:
    """The source file of each header: where what it declares is defined."""
    for header, weight in headers:
        stem = posixpath.splitext(header)[0]
        beside = [RelPath(stem + suffix) for suffix in suffixes]
        found = [file for file in beside if snapshot.has(file)]
        if not found:
            name = posixpath.basename(stem)
            named = [file for suffix in suffixes for file in snapshot.ending_in(name + suffix)]
            found = named if len(named) == 1 else []
        for file in found:
            yield file, weight * _SOURCE_OF_HEADER


def _crate(snapshot: Snapshot, path: RelPath) -> Iterator[tuple[RelPath, float]]:
    """The module above, which `use super::*` means, and the modules of macros that the crate's root has."""
    folder, name = posixpath.split(path)
    above = posixpath.dirname(folder) if name == "mod.rs" else folder
    parents = (f"{above}/mod.rs", f"{above}.rs", f"{above}/lib.rs", f"{above}/main.rs")
    for parent in parents:
        if parent != path and snapshot.has(RelPath(parent)):
            yield RelPath(parent), _PARENT_MODULE
            break
    while folder:
        root = next((f for f in (f"{folder}/lib.rs", f"{folder}/main.rs") if snapshot.has(RelPath(f))), None)
        if root is not None:
            yield from _macros(snapshot, RelPath(root))
            return
        folder = posixpath.dirname(folder)


def _macros(snapshot: Snapshot, root: RelPath) -> Iterator[tuple[RelPath, float]]:
    facts = snapshot.facts(root)
    for imp in facts.imports if facts is not None else ():
        if "macro" in imp.module and not imp.names:
            for file in resolve_all(snapshot, root, imp):
                yield file, _CRATE_MACROS
                inner = snapshot.facts(file)
                for further in inner.imports if inner is not None else ():
                    for other in resolve_all(snapshot, file, _module(further)):
                        yield other, _CRATE_MACROS

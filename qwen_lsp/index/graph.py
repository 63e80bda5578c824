"""Who imports whom."""

from __future__ import annotations

import posixpath

from qwen_lsp.index.codec import import_keys, keys_of, words_in
from qwen_lsp.index.landmarks import packages
from qwen_lsp.index.modules import PLAIN, RESOLVERS, SCRIPTS, go_modules
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import FileFacts, Import
from qwen_lsp.workspace.paths import RelPath

Resolved = dict[tuple[RelPath, Import], list[RelPath]]
"""The files that an import of a file means, in one snapshot."""
_HERE = frozenset({"self", "super", "crate"})


def resolve_import(snapshot: Snapshot, path: RelPath, imp: Import) -> RelPath | None:
    """The file that an import in `path` means, the most specific when several; None when it is outside."""
    found = resolve_all(snapshot, path, imp)
    return found[0] if found else None


def resolve_all(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
    """Every file that an import means: imported submodules first, then the module; a whole package."""
    language = snapshot.language(path)
    if language is None or not imp.module:
        return []
    return [p for p in RESOLVERS.get(language.id, PLAIN)(snapshot, path, imp) if p != path]


def dependencies(snapshot: Snapshot, path: RelPath) -> list[RelPath]:
    """The files that `path` imports, in the order it does."""
    facts = snapshot.facts(path)
    if facts is None:
        return []
    found = (target for imp in facts.imports for target in resolve_all(snapshot, path, imp))
    return list(dict.fromkeys(found))


def dependents(snapshot: Snapshot, path: RelPath, known: Resolved | None = None) -> list[RelPath]:
    """The files that import `path`, sorted. `known` keeps what imports mean, for whoever asks of several."""
    words = _words_of(snapshot, path)
    known = {} if known is None else known

    def meant(other: RelPath, imp: Import) -> list[RelPath]:
        found = known.get((other, imp))
        if found is None:
            found = known[other, imp] = resolve_all(snapshot, other, imp)
        return found

    found: list[RelPath] = []
    for other in snapshot.importing(words):
        facts = snapshot.facts(other) if other != path else None
        if facts is None:
            continue
        likely = (imp for imp in facts.imports if import_keys([imp], facts.language) & words)
        if any(path in meant(other, imp) for imp in likely):
            found.append(other)
    return found


def said_by(facts: FileFacts) -> frozenset[str]:
    """Every word of the imports of a file, and an empty one where an import says no more than where from."""
    words: set[str] = set()
    for imp in facts.imports:
        parts = words_in(imp.module)
        words.update(parts, imp.names)
        if not parts or not _HERE.isdisjoint(parts):
            words.add("")
    return frozenset(words)


def leading_to(snapshot: Snapshot, path: RelPath) -> set[str]:
    """Words of which an import says at least one (`said_by`) if it leads to `path`, or would."""
    return {*words_in(path), *_words_of(snapshot, path)}


def _words_of(snapshot: Snapshot, path: RelPath) -> set[str]:
    """The words that an import of `path` may have been kept under."""
    words = keys_of(path)
    if path.endswith(".go"):
        folder = posixpath.dirname(path)
        words |= {posixpath.basename(module) for where, module in go_modules(snapshot) if where == folder}
    elif path.endswith(SCRIPTS):
        names = [
            name for name, package in packages(snapshot).items() if path.startswith(f"{package.folder}/")
        ]
        words |= import_keys([Import(name, (), 0) for name in names], "typescript")
    return words

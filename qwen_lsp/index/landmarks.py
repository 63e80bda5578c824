"""What resolving one import needs to know of the whole workspace, found once for each manifest.

The packages of a JavaScript monorepo by name, and folders by the last part of their path.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index.manifest import Manifest
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath

_MOST_PACKAGES = 2_000
_ENTRIES = ("source", "types", "typings", "module", "main")
_BUILT = re.compile(
    r"^(?:\./)?(?:dist|build|lib|out|es|esm|cjs)(?:/(?:esm|cjs|es|src|types|modern|legacy))*/"
)
_SUFFIX = re.compile(r"(?:\.d)?\.[cm]?[jt]sx?$")


@dataclass(frozen=True, slots=True)
class Package:
    """A package.json: where it is and which files it calls its entries, as written."""

    folder: str
    entries: tuple[str, ...]


_PARSED: Memory[tuple[str, tuple[str, ...]]] = Memory(2 * _MOST_PACKAGES)
_packages: WeakKeyDictionary[Manifest, Mapping[str, Package]] = WeakKeyDictionary()
_folders: WeakKeyDictionary[Manifest, Mapping[str, tuple[str, ...]]] = WeakKeyDictionary()


def folders_named(snapshot: Snapshot, name: str) -> tuple[str, ...]:
    """The folders on disk whose path ends in this name, sorted."""
    found = _folders.get(snapshot.manifest)
    if found is None:
        by_name: dict[str, list[str]] = {}
        for folder in snapshot.manifest.folders():
            by_name.setdefault(folder[folder.rfind("/") + 1 :], []).append(folder)
        found = {last: tuple(sorted(folders)) for last, folders in by_name.items()}
        _folders[snapshot.manifest] = found
    return found.get(name, ())


def packages(snapshot: Snapshot) -> Mapping[str, Package]:
    """The packages of the workspace by the names that its other packages import them by."""
    found = _packages.get(snapshot.manifest)
    if found is None:
        found = _packages[snapshot.manifest] = _read(snapshot, snapshot.manifest.named("package.json"))
    laid_over = [p for p, b in snapshot.buffers.items() if b.text is not None and p.endswith("package.json")]
    return {**found, **_read(snapshot, laid_over)} if laid_over else found


def _read(snapshot: Snapshot, files: Iterable[RelPath]) -> dict[str, Package]:
    made: dict[str, Package] = {}
    # Nearest to the root first: a copy below, in a test's data, is not meant.
    for file in sorted(files, key=lambda p: (p.count("/"), p))[:_MOST_PACKAGES]:
        name, entries = _parsed(snapshot, file)
        if name:
            made.setdefault(name, Package(posixpath.dirname(file), entries))
    return made


def _parsed(snapshot: Snapshot, file: RelPath) -> tuple[str, tuple[str, ...]]:
    """Name and entries, read once for each content: every save makes another manifest."""
    entry = None if file in snapshot.buffers else snapshot.files.get(file)
    digest = entry.digest if entry is not None else ""
    known = _PARSED.get(digest) if digest else None
    if known is None:
        known = parse_package(text_of(snapshot, file))
        if digest:
            _PARSED.keep(digest, known, 1)
    return known


def parse_package(text: str) -> tuple[str, tuple[str, ...]]:
    """Name and entries of a package.json; nonsense has no name."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return "", ()
    if not isinstance(value, dict):
        return "", ()
    fields = cast("dict[str, object]", value)
    name, exports = fields.get("name"), fields.get("exports")
    main = exports
    if isinstance(exports, dict):
        main = cast("dict[str, object]", exports).get(".")
    entries = [*(fields.get(key) for key in _ENTRIES), *_strings(main, 4)]
    written = dict.fromkeys(entry for entry in entries if isinstance(entry, str) and "*" not in entry)
    return (name if isinstance(name, str) else ""), tuple(written)


def package_targets(snapshot: Snapshot, module: str) -> Iterator[str]:
    """Where a module of another package of the workspace may be, suffixes left open: `@scope/name/part`."""
    parts = module.split("/")
    length = 2 if module.startswith("@") else 1
    package = packages(snapshot).get("/".join(parts[:length]))
    if package is None:
        return
    below = "/".join(parts[length:])
    if below:
        yield from (_below(package, "src", below), _below(package, below))
        return
    for entry in package.entries:
        source = _BUILT.sub("", entry)
        if source != entry:  # what is built lies in no repository; what it is built from does
            yield _below(package, "src", _SUFFIX.sub("", source))
        yield _below(package, entry)
    yield from (_below(package, "src", "index"), _below(package, "index"), _below(package, "lib", "index"))


def _below(package: Package, *parts: str) -> str:
    return posixpath.normpath(posixpath.join(package.folder, *parts))


def _strings(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth:
        for inner in cast("dict[str, object]", value).values():
            yield from _strings(inner, depth - 1)


def text_of(snapshot: Snapshot, path: RelPath) -> str:
    """The text of a file that says where imports lead; empty for what cannot be read."""
    try:
        return snapshot.text(path)
    except WorkspaceError:
        return ""

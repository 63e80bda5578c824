"""From an import to the files it means, one function for each family of languages.

Each takes `(snapshot, path, imp)` and returns files of the workspace, the most specific first; nothing
for what lies outside of it. Names are looked up, never files searched, so a miss is as cheap as a hit.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

from qwen_lsp.index.landmarks import folders_named, package_targets, text_of
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.tsconfig import Aliases, parse_aliases
from qwen_lsp.syntax.facts import Import
from qwen_lsp.workspace.paths import RelPath

Resolver = Callable[[Snapshot, RelPath, Import], list[RelPath]]

SCRIPTS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".json", ".vue", ".svelte")
_STYLE_SUFFIXES = (".css", ".scss", ".sass", ".less")
_ROOTS = ("", "src", "lib", "include", "python", "lua", "app")
_NAMESPACES = (".cs",)
_OUTSIDE = frozenset({"java", "javax", "kotlin", "kotlinx", "scala", "android", "System", "Microsoft"})
_MOST_FILES = 50
# A folder that only a running shell knows, before a path that may be found by its end.
_VARIABLE = re.compile(r"^\"?\$(?:\w+|\{[^}]*\}|\([^)]*\))\"?/")


def python(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
    dots = len(imp.module) - len(imp.module.lstrip("."))
    parts = [part for part in imp.module.split(".") if part]
    if dots:
        folder: str = posixpath.dirname(path)
        for _ in range(dots - 1):
            if not folder:
                return []
            folder = posixpath.dirname(folder)
        bases = [folder]
    else:
        packages = [f for f in _ancestors(path) if not _any(snapshot, _python_files(_join(f, "__init__")))]
        bases = [*packages, *_ROOTS]
    for base in bases:
        module = _join(base, *parts)
        named = [_any(snapshot, _python_files(_join(module, name))) for name in imp.names if name != "*"]
        found = [*named, _any(snapshot, _python_files(module)) if module else None]
        if hits := [hit for hit in found if hit is not None]:
            return _once(hits)
    if dots or len(parts) < 2:
        return []
    return _once(_ending(snapshot, f, path) for f in _python_files("/".join(parts)))


def script(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
    module = imp.module.partition("?")[0]
    if module.startswith("."):
        bases = [_join(posixpath.dirname(path), module)]
    elif module.startswith("/"):
        bases = [module.lstrip("/")]
    else:
        bases = [*_aliased(snapshot, path, module), *package_targets(snapshot, module)]
        if module[:2] in ("@/", "~/"):
            bases += [_join("src", module[2:]), module[2:]]
        bases += [_join(root, module) for root in ("", "src")]
    return _once(_any(snapshot, _script_files(base)) for base in bases)[:1]


def style(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
    base = _join(posixpath.dirname(path), imp.module)
    folder, name = posixpath.split(base)
    bases = (base, _join(folder, f"_{name}"))
    return _once(_any(snapshot, [b, *(b + s for s in _STYLE_SUFFIXES)]) for b in bases)[:1]


def go(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
    for folder, module in go_modules(snapshot):
        if imp.module == module or imp.module.startswith(f"{module}/"):
            package = _join(folder, imp.module[len(module) :].lstrip("/"))
            files = snapshot.in_folder(package)
            return [f for f in files if f.endswith(".go") and not f.endswith("_test.go")][:_MOST_FILES]
    return []


def go_modules(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Folder and module path of each go.mod, longest module path first."""
    found: list[tuple[str, str]] = []
    for file in snapshot.ending_in("go.mod"):
        text = text_of(snapshot, file)
        if match := re.search(r"^\s*module\s+\"?([^\s\"]+)", text, re.MULTILINE):
            found.append((posixpath.dirname(file), match.group(1)))
    return sorted(found, key=lambda item: -len(item[1]))


def rust(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
    folder, name = posixpath.split(path)
    stem = name.removesuffix(".rs")
    own = folder if stem in ("mod", "lib", "main") else _join(folder, stem)
    parts = [part for part in imp.module.split("::") if part]
    head = parts[0] if parts else ""
    if head == "crate":
        bases = [f for f in _ancestors(path) if _any(snapshot, _crate_files(f))][:1]
        parts = parts[1:]
    elif head in ("self", "super"):
        base = own
        for _ in range(parts.count("super")):
            base = posixpath.dirname(base)
        bases, parts = [base], [part for part in parts if part not in ("self", "super")]
    elif found := _rust_module(snapshot, own, parts, imp.names):
        return found
    else:  # another crate of the workspace: its folder bears its name
        crates = (file.split("/") for file in snapshot.ending_in("lib.rs"))
        bases = ["/".join(c[:-1]) for c in crates if c[-3:-2] and c[-3].replace("-", "_") == head]
        parts = parts[1:]
    for base in bases:
        found = _rust_module(snapshot, base, parts, imp.names)
        if found or (found := _once([_any(snapshot, [*_rust_files(base), *_crate_files(base)])])):
            return found
    return []


def _rust_module(snapshot: Snapshot, base: str, parts: list[str], names: Iterable[str]) -> list[RelPath]:
    """The files of the imported names that are modules and of the longest part of the path that is one."""
    found = [_any(snapshot, _rust_files(_join(base, *parts, name))) for name in names if name != "*"]
    modules = (_any(snapshot, _rust_files(_join(base, *parts[:n]))) for n in range(len(parts), 0, -1))
    return _once([*found, next((module for module in modules if module is not None), None)])


def package_path(suffixes: tuple[str, ...], *, prefixed: bool = False) -> Resolver:
    """For languages whose files lie where their package says: `a.b.C` is in `…/a/b/C.java`.

    `prefixed`: the first parts of a package may stand for a folder of another name.
    """

    def resolve(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
        parts = [part for part in re.split(r"[.\\]", imp.module) if part and part not in ("*", "_")]
        if not parts or parts[0] in _OUTSIDE:
            return []
        for start in range(len(parts) + 1 if prefixed else 1):
            rest = parts[start:]
            places = [[*rest, name] for name in imp.names if name != "*"]
            if rest and len(rest) + start > 1:
                # The module itself; or it is a member of the one above, or of that one's companion.
                places += [rest, rest[:-1], *([rest[:-2]] if len(rest) > 2 else [])]
            hits = [_ending(snapshot, "/".join(p) + s, path) for p in places if p for s in suffixes]
            if found := _once(hits) or _package_files(snapshot, rest, suffixes):
                return found
        return []

    return resolve


def included(suffixes: tuple[str, ...], separator: str = "/", index: str = "") -> Resolver:
    """For languages that name a file: beside the importing one, below a usual root, or anywhere."""

    def resolve(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
        module = _VARIABLE.sub("", imp.module.strip("<>\"'"))
        if separator != "/" and "/" not in module and not module.endswith(suffixes or ("\0",)):
            module = module.replace(separator, "/")
        module = module.lstrip("/")
        if not module:
            return []
        endings = ("", *suffixes, *((f"/{index}{s}" for s in suffixes) if index else ()))
        bases = (posixpath.dirname(path), *_ROOTS, *_ancestors(path))
        for base in bases:
            if hit := _any(snapshot, (_join(base, module) + ending for ending in endings)):
                return [hit]
        return _once(_ending(snapshot, module + ending, path) for ending in endings)[:1]

    return resolve


def php(snapshot: Snapshot, path: RelPath, imp: Import) -> list[RelPath]:
    """`use A\\B` names a class by its namespace, `require` a file."""
    return (_PHP_CLASS if "\\" in imp.module else _PHP_FILE)(snapshot, path, imp)


_PHP_CLASS, _PHP_FILE = package_path((".php",), prefixed=True), included((".php",))
_JVM = package_path((".java", ".kt", ".scala", ".kts", ".groovy"))
RESOLVERS: Mapping[str, Resolver] = {
    "python": python,
    "javascript": script,
    "typescript": script,
    "typescriptreact": script,
    "css": style,
    "scss": style,
    "go": go,
    "rust": rust,
    "java": _JVM,
    "kotlin": _JVM,
    "scala": _JVM,
    "csharp": package_path(_NAMESPACES, prefixed=True),
    "php": php,
    "c": included((".h",)),
    "cpp": included((".h", ".hpp", ".hh")),
    "ruby": included((".rb",)),
    "lua": included((".lua",), separator=".", index="init"),
    "shellscript": included((".sh", ".bash")),
}
PLAIN: Resolver = included(())
"""For every other language: a path, as written."""


def _aliased(snapshot: Snapshot, path: RelPath, module: str) -> Iterator[str]:
    """Where the nearest tsconfig.json or jsconfig.json sends a module."""
    for folder in _ancestors(path):
        for name in ("tsconfig.json", "jsconfig.json"):
            file = RelPath(_join(folder, name))
            if snapshot.has(file):
                yield from _aliases(text_of(snapshot, file)).targets(folder, module)
                return


_aliases: Callable[[str], Aliases] = lru_cache(maxsize=64)(parse_aliases)


def _python_files(base: str) -> Iterator[str]:
    yield from (f"{base}.py", f"{base}/__init__.py", f"{base}.pyi", f"{base}/__init__.pyi")


def _script_files(base: str) -> Iterator[str]:
    yield base
    stem, dot, suffix = base.rpartition(".")
    if dot and suffix in ("js", "mjs", "cjs", "jsx"):  # TypeScript names the file that it will become
        yield from (f"{stem}.ts", f"{stem}.tsx", f"{stem}.mts", f"{stem}.d.ts")
    yield from (base + s for s in SCRIPTS)
    yield from (f"{base}/index{s}" for s in SCRIPTS)


def _rust_files(base: str) -> Iterator[str]:
    yield from (f"{base}.rs", f"{base}/mod.rs")


def _crate_files(folder: str) -> Iterator[str]:
    yield from (_join(folder, "lib.rs"), _join(folder, "main.rs"))


def _package_files(snapshot: Snapshot, parts: list[str], suffixes: tuple[str, ...]) -> list[RelPath]:
    """The files of a whole package, by the folder that is named like it."""
    if not parts or (suffixes is not _NAMESPACES and parts[-1][:1].isupper()):
        return []  # a class that is not here
    tail = "/".join(parts)
    added = {posixpath.dirname(p) for p, b in snapshot.buffers.items() if b.text is not None}
    known = {*folders_named(snapshot, parts[-1]), *added}
    folders = sorted(f for f in known if f == tail or f.endswith(f"/{tail}"))
    return [p for f in folders for p in snapshot.in_folder(f) if p.endswith(suffixes)][:_MOST_FILES]


def _ending(snapshot: Snapshot, suffix: str, near: RelPath) -> RelPath | None:
    """The file whose path ends in these parts, the nearest to `near` when there are several."""
    hits = snapshot.ending_in(suffix)
    return min(hits, key=lambda p: (-len(posixpath.commonprefix([p, near])), len(p), p), default=None)


def _any(snapshot: Snapshot, candidates: Iterable[str]) -> RelPath | None:
    return next((RelPath(path) for path in candidates if snapshot.has(RelPath(path))), None)


def _once(paths: Iterable[RelPath | None]) -> list[RelPath]:
    return list(dict.fromkeys(path for path in paths if path is not None))


def _ancestors(path: str) -> list[str]:
    """The folders above a file, nearest first, the root last."""
    folders = [posixpath.dirname(path)]
    while folders[-1]:
        folders.append(posixpath.dirname(folders[-1]))
    return folders


def _join(*parts: str) -> str:
    joined = posixpath.normpath(posixpath.join("", *parts)) if any(parts) else ""
    return "" if joined == "." else joined

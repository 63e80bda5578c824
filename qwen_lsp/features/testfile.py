"""Where the tests of a file belong: the test file it has, else the project's or the language's custom."""

from __future__ import annotations

import posixpath
from collections import Counter

from qwen_lsp.context.place import is_test
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath

_NAMES: dict[str, tuple[str, ...]] = {
    "python": ("test_{}.py", "{}_test.py"),
    "javascript": ("{}.test{ext}", "{}.spec{ext}"),
    "typescript": ("{}.test{ext}", "{}.spec{ext}"),
    "typescriptreact": ("{}.test{ext}", "{}.spec{ext}"),
    "go": ("{}_test.go",),
    "rust": ("{}_test.rs", "{}.rs"),
    "java": ("{}Test.java", "{}Tests.java"),
    "kotlin": ("{}Test.kt",),
    "scala": ("{}Test.scala", "{}Spec.scala"),
    "csharp": ("{}Tests.cs", "{}Test.cs"),
    "ruby": ("{}_spec.rb", "{}_test.rb", "test_{}.rb"),
    "php": ("{}Test.php",),
    "swift": ("{}Tests.swift",),
    "lua": ("{}_spec.lua", "test_{}.lua"),
    "c": ("test_{}.c", "{}_test.c"),
    "cpp": ("{}_test{ext}", "test_{}{ext}"),
}
_BESIDE = frozenset({"go", "javascript", "typescript", "typescriptreact"})


def test_file(snapshot: Snapshot, path: RelPath) -> RelPath:
    """The test file of `path`, whether it exists or not."""
    folder, name = posixpath.split(path)
    stem, ext = posixpath.splitext(name)
    language = snapshot.language(path)
    id = language.id if language is not None else ""
    names = [n.replace("{ext}", ext).replace("{}", stem) for n in _NAMES.get(id, ("test_{}" + ext,))]
    existing = [p for p in snapshot.paths() if posixpath.basename(p) in names and is_test(p) and p != path]
    if existing:
        return min(existing, key=lambda p: (-_shared(folder, posixpath.dirname(p)), p))
    style = _most_used_style(snapshot, path, id, ext)
    name = style.replace("{}", stem) if style else names[0]
    return RelPath(posixpath.join(_folder_for(snapshot, folder, id), name))


def _shared(a: str, b: str) -> int:
    return len(set(a.split("/")) & set(b.split("/")))


def _most_used_style(snapshot: Snapshot, path: RelPath, id: str, ext: str) -> str:
    """The pattern of names that the project's tests of this language follow."""
    patterns = [n.replace("{ext}", ext) for n in _NAMES.get(id, ())]
    counted: Counter[str] = Counter()
    for other in snapshot.paths():
        name = posixpath.basename(other)
        for pattern in patterns:
            before, _, after = pattern.partition("{}")
            marked = before or after != ext
            if marked and name.startswith(before) and name.endswith(after) and is_test(other):
                counted[pattern] += 1
    return counted.most_common(1)[0][0] if counted else ""


def _folder_for(snapshot: Snapshot, folder: str, id: str) -> str:
    """Beside the file, or in the tests' tree with the folders of the source mirrored where it does so."""
    if id in _BESIDE:
        return folder
    if "src/main/" in folder + "/":
        return folder.replace("src/main", "src/test", 1)
    roots = [r for r in ("tests", "test", "spec") if any(p.startswith(r + "/") for p in snapshot.paths())]
    if not roots:
        return "tests"
    parts = folder.split("/")
    if parts and parts[0] in ("src", "lib"):
        parts = parts[1:]
    # tests/core for package/core, where the tests have such a folder already.
    folders = {posixpath.dirname(p) for p in snapshot.paths() if p.startswith(roots[0] + "/")}
    for skip in (0, 1):
        for end in range(len(parts), skip, -1):
            mirrored = posixpath.join(roots[0], *parts[skip:end])
            if mirrored in folders:
                return mirrored
    return roots[0]

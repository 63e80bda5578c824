"""Random trees: the copy is the fork, and after random changes the fork is the copy."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.sandbox.fitting import Working
from qwen_lsp.sandbox.readback import read_back, undo
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import indexed_workspace

NAMES = ("a.py", "b.txt", "c d.md", "ü.txt", "x.json")
FOLDERS = ("", "one", "one/two", "three", "three/four/five")
TEXTS = ("", "x", "first\nsecond\n", "naïve = 'ü'\r\nzwei\r\n", "漢字\n", "no end", "same\n" * 40)
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252")


@dataclass
class Tree:
    """A workspace with random files, its copy, and files beside both that nothing may touch."""

    root: Path
    copy: Path
    outside: Path
    snapshot: Snapshot
    working: Working

    @classmethod
    def made(cls, chance: random.Random, base: Path) -> Tree:
        root, copy, outside = base / "workspace", base / "copy", base / "outside"
        for folder in (root, copy, outside):
            folder.mkdir()
        (outside / "secret.py").write_text("secret\n")
        for path in paths(chance, 8):
            put(root, path, encoded(chance, chance.choice(TEXTS)), chance)
        (root / "data.bin").write_bytes(b"\0\1")
        snapshot = asyncio.run(indexed_workspace("#- top.py\nx = 1\n", root)).snapshot
        return cls(root, copy, outside, snapshot, Working.made(root, copy, lambda path: None, []))

    def state(self, top: Path) -> dict[str, tuple[bytes, bool]]:
        """Every regular file below a folder: its bytes, and whether it may be run."""
        found: dict[str, tuple[bytes, bool]] = {}
        for folder, _, names in os.walk(top):
            for name in names:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    found[path.relative_to(top).as_posix()] = (path.read_bytes(), os.access(path, os.X_OK))
        return found

    def wanted(self, fork: Snapshot) -> dict[str, tuple[bytes, bool]]:
        """What the copy of a fork has to hold, from what landing the fork would write."""
        from qwen_lsp.errors import WorkspaceError
        from qwen_lsp.workspace import disk

        wanted = self.state(self.root)
        for path in {*fork.buffers, *fork.modes}:
            if not fork.has(path) and path in fork.buffers:
                wanted.pop(path, None)
                continue
            try:
                like = disk.read(self.root, path)
            except WorkspaceError:
                like = None
            data = disk.encode(fork.text(path), like) if path in fork.buffers else wanted[path][0]
            wanted[path] = (data, fork.executable(path))
        return wanted


def paths(chance: random.Random, number: int) -> list[RelPath]:
    found = {f"{chance.choice(FOLDERS)}/{chance.choice(NAMES)}".lstrip("/") for _ in range(number)}
    return [RelPath(path) for path in sorted(found)]


def encoded(chance: random.Random, text: str) -> bytes:
    encoding = chance.choice(ENCODINGS)
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode()


def put(top: Path, path: str, data: bytes, chance: random.Random) -> None:
    target = top / path
    for folder in reversed(target.relative_to(top).parents):
        here = top / folder
        if os.path.lexists(here) and (here.is_symlink() or not here.is_dir()):
            here.unlink()
        here.mkdir(exist_ok=True)
    if target.is_symlink() or target.is_fifo():
        target.unlink()
    if target.is_dir():
        return
    target.write_bytes(data)
    target.chmod(chance.choice((0o644, 0o644, 0o755, 0o600)))


def edit(chance: random.Random, fork: Snapshot) -> Snapshot:
    """One random edit of the model's."""
    path = chance.choice(paths(chance, 4))
    kind = chance.randrange(4)
    if kind == 0 and fork.has(path):
        return fork.edited(path, None)
    if kind == 1 and fork.has(path):
        return fork.moded(path, chance.random() < 0.5)
    if any(fork.has(RelPath(path[:i])) for i, c in enumerate(path) if c == "/"):
        return fork
    return fork.edited(path, chance.choice(("", "x\n", "plain\r\ntext", "more\n" * 30)))


def disturb(chance: random.Random, tree: Tree) -> None:
    """One random thing that a command does in the copy."""
    path = tree.copy / chance.choice(paths(chance, 3))
    kind = chance.randrange(7)
    if kind == 0:
        put(tree.copy, path.relative_to(tree.copy).as_posix(), encoded(chance, chance.choice(TEXTS)), chance)
    elif kind == 1 and path.is_file() and not path.is_symlink():
        with path.open("ab") as file:
            file.write(b"appended\n")
    elif kind == 2 and (path.is_file() or path.is_symlink()):
        path.unlink()
    elif kind == 3 and path.is_file() and not path.is_symlink():
        other = tree.copy / f"moved-{chance.randrange(3)}.txt"
        path.rename(other)
    elif kind == 4 and path.parent.is_dir() and not os.path.lexists(path):
        path.symlink_to(chance.choice((tree.outside / "secret.py", tree.root / "top.py", Path("nowhere"))))
    elif kind == 5 and path.parent not in (tree.copy, tree.copy / "one") and path.parent.is_dir():
        if not path.parent.is_symlink():
            path.parent.rename(tree.copy / f"folder-{chance.randrange(1_000_000)}")
            path.parent.symlink_to(tree.outside)
    elif kind == 6 and path.parent.is_dir() and not os.path.lexists(path):
        os.mkfifo(path)


@pytest.mark.parametrize("seed", range(20))
def test_the_copy_is_the_fork_whatever_happened_before(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as base:
        tree = Tree.made(chance, Path(base))
        before = tree.state(tree.root)
        fork = tree.snapshot
        for _ in range(6):
            for _ in range(chance.randrange(6)):
                fork = edit(chance, fork)
            if chance.random() < 0.2:
                fork = tree.snapshot
            tree.working.fit(fork)
            assert tree.state(tree.copy) == tree.wanted(fork)
            for _ in range(chance.randrange(8)):
                disturb(chance, tree)
            undo(tree.working)
        tree.working.fit(fork)

        assert tree.state(tree.copy) == tree.wanted(fork)
        assert tree.state(tree.root) == before
        assert tree.state(tree.outside) == {"secret.py": (b"secret\n", False)}


@pytest.mark.parametrize("seed", range(20))
def test_the_fork_is_the_copy_but_for_what_is_told(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as base:
        tree = Tree.made(chance, Path(base))
        before = tree.state(tree.root)
        fork = tree.snapshot
        for _ in range(5):
            tree.working.fit(fork)
            held = tree.state(tree.copy)
            for _ in range(chance.randrange(1, 10)):
                disturb(chance, tree)
            found = tree.state(tree.copy)
            taken = read_back(tree.working, fork)
            told = {path for path, _ in taken.left_out}
            differing = {path for path in {*held, *found} if held.get(path) != found.get(path)}

            # Whatever a command changed is in the fork as it is in the copy, or it is told.
            assert differing <= {*taken.changed, *told}
            wanted = tree.wanted(taken.fork)
            for path in taken.changed:
                assert wanted.get(path) == found.get(path), path
            # What is told is in the fork as it was before.
            for path in told & {*wanted}:
                assert wanted[path] == tree.wanted(fork)[path], path
            fork = taken.fork

        assert tree.state(tree.root) == before
        assert tree.state(tree.outside) == {"secret.py": (b"secret\n", False)}
        assert not any("secret" in (edit.after or "") for edit in fork.changes_since(tree.snapshot))

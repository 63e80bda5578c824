"""Folders and git repositories for the tests of this package."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files and the folders they need."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def read_tree(root: Path) -> dict[str, bytes]:
    """All files below `root` but git's own, byte for byte."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in _files(root)}


def modes_of(root: Path) -> dict[str, int]:
    """The permission bits of all files below `root`."""
    return {p.relative_to(root).as_posix(): p.stat().st_mode & 0o7777 for p in _files(root)}


def git(folder: Path, *args: str) -> str:
    """Run git with a fixed author and nobody's configuration."""
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main",
         "-c", "protocol.file.allow=always", *args],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
        check=True,
        capture_output=True,
    )  # fmt: skip
    return os.fsdecode(done.stdout)


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        for name in names:
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path

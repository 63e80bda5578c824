"""Our extension as a person gets it: packaged from this tree into a .vsix, and installed from that.

What was built is kept in the cache folder of the editors, by a digest of what it was built from.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.editors.conftest import CACHE, program

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "editors" / "vscode"
MADE = ("node_modules", "dist", "bundled")
"""What is made in the folder of the extension and is no part of its source."""


@functools.cache
def vsix() -> Path:
    """The packaged extension, with the wheel of the server in it. Built when something has changed."""
    kept = _folder()
    file = kept / "qwen-lsp.vsix"
    with (kept.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            dependencies()
            _run([program("npm"), "run", "--silent", "package"], PYTHON=sys.executable)
            shutil.move(SOURCE / "qwen-lsp.vsix", file)
    return file


def dependencies() -> None:
    """Have npm install what the extension is built with, as the lock file names it."""
    installed = SOURCE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (SOURCE / "package-lock.json").stat().st_mtime:
        _run([program("npm"), "ci", "--no-audit", "--no-fund", "--loglevel=error"])
        installed.touch()


@functools.cache
def installed() -> Path:
    """A folder of extensions in which VS Code itself has installed the .vsix."""
    package = vsix()
    folder = package.parent / "extensions"
    with (package.parent.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            data = folder.with_suffix(".data")
            told = ["--user-data-dir", str(data), "--extensions-dir", str(folder)]
            _run([program("code-server"), *told, "--install-extension", str(package)])
            shutil.rmtree(data, ignore_errors=True)
    return folder


def _folder() -> Path:
    """Where the build of the tree as it is now is kept; older ones go."""
    builds = Path(os.environ[CACHE]) / "extension"
    digest = hashlib.sha256()
    for file in sorted(_sources()):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    kept = builds / digest.hexdigest()[:16]
    if not kept.exists():
        kept.mkdir(parents=True)
        older = sorted((f for f in builds.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime)
        for folder in older[:-8]:
            shutil.rmtree(folder, ignore_errors=True)
    return kept


def _sources() -> Iterator[Path]:
    for folder in (SOURCE, ROOT / "qwen_lsp"):
        for file in folder.rglob("*"):
            parts = file.relative_to(folder).parts
            made = parts[0] in MADE or "__pycache__" in parts or file.suffix == ".vsix"
            if file.is_file() and not made:
                yield file
    yield ROOT / "pyproject.toml"


def _run(command: list[str], **environment: str) -> None:
    ended = subprocess.run(
        command, cwd=SOURCE, env=os.environ | environment, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, f"{' '.join(command)}:\n{ended.stdout[-6_000:]}"

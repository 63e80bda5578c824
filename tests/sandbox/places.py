"""A user's disk in small, for the tests of this package: a home with secrets, a workspace, its copy."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from qwen_lsp.sandbox.command import Cage, Command, Exit, Limits, NoSandbox, Sandbox
from qwen_lsp.sandbox.find import find

REQUIRED = "QWEN_LSP_REQUIRE_SANDBOX"
SECRET = "planted-2f9c81d7"
"""Stands in every file of the home that no command may see."""

WORKSPACE = {
    "main.py": "print('hello')\n",
    "pkg/util.py": "A = 1\n",
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/config": "[core]\n\tbare = false\n",
    ".git/hooks/README": "none\n",
    ".git/objects/README": "none\n",
    ".git/refs/README": "none\n",
    ".vscode/settings.json": "{}\n",
    ".github/workflows/ci.yml": "on: push\n",
    ".github/ISSUE.md": "Say what happened.\n",
    ".npmrc": "fund=false\n",
    "node_modules/left/index.js": "module.exports = 1\n",
}
HOME = {
    ".ssh/id_ed25519": f"-----BEGIN KEY----- {SECRET}\n",
    ".aws/credentials": f"aws_secret_access_key = {SECRET}\n",
    ".cargo/credentials.toml": f'token = "{SECRET}"\n',
    ".config/qwen-lsp/config.toml": f'[endpoint]\napi_key = "{SECRET}"\n',
    ".bashrc": f"export TOKEN={SECRET}\n",
    "notes.txt": f"{SECRET}\n",
}


def sandbox(below: Path, *, read_only: tuple[Path, ...] = ()) -> Sandbox:
    """The sandbox of this machine. Skips the test where there is none, unless one is required."""
    found = find(below, read_only=read_only)
    if isinstance(found, NoSandbox):
        told = f"no sandbox here: {found.reason}. {found.advice}"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(told)
        pytest.skip(told)
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """`base` holds everything: `home`, `outside`, the workspace `root` and its copy `scratch`."""

    base: Path
    root: Path
    scratch: Path
    home: Path
    outside: Path
    box: Sandbox
    lent: tuple[str, ...] = (".git", "node_modules")
    """Folders of the workspace that appear as they are, read-only."""

    async def run(
        self,
        line: str,
        *,
        limits: Limits | None = None,
        network: bool = False,
        folder: str = "",
        on_output: Callable[[str], None] = lambda text: None,
    ) -> Exit:
        """One command line in the sandbox, as the user's own run would be."""
        read_only = tuple(self.root / name for name in self.lent)
        cage = Cage(self.root, self.scratch, read_only, network)
        command = Command(line, folder)
        return await self.box.run(cage, command, limits or Limits(seconds=30.0), on_output)

    def untouched(self) -> str:
        """A digest of names, modes, owners and bytes of everything but the scratch copy."""
        told = hashlib.sha256()
        walks = itertools.chain(os.walk(self.base), os.walk(self.home))
        for folder, folders, names in walks:
            folders.sort()
            if Path(folder) == self.scratch.parent and self.scratch.name in folders:
                folders.remove(self.scratch.name)
            for name in sorted([*folders, *names]):
                path = Path(folder, name)
                at = path.lstat()
                told.update(f"{path}\0{at.st_mode}\0{at.st_uid}\0{at.st_nlink}\0".encode())
                if path.is_symlink():
                    told.update(os.fsencode(path.readlink()))
                elif path.is_file():
                    told.update(path.read_bytes())
        return told.hexdigest()

    def in_scratch(self, name: str) -> str | None:
        path = self.scratch / name
        return path.read_text("utf-8") if path.is_file() and not path.is_symlink() else None


def lay(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def place(base: Path, home: Path, *, root: str = "my work/project") -> Place:
    """Lay everything out below `base` and `home`; `root` may be anywhere below the base."""
    lay(home, HOME)
    workspace, scratch, outside = base / root, base / "state/scratch", base / "outside"
    lay(workspace, WORKSPACE)
    lay(outside, {"file.txt": "outside\n", "secret.txt": f"{SECRET}\n"})
    shutil.copytree(workspace, scratch, ignore=shutil.ignore_patterns(".git", "node_modules"))
    return Place(base, workspace, scratch, home, outside, sandbox(workspace))

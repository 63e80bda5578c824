"""Folders that commands may look at where they are: dependencies, virtual environments, repositories.

A workspace may be hostile. What it says of a folder outside is believed only where that folder says the
same of itself, so that no link and no pointer file can lend a folder that merely lies there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.workspace import beneath

DEPENDENCIES = frozenset(
    {
        "node_modules", "bower_components", "jspm_packages", ".venv", "venv", "virtualenv", "site-packages",
        ".tox", ".nox", ".eggs", ".yarn", ".pnpm-store", "vendor", "Pods", ".bundle",
    }
)  # fmt: skip
"""Ignored folders of what was fetched: lent without looking into them."""
MADE_ANEW = frozenset(
    {
        "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "target", "obj",
        ".gradle", ".next", ".nuxt", ".svelte-kit", ".parcel-cache", ".turbo", ".stack-work", "_build",
    }
)  # fmt: skip
"""Folders that their tools must be able to write: left out where they are too heavy to copy."""
_LARGEST = 65_536
_WORK_TREE = re.compile(r"^\s*worktree\s*=\s*\"?([^\"\n]+)", re.MULTILINE)


def is_environment(folder: Path) -> bool:
    """Whether a folder is a virtual environment of Python's."""
    return (folder / "pyvenv.cfg").is_file()


def environment_of(folder: Path) -> list[Path] | None:
    """What a virtual environment needs from outside: itself where `folder` is a link, and its Python.

    None where it is none.
    """
    if not is_environment(folder):
        return None
    try:
        real = folder.resolve(strict=True)
        data, _ = beneath.read_bytes(real, "pyvenv.cfg", _LARGEST)
    except (OSError, WorkspaceError):
        return None
    needed = [real] if folder.is_symlink() else []
    for line in data.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home" and (python := python_around(Path(value.strip()))) is not None:
            needed.append(python)
    return needed


def python_around(programs: Path) -> Path | None:
    """The installation of Python whose programs are in this folder; None where it is none."""
    try:
        # `home` may itself be a folder of links into the installation.
        program = next(p for n in ("python3", "python") if (p := programs / n).exists())
        top = program.resolve(strict=True).parent.parent
    except (OSError, StopIteration, RuntimeError):
        return None
    library = next(top.glob("lib/python3*/os.py"), None)
    return top if library is not None and top not in (Path("/usr"), Path("/")) else None


def repository_of(pointer: Path) -> list[Path] | None:
    """The folders of a linked work tree or submodule, whose `.git` is this file; None where they know nothing
    of it."""
    try:
        data, _ = beneath.read_bytes(pointer.parent, pointer.name, _LARGEST)
        folder = Path(os.path.normpath(pointer.parent / os.fsdecode(data).removeprefix("gitdir:").strip()))
        if not (folder / "gitdir").exists():
            return [folder] if _work_tree(folder) == pointer.parent.resolve() else None
        back, _ = beneath.read_bytes(folder, "gitdir", _LARGEST)
        if Path(os.fsdecode(back).strip()).resolve() != pointer.resolve():
            return None
        common, _ = beneath.read_bytes(folder, "commondir", _LARGEST)
        shared = Path(os.path.normpath(folder / os.fsdecode(common).strip()))
    except (OSError, WorkspaceError, ValueError):
        return None
    if not (shared / "HEAD").is_file() or not folder.is_relative_to(shared):
        return None
    return [shared]


def _work_tree(repository: Path) -> Path | None:
    """Where a repository's own configuration says that its files are, as that of a submodule does."""
    data, _ = beneath.read_bytes(repository, "config", _LARGEST)
    said = _WORK_TREE.findall(os.fsdecode(data))
    return (repository / said[-1].strip()).resolve() if said and (repository / "HEAD").is_file() else None

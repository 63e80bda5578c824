"""What nothing may write in one workspace, besides what `protected` knows by name: found on its disk once."""

from __future__ import annotations

import os
import re
from pathlib import Path

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.workspace import beneath
from qwen_lsp.workspace.paths import RelPath, rel_path, user_folder, within

_LARGEST = 1024 * 1024
_HOOKS = re.compile(r"^\s*hooksPath\s*=\s*\"?([^\"\n#;]+)", re.IGNORECASE | re.MULTILINE)
_OWN = (
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_STATE_HOME", ".local/state"),
    ("XDG_CACHE_HOME", ".cache"),
)


def guarded(root: Path) -> tuple[RelPath, ...]:
    """Folders of this workspace that nothing may write.

    They are where a `.git` file says that the repository is, where git takes its hooks from, and this
    program's own folders in a workspace that holds them.
    """
    repository = _repository(root)
    found = [repository, *(_hooks(root, config) for config in _configurations(root, repository))]
    if repository is not None and repository.parent.name == "worktrees":
        found.append(repository.parent.parent)  # what all worktrees of the repository share
    found += [user_folder(variable, fallback) for variable, fallback in _OWN]
    inside = (_inside(root, path) for path in found if path is not None)
    return tuple(sorted({path for path in inside if path is not None}))


def _repository(root: Path) -> Path | None:
    """Where a `.git` file points, as worktrees and submodules have it."""
    said = _read(root, ".git").strip()
    return root / said.removeprefix("gitdir:").strip() if said.startswith("gitdir:") else None


def _configurations(root: Path, repository: Path | None) -> list[str]:
    texts = [_read(root, ".git/config")]
    if repository is not None:
        # A worktree's own folder stands below the repository's, which has the configuration.
        for folder in (repository, *repository.parents[:2]):
            inside = _inside(root, folder)
            texts.append(_read(root, f"{inside}/config") if inside else _outside(folder / "config"))
    return texts


def _hooks(root: Path, config: str) -> Path | None:
    found = _HOOKS.findall(config)
    return root / Path(found[-1].strip()).expanduser() if found else None


def _inside(root: Path, path: Path) -> RelPath | None:
    return within(root, Path(os.path.normpath(path))) or within(
        Path(os.path.realpath(root)), Path(os.path.realpath(path))
    )


def _read(root: Path, name: str) -> str:
    try:
        return beneath.read_bytes(root, rel_path(name), _LARGEST)[0].decode("utf-8", "replace")
    except (WorkspaceError, OSError):
        return ""


def _outside(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""

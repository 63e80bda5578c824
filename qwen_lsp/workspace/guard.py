"""What nothing may write in one workspace, besides what `protected` knows by name: found on its disk once."""

from __future__ import annotations

import os
from pathlib import Path

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.workspace import beneath, git
from qwen_lsp.workspace.paths import RelPath, rel_path, user_folder, within

_LARGEST = 1024 * 1024
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
    found = [repository, git.hooks_folder(root)]
    if repository is not None and repository.parent.name == "worktrees":
        found.append(repository.parent.parent)  # what all worktrees of the repository share
    inside = (_inside(root, path) for path in found if path is not None)
    return tuple(sorted({*own_folders(root), *(path for path in inside if path is not None)}))


def own_folders(root: Path) -> tuple[RelPath, ...]:
    """Folders of this workspace that are this program's own: settings with keys, records, scratch copies."""
    inside = (_inside(root, user_folder(variable, fallback)) for variable, fallback in _OWN)
    return tuple(path for path in inside if path is not None)


def _repository(root: Path) -> Path | None:
    """Where a `.git` file points, as worktrees and submodules have it."""
    said = _read(root, ".git").strip()
    return root / said.removeprefix("gitdir:").strip() if said.startswith("gitdir:") else None


def _inside(root: Path, path: Path) -> RelPath | None:
    return within(root, Path(os.path.normpath(path))) or within(
        Path(os.path.realpath(root)), Path(os.path.realpath(path))
    )


def _read(root: Path, name: str) -> str:
    try:
        return beneath.read_bytes(root, rel_path(name), _LARGEST)[0].decode("utf-8", "replace")
    except (WorkspaceError, OSError):
        return ""

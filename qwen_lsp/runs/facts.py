"""How things stand when a run begins: what changes from run to run, for the very end of its first message."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from qwen_lsp.text.unseen import spelled
from qwen_lsp.workspace import git
from qwen_lsp.workspace.paths import RelPath

_SECONDS = 2.0
_FILES = 20


def facts(root: Path, open_files: Sequence[RelPath], more: Sequence[str] = ()) -> list[str]:
    """Sentences for the model: the date, git's state, the open files, and `more`. Asks git: for a thread."""
    told = [f"The date is {datetime.now().astimezone():%A, %Y-%m-%d}."]
    told += _git(root)
    if open_files:
        told.append(f"Open in the editor, the latest first: {_listed(open_files)}.")
    return [*told, *more]


def _git(root: Path) -> list[str]:
    printed = git.run(
        root,
        ["status", "--porcelain=v1", "--branch", "--no-renames", "--ignore-submodules=all", "--", "."],
        seconds=_SECONDS,
    )
    if printed is None:
        return []
    lines = os.fsdecode(printed).splitlines()
    head = [line[3:] for line in lines if line.startswith("## ")]
    changed = [line for line in lines if not line.startswith("## ")]
    told = [f"git branch: {spelled(line)}." for line in head]
    state = "no changes since the last commit"
    if changed:
        more = f", and {len(changed) - _FILES} more" if len(changed) > _FILES else ""
        state = "; ".join(spelled(line.strip()) for line in changed[:_FILES]) + more
    return [*told, f"git status before this run: {state}."]


def _listed(paths: Sequence[RelPath]) -> str:
    return ", ".join(spelled(path) for path in paths[:_FILES])

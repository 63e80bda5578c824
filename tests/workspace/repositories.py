"""Git repositories for tests: what a user has, and what somebody else may have prepared."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(folder: Path, *args: str, text: str | None = None) -> str:
    """Run git as a user does; what it prints."""
    done = subprocess.run(
        ["git", *args], cwd=folder, check=True, capture_output=True, text=True, input=text, encoding="utf-8"
    )
    return done.stdout.rstrip("\n")


def repository(root: Path, files: dict[str, str], *, branch: str = "work") -> Path:
    """A repository in which these files are committed."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "-b", branch)
    write(root, files)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Begin")
    return root


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8", newline="")


def bare(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--bare", "-b", "work")
    return folder


def user(home: Path, more: str = "") -> None:
    """The user's global configuration."""
    (home / ".gitconfig").write_text(
        f"[user]\n\tname = Ada\n\temail = ada@example.org\n{more}", encoding="utf-8"
    )

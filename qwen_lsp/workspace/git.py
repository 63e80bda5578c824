"""git, asked for names only, with everything switched off by which a repository can run a program.

A repository's own configuration may name commands (hooks, fsmonitor, pagers, protocols). None of them
may run because somebody looked at a folder.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_HARDENING = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.pager=cat",
    "-c", "protocol.ext.allow=never",
    # A folder that looks like a bare repository is content of the workspace, with a configuration of its own.
    "-c", "safe.bareRepository=explicit",
)  # fmt: skip
_SECONDS = 60.0
"""After this git is given up: an ignore file can be a FIFO, a disk can hang."""
_SHORT_SECONDS = 5.0


def run(
    folder: Path, args: Sequence[str], *, seconds: float = _SECONDS, fine: Sequence[int] = (0,)
) -> bytes | None:
    """What git prints, or None where there is no git, no repository, or git refuses (unsafe owner).

    `fine` are the exit codes of success.
    """
    program = executable()
    # A git that lies in the folder to be looked at is part of what is not trusted.
    if program is None or program.is_relative_to(folder):
        return None
    command = [str(program), *_HARDENING, "-c", f"core.excludesFile={global_excludes()}", *args]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=own_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode in fine else None


def executable() -> Path | None:
    """The git program, by an absolute path."""
    found = shutil.which("git")
    return Path(found).resolve() if found and Path(found).is_absolute() else None


def recently_changed(folder: Path, commits: int) -> list[str]:
    """Files below `folder` that the last commits changed, the latest first; none where git cannot tell.

    Commits that brought everything, as a first one does, say nothing about what is worked on.
    """
    printed = run(
        folder,
        [
            "-c", "log.showRoot=false", "-c", "log.showSignature=false",
            "log", f"--max-count={commits}", "--first-parent", "--diff-merges=off", "--name-only",
            "--relative", "--no-renames", "--no-ext-diff", "--no-textconv", "--pretty=format:", "-z",
        ],
        seconds=_SHORT_SECONDS,
    )  # fmt: skip
    if printed is None:
        return []
    return list(dict.fromkeys(filter(None, os.fsdecode(printed).replace("\n", "\0").split("\0"))))


def holding(folder: Path, word: str, *, seconds: float = _SECONDS) -> list[str] | None:
    """Files below `folder` with a word in them, tracked or new; None where git cannot tell in time."""
    if repository(folder) is None:
        return None
    # Without a result git ends with 1, as it does for no other reason.
    printed = run(
        folder,
        [
            "-c", "grep.threads=2", "-c", "submodule.recurse=false",
            "grep", "-lzIwF", "--untracked", "--no-textconv", "-e", word,
        ],
        seconds=seconds, fine=(0, 1),
    )  # fmt: skip
    return None if printed is None else list(filter(None, os.fsdecode(printed).split("\0")))


def repository(folder: Path) -> Path | None:
    """The nearest folder, from `folder` upwards, that holds a `.git`."""
    return next((candidate for candidate in (folder, *folder.parents) if is_repository(candidate)), None)


def is_repository(folder: Path) -> bool:
    """Whether a repository, a linked work tree or a submodule begins here."""
    mark = folder / ".git"
    return mark.is_file() or (mark / "HEAD").is_file()


def branch(folder: Path) -> str:
    """The branch that is checked out around `folder`; empty for none, and where HEAD names no branch.

    Read, not asked: it is one line of one file.
    """
    top = repository(folder)
    if top is None:
        return ""
    git_dir = top / ".git"
    try:
        if git_dir.is_file():
            pointer = git_dir.read_text(encoding="utf-8", errors="surrogateescape")[:4096]
            git_dir = top / pointer.removeprefix("gitdir:").strip()
        head = (git_dir / "HEAD").read_text(encoding="utf-8", errors="replace")[:4096].strip()
    except (OSError, ValueError):
        return ""
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""


def info_exclude(top: Path) -> Path:
    """`info/exclude` of the repository at `top`, which may be a linked work tree or a submodule."""
    git_dir = top / ".git"
    try:
        if git_dir.is_file():
            pointer = git_dir.read_text(encoding="utf-8", errors="surrogateescape")[:4096]
            git_dir = top / pointer.removeprefix("gitdir:").strip()
            common = git_dir / "commondir"
            if common.is_file():
                git_dir /= common.read_text(encoding="utf-8", errors="surrogateescape")[:4096].strip()
    except (OSError, ValueError):
        return top / ".git" / "info" / "exclude"
    return git_dir / "info" / "exclude"


def global_excludes() -> Path:
    """The user's own ignore file: `core.excludesFile` of the user's configuration, or git's default."""
    return _global_excludes(os.environ.get("HOME", ""), os.environ.get("XDG_CONFIG_HOME", ""))


def forget_user() -> None:
    """Ask again where the user's ignore file is, the next time it is needed."""
    _global_excludes.cache_clear()


@functools.lru_cache(maxsize=8)
def _global_excludes(home: str, config_home: str) -> Path:
    config = Path(config_home) if config_home else Path(home or os.devnull) / ".config"
    # Asked with the user's own configuration, and outside any repository.
    if (home and (Path(home) / ".gitconfig").is_file()) or (config / "git" / "config").is_file():
        named = _path_setting(Path("/"), ("--global",), "core.excludesFile")
        if named is not None:
            return named
    return config / "git" / "ignore"


def hooks_folder(folder: Path) -> Path | None:
    """Where a setting tells git to take the hooks of the repository around `folder` from; None for none.

    The user's own configuration counts as well, and what any of it includes.
    """
    top = repository(folder)
    named = _path_setting(folder, (), "core.hooksPath") if top is not None else None
    return top / named if top is not None and named is not None else None


def _path_setting(folder: Path, where: Sequence[str], key: str) -> Path | None:
    """A path that git's configuration names, the user's own included; None where it names none."""
    program = executable()
    if program is None or (program.is_relative_to(folder) and folder != Path("/")):
        return None
    own = {name: os.environ[name] for name in ("HOME", "XDG_CONFIG_HOME") if name in os.environ}
    environment = {**own_environment(), **own}
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        environment.pop(name)
    try:
        done = subprocess.run(
            [str(program), "config", *where, "--type=path", "--get", key], cwd=folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=_SHORT_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    path = os.fsdecode(done.stdout).rstrip("\n")
    return Path(path) if done.returncode == 0 and path else None


def own_environment() -> dict[str, str]:
    """The environment of a git that knows no configuration but the repository's, and reaches nothing."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",  # nothing is ever fetched: that can run a program of the repository's
    }

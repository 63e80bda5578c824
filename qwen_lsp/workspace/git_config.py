"""What a repository's own configuration may say before git is run with the user's rights in it.

The user's global configuration is the user's. A repository's may have come with it from anywhere, and git
runs programs that it names (filters, helpers, signers, transports) and goes where it points. So only keys
known to do neither are accepted; with any other one, git is left to the user.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.errors import UserError
from qwen_lsp.text.words import listed
from qwen_lsp.workspace import git

_LARGEST = 1 << 20
_LISTED = 6

_HARMLESS: dict[str, str] = {
    "core": "repositoryformatversion filemode logallrefupdates ignorecase precomposeunicode symlinks "
    "autocrlf eol safecrlf excludesfile longpaths quotepath abbrev compression bigfilethreshold "
    "preloadindex untrackedcache commitgraph whitespace trustctime checkstat protectntfs protecthfs "
    "sharedrepository createobject splitindex multipackindex fscache commentchar sparsecheckout "
    "sparsecheckoutcone hidedotfiles "
    # Of no effect here, since each is set otherwise for every call.
    "hookspath fsmonitor pager editor",
    "remote": "url pushurl fetch tagopt prune prunetags skipdefaultupdate skipfetchall gh-resolved "
    "pushdefault promisor partialclonefilter followremotehead",
    "user": "name email useconfigonly signingkey",
    "author": "name email",
    "committer": "name email",
    "extensions": "worktreeconfig objectformat partialclone noop preciousobjects",
    "gpg": "format",
    "commit": "gpgsign verbose status cleanup template",
    "tag": "gpgsign sort forcesignannotated",
    "push": "default autosetupremote followtags",
    "fetch": "prune prunetags parallel writecommitgraph recursesubmodules",
    "pull": "rebase ff twohead",
    "merge": "ff conflictstyle renames renamelimit directoryrenames stat log autostash",
    "rebase": "autosquash autostash stat updaterefs",
    "diff": "algorithm renames renamelimit colormoved colormovedws mnemonicprefix noprefix indentheuristic "
    "submodule context interhunkcontext",
    "submodule": "url active branch ignore shallow fetchrecursesubmodules recurse",
    "lfs": "repositoryformatversion access locksverify fetchrecentrefsdays",
    "pack": "threads windowmemory packsizelimit",
    "gc": "auto autodetach autopacklimit pruneexpire",
    "index": "version threads sparse skiphash",
    "init": "defaultbranch",
    "sequence": "editor",
    "log": "date decorate follow showroot",
    "status": "showuntrackedfiles short branch submodulesummary",
    "i18n": "commitencoding logoutputencoding",
    "maintenance": "auto strategy",
    "rerere": "enabled autoupdate",
}
"""Names by section; a subsection, such as the name of a remote, may stand between the two."""
_ANY_NAME = frozenset({"branch", "color", "advice", "column", "gui", "feature", "alias", "gitg", "magit"})
"""Sections of which nothing runs a program or leads elsewhere in a commit or a push."""
_LFS = {
    "filter.lfs.clean": "git-lfs clean -- %f",
    "filter.lfs.smudge": "git-lfs smudge -- %f",
    "filter.lfs.process": "git-lfs filter-process",
    "filter.lfs.required": "true",
}
"""What `git lfs install --local` writes, and nothing else: the program is the user's."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository whose own configuration was looked through."""

    top: Path
    git_dir: Path
    common_dir: Path
    """The same, but of a linked work tree: that of the repository it belongs to."""
    settings: dict[str, list[str]]
    """Its own configuration: values by key, the section and the name in lower case."""

    def setting(self, key: str) -> str | None:
        values = self.settings.get(key)
        return values[-1] if values else None

    def hooks(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of these hooks that the repository has; none of them is ever run from here."""
        own = self.setting("core.hookspath")
        folder = self.common_dir / "hooks" if own is None else self.top / Path(own).expanduser()
        return tuple(name for name in names if os.access(folder / name, os.X_OK))


def repository(root: Path) -> Repository:
    """The repository around `root`. Raises UserError for none, and naming the keys that are not accepted."""
    top = git.repository(root)
    if top is None:
        raise UserError(f"{root} is in no git repository")
    git_dir, common_dir = _folders(top)
    settings: dict[str, list[str]] = {}
    refused: list[str] = []
    for file in (common_dir / "config", git_dir / "config.worktree"):
        for key, value in _listed(file):
            settings.setdefault(key, []).append(value)
            if not _accepted(key, value) and key not in refused:
                refused.append(key)
    if refused:
        raise UserError(
            f"The repository's own configuration sets {listed(refused, _LISTED)}, by which git "
            "could run a program or go elsewhere. So git is not run here; do it by hand, or move the setting "
            "to your global configuration."
        )
    return Repository(top, git_dir, common_dir, settings)


def _accepted(key: str, value: str) -> bool:
    section, _, rest = key.partition(".")
    name = rest.rpartition(".")[2]
    if key in _LFS:
        return value == _LFS[key]
    if key == "core.bare":
        return value.lower() in ("false", "no", "off", "0")
    return section in _ANY_NAME or name in _HARMLESS.get(section, "").split()


def _folders(top: Path) -> tuple[Path, Path]:
    git_dir = top / ".git"
    try:
        if git_dir.is_file():
            git_dir = top / git_dir.read_text(encoding="utf-8")[:4096].removeprefix("gitdir:").strip()
        common = git_dir / "commondir"
        if common.is_file():
            return git_dir, git_dir / common.read_text(encoding="utf-8")[:4096].strip()
    except (OSError, ValueError):
        raise UserError(f"the repository at {top} cannot be read") from None
    return git_dir, git_dir


def _listed(file: Path) -> Iterator[tuple[str, str]]:
    """Keys and values of one file, as git itself reads them; nothing that it includes."""
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UserError(f"{file} is no regular file")
        data = opened.read(_LARGEST + 1)
    program = git.executable()
    if program is None or len(data) > _LARGEST:
        raise UserError("git is not installed" if program is None else f"{file} is too large")
    command = [str(program), "config", "--file", "-", "--no-includes", "--null", "--list"]
    try:
        done = subprocess.run(
            command, cwd=file.anchor or os.sep, env=git.own_environment(), input=data,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        raise UserError("git cannot be run") from None
    if done.returncode != 0:
        raise UserError(f"{file} is not understood by git")
    for entry in done.stdout.decode("utf-8", "replace").split("\0"):
        if entry:
            key, _, value = entry.partition("\n")
            yield key, value

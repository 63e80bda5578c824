"""A push of the branch that is checked out, to where it belongs, and never by force."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from qwen_lsp.errors import UserError
from qwen_lsp.workspace import git, user_git
from qwen_lsp.workspace.git_config import Repository

_SECONDS = 300.0
_LISTED = 50
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_REMOTE_SCHEMES = frozenset({"https", "http", "ssh", "git+ssh", "ssh+git"})
_PROTECTED = re.compile(
    r"(?:main|master|trunk|develop|development|production|prod|stable|release.*)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Push:
    """A push that could be made, and what a person should know before."""

    root: Path
    remote: str
    urls: tuple[str, ...]
    """Where it would go; without passwords."""
    branch: str
    head: str
    """The commit that would be pushed."""
    target: str
    """The branch over there."""
    commits: tuple[str, ...]
    """Id and subject of each commit that would be pushed, the latest first; at most 50."""
    new: bool
    """Whether the branch is not known to be over there."""
    protected: bool
    """Whether the branch over there has a name that many people share."""
    hooks: tuple[str, ...]
    """Hooks that the repository has, and that would not run."""


async def look(root: Path, remote: str | None = None, branch: str | None = None) -> Push:
    """The push of the branch checked out, to its upstream or where it is said; reaches no network.

    Raises UserError where there is none to be made: no repository, one whose configuration is not accepted,
    a detached HEAD, no upstream, a remote that is no other place, or nothing to push.
    """
    repo = await user_git.repository(root)
    own = git.branch(repo.top)
    if not own:
        raise UserError("HEAD is detached, so there is no branch to push; switch to a branch first.")
    remote, branch = _target(repo, own, remote, branch)
    if not repo.setting(f"remote.{remote}.url"):
        raise UserError(f"There is no remote {remote!r}; add one with `git remote add`.")
    well_formed = await user_git.run(root, ["check-ref-format", f"refs/heads/{branch}"], fine=(0, 1))
    if well_formed.status:
        raise UserError(f"{branch!r} is not the name of a branch.")
    urls = await _urls(repo, remote)
    head = (await user_git.run(root, ["rev-parse", "--verify", "--quiet", "HEAD"], fine=(0, 1))).text
    known = f"refs/remotes/{remote}/{branch}"
    there = (await user_git.run(root, ["rev-parse", "--verify", "--quiet", known], fine=(0, 1))).text
    beside = [there] if there else [f"--remotes={remote}"]
    listed = ["log", f"--max-count={_LISTED}", "--format=%h %s", head, "--not", *beside]
    commits = (await user_git.run(root, listed)).text.split("\n") if head else []
    commits = [user_git.printable(line) for line in commits if line]
    if not head or (there and not commits):
        raise UserError(f"There is nothing to push: {remote}/{branch} has all of {own}.")
    return Push(
        root, remote, urls, own, head, branch, tuple(commits), not there,
        _PROTECTED.fullmatch(branch) is not None, repo.hooks(("pre-push",)),
    )  # fmt: skip


async def push(proposed: Push, *, protected: bool = False) -> str:
    """Make the push; for who has a person's yes to exactly this one. What the remote said of it.

    `protected`: the user agreed though many share that branch. Raises UserError where they did not, where
    the branch is no longer what was looked at, and with the reason for which the remote refused.
    """
    if proposed.protected and not protected:
        raise UserError(
            f"{proposed.target} is a branch that many people share; nothing was pushed. Push to a branch of "
            "your own, or agree to this one."
        )
    now = await look(proposed.root, proposed.remote, proposed.target)
    if (now.branch, now.head, now.urls) != (proposed.branch, proposed.head, proposed.urls):
        raise UserError("The branch or the remote changed since you were asked; nothing was pushed.")
    args = [
        "push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
        "--", now.remote, f"{now.head}:refs/heads/{now.target}",
    ]  # fmt: skip
    done = await user_git.run(now.root, args, seconds=_SECONDS, fine=range(256))
    rows = [line.split("\t") for line in done.out.decode("utf-8", "replace").split("\n") if "\t" in line]
    for row in rows:
        if row[0] == "!":
            raise UserError(_refusal(row[-1], now, done.said))
    if done.status:
        raise UserError(f"git push failed: {done.said or f'status {done.status}'}")
    return user_git.plain(rows[0][-1].encode()) if rows else ""


def _target(repo: Repository, own: str, remote: str | None, branch: str | None) -> tuple[str, str]:
    if remote is not None:
        return remote, branch or own
    upstream = repo.setting(f"branch.{own}.remote")
    merge = repo.setting(f"branch.{own}.merge") or ""
    if not upstream or not merge.startswith("refs/heads/"):
        raise UserError(f"The branch {own} has no upstream: say which remote it is to be pushed to.")
    if upstream == ".":
        raise UserError(f"The upstream of {own} is a branch of this same repository; nothing to push.")
    return upstream, branch or merge.removeprefix("refs/heads/")


async def _urls(repo: Repository, remote: str) -> tuple[str, ...]:
    """Where git would push to. Raises UserError for what is no other machine and no other folder."""
    got = await user_git.run(repo.top, ["remote", "get-url", "--push", "--all", "--", remote])
    urls = tuple(line for line in got.text.split("\n") if line)
    for url in urls:
        if reason := await asyncio.to_thread(_unfit, url, repo):
            raise UserError(f"{user_git.without_password(url)} is not pushed to: {reason}.")
    return tuple(user_git.without_password(url) for url in urls)


def _unfit(url: str, repo: Repository) -> str:
    """Why a URL is not pushed to; empty for one that is."""
    if _HELPER.match(url):
        return "it names a program that git would run"
    scheme = _SCHEME.match(url)
    if scheme is None and ":" in url.partition("/")[0] and not (os.name == "nt" and url[1:2] == ":"):
        host = url.partition(":")[0].rpartition("@")[2]
        return "its host is none" if host.startswith("-") or not host else ""
    if scheme is not None and (name := scheme[1].lower()) != "file":
        if name not in _REMOTE_SCHEMES:
            return f"{name} is none of https, ssh and file"
        host = urlsplit(url).netloc.rpartition("@")[2]
        return "its host is none" if host.startswith("-") or not host else ""
    path = repo.top / (unquote(urlsplit(url).path) if scheme is not None else url)
    try:
        real, top = path.resolve(strict=True), repo.top.resolve(strict=True)
    except (OSError, RuntimeError):
        return "there is no such folder"
    if real.is_relative_to(top) or top.is_relative_to(real):
        # Git would run the hooks of a repository that came with the workspace.
        return "it lies in the workspace itself"
    return ""


def _refusal(said: str, push: Push, more: str) -> str:
    where = f"{push.remote}/{push.target}"
    if "fetch first" in said or "non-fast-forward" in said:
        return f"{where} has commits that {push.branch} has not; nothing was pushed. Pull first."
    told = "; ".join(filter(None, (user_git.plain(said.encode()), more)))
    return f"{where} refused the push: {told}"

"""A commit of what has landed and of nothing else: the user's own changes stay as they were, also staged."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.errors import FileUnreadable, UserError, WorkspaceError
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import disk, git, user_git
from qwen_lsp.workspace.git_config import Repository
from qwen_lsp.workspace.paths import RelPath

_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit")
_UNDER_WAY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}
_SECONDS = 180.0
"""A commit may wait for somebody who unlocks a key."""
_AT_ONCE = 500
_FROM_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")
_EXECUTABLE, _PLAIN = "100755", "100644"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that could be made: what it would hold, and what a person should know before."""

    root: Path
    branch: str
    head: str
    """The commit it would follow; empty for the first one."""
    paths: tuple[RelPath, ...]
    """The files it would hold."""
    left_out: tuple[tuple[RelPath, str], ...] = ()
    """Landed files it would not hold, each with the reason."""
    mixed: tuple[RelPath, ...] = ()
    """Files of it that also hold changes of the user's own: made before or since, or staged."""
    hooks: tuple[str, ...] = ()
    """Hooks that the repository has, and that would not run."""
    contents: tuple[str, ...] = field(default=(), repr=False)
    """What each of `paths` holds, so that nothing else is committed than what was looked at."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made."""

    id: str
    subject: str
    paths: tuple[RelPath, ...]
    hooks: tuple[str, ...]
    """Hooks that did not run; `git commit --amend --no-edit` runs them."""


async def look(root: Path, edits: Sequence[FileEdit]) -> Commit:
    """The commit that could be made of landed edits; writes nothing.

    Raises UserError where none can be made: no repository, one whose configuration is not accepted, a
    detached HEAD, a merge or conflicts under way, or nothing that is not committed already.
    """
    repo = await user_git.repository(root)
    branch = _branch(repo)
    if (await user_git.run(root, ["ls-files", "-z", "--unmerged"])).out:
        raise UserError("There are files with unresolved conflicts; resolve them first.")
    head = (await user_git.run(root, ["rev-parse", "--verify", "--quiet", "HEAD"], fine=(0, 1))).text
    before = _before(edits)
    left_out = {path: "belongs to another repository" for path in before if _nested(repo, root, path)}
    paths = [path for path in before if path not in left_out]
    ignored = await _printed(root, ["ls-files", "-z", "--others", "--ignored", "--exclude-standard"], paths)
    left_out |= {RelPath(os.fsdecode(name)): "is ignored by git" for name in ignored}
    paths = [path for path in paths if path not in left_out]
    states = await _states(root, paths)
    left_out |= {path: "is as in the last commit" for path in paths if path not in states}
    paths = [path for path in paths if path not in left_out]
    if not paths:
        told = "; ".join(f"{path} {reason}" for path, reason in sorted(left_out.items()))
        raise UserError(f"There is nothing to commit: {told or 'nothing has landed'}.")
    contents = [await _content(root, path) for path in paths]
    after = {RelPath(edit.path): edit.after for edit in edits}
    mixed = [
        path
        for path in paths
        if await _has_own(root, head, path, before[path], after.get(path), states[path])
    ]
    hooks = repo.hooks(_HOOKS)
    return Commit(
        root,
        branch,
        head,
        tuple(paths),
        tuple(sorted(left_out.items())),
        tuple(mixed),
        hooks,
        tuple(contents),
    )


async def commit(proposed: Commit, message: str, *, with_own: bool = False) -> Committed:
    """Make the commit; for who has a person's yes to exactly this one.

    `with_own`: the user agreed that their own changes in `mixed` files go with it. Raises UserError where
    they did not, where files or HEAD are no longer what was looked at, and with what git says.
    """
    root, paths = proposed.root, proposed.paths
    if proposed.mixed and not with_own:
        raise UserError(
            f"{', '.join(proposed.mixed)}: also changed by you, not by this run alone. Nothing was "
            "committed; agree to commit your changes too, or commit by hand."
        )
    message = message.replace("\0", "").strip()
    if not message:
        raise UserError("A commit needs a message.")
    repo = await user_git.repository(root)
    now = (await user_git.run(root, ["rev-parse", "--verify", "--quiet", "HEAD"], fine=(0, 1))).text
    same = [await _content(root, path) for path in paths] == list(proposed.contents)
    if not same or (_branch(repo), now) != (proposed.branch, proposed.head):
        raise UserError("The repository or the files changed since you were asked; nothing was committed.")
    states = await _states(root, paths)
    new = [path for path in paths if states.get(path) == "??"]
    try:
        if new:
            await _told(root, ["add", "--intent-to-add", *_FROM_STDIN], new)
        await _told(
            root,
            ["commit", "--only", "--quiet", "--no-verify", "--no-status", "--cleanup=whitespace",
             f"--message={message}", *_FROM_STDIN],
            paths, _SECONDS,
        )  # fmt: skip
    except BaseException as error:
        if new:
            await asyncio.shield(_told(root, ["update-index", "--force-remove", "-z", "--stdin"], new))
        if isinstance(error, UserError) and "tell me who you are" in str(error):
            raise UserError(
                "git does not know who you are: set `git config --global user.name` and `user.email`."
            ) from None
        raise
    made = await user_git.run(root, ["log", "--max-count=1", "--format=%h %s"])
    short, _, subject = made.text.partition(" ")
    return Committed(short, user_git.printable(subject), paths, proposed.hooks)


async def subjects(root: Path, most: int = 10) -> list[str]:
    """The subjects of the latest commits, the latest first; none where git cannot tell."""
    printed = await asyncio.to_thread(
        git.run, root, ["log", f"--max-count={most}", "--no-merges", "--format=%s", "--no-show-signature"]
    )
    return [line for line in (printed or b"").decode("utf-8", "replace").split("\n") if line.strip()]


def _branch(repo: Repository) -> str:
    """The branch that a commit would go to. Raises UserError where there is none to be had now."""
    for name, what in _UNDER_WAY.items():
        if (repo.git_dir / name).exists():
            raise UserError(f"There is {what} under way; finish it first.")
    branch = git.branch(repo.top)
    if not branch:
        raise UserError("HEAD is detached, so a commit would be on no branch; switch to a branch first.")
    return branch


def _before(edits: Iterable[FileEdit]) -> dict[RelPath, str | None]:
    """What each file held before the edits; None where it was not there."""
    before: dict[RelPath, str | None] = {}
    for edit in edits:
        if edit.moved_from is not None:
            before[RelPath(edit.moved_from)] = edit.before
            before.setdefault(RelPath(edit.path), None)
        else:
            before[RelPath(edit.path)] = edit.before
    return dict(sorted(before.items()))


def _nested(repo: Repository, root: Path, path: RelPath) -> bool:
    folder = (root / path).parent
    return next((f for f in (folder, *folder.parents) if git.is_repository(f)), repo.top) != repo.top


async def _states(root: Path, paths: Sequence[RelPath]) -> dict[RelPath, str]:
    """git's two letters for each of these that is not as in the last commit."""
    args = [
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--ignore-submodules=all",
        "--no-renames",
    ]
    prefix = (await user_git.run(root, ["rev-parse", "--show-prefix"])).out.rstrip(b"\n")
    return {
        RelPath(os.fsdecode(entry[3:].removeprefix(prefix))): entry[:2].decode()
        for entry in await _printed(root, args, paths)
    }


async def _printed(root: Path, args: Sequence[str], paths: Sequence[RelPath]) -> list[bytes]:
    """What git prints of these files, entry by entry; a command line takes so many at once."""
    entries: list[bytes] = []
    for at in range(0, len(paths), _AT_ONCE):
        done = await user_git.run(root, [*args, "--", *paths[at : at + _AT_ONCE]])
        entries += filter(None, done.out.split(b"\0"))
    return entries


async def _told(root: Path, args: Sequence[str], paths: Sequence[RelPath], seconds: float = 60.0) -> None:
    """Run git on these files, which it reads from its standard input."""
    listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
    await user_git.run(root, args, stdin=listed, seconds=seconds)


async def _content(root: Path, path: RelPath) -> str:
    """A name for what a file holds and whether it may be run; empty where there is none."""
    try:
        file = await asyncio.to_thread(disk.read, root, path)
    except WorkspaceError as error:
        if isinstance(error, FileUnreadable) and error.reason == "missing":
            return ""
        raise UserError(f"{error}; nothing was committed") from None
    return f"{file.digest} {_EXECUTABLE if disk.executable(root, path) else _PLAIN}"


async def _has_own(
    root: Path, head: str, path: RelPath, before: str | None, after: str | None, state: str
) -> bool:
    """Whether the commit of a file would take along more than the landed edit."""
    if state[0] not in " ?":  # something of it is staged
        return True
    like = None
    try:
        file = like = await asyncio.to_thread(disk.read, root, path)
        if file.text != after:
            return True
    except FileUnreadable:
        if after is not None:
            return True
    there = ""
    if head:
        listed = (await user_git.run(root, ["ls-tree", "-z", "HEAD", "--", path])).text.strip("\0")
        there = listed.split("\t")[0].split(" ")[2] if listed else ""
    if before is None or not there:
        return (before is None) != (not there)
    try:
        data = disk.encode(before, like)
    except WorkspaceError:
        return True
    hashed = await user_git.run(root, ["hash-object", "--stdin", f"--path={path}"], stdin=data)
    return hashed.text != there

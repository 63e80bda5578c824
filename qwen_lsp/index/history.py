"""Files that change together, and files that changed lately: what git's log says beside the code itself."""

from __future__ import annotations

import asyncio
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.workspace import git
from qwen_lsp.workspace.paths import RelPath

_COMMITS = 2_000
_MOST_FILES = 30
"""A commit of more files is a move, a formatter or an import: it says nothing about any two of them."""
_SECONDS = 10.0
_HALF_LIFE = 1_000.0
"""After so many newer commits a commit counts half."""
_DOUBT = 0.75
"""Evidence against every pair: files that met once may have met by chance."""
_COMMIT = re.compile("\x01[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True)
class History:
    """The commits of a workspace, newest first, each as the files it changed; large ones are not there.

    `head` is the commit they end in, empty where there is no repository or it could not be read.
    """

    head: str = ""
    commits: tuple[tuple[int, tuple[RelPath, ...]], ...] = ()
    _where: Mapping[RelPath, tuple[int, ...]] = field(default_factory=dict[RelPath, tuple[int, ...]])

    def related(
        self, path: RelPath, limit: int, known: Callable[[RelPath], bool] = lambda path: True
    ) -> list[tuple[RelPath, float, int]]:
        """What changed together with `path`: (other, weight from 0 to 1, commits in common), best first.

        The weight is how much of the change of `path` the other one shared: recent commits count more,
        commits of few files count more. `known` says which of the names are worth an answer: a log knows
        files that are gone.
        """
        shared: dict[RelPath, float] = {}
        times: dict[RelPath, int] = {}
        all_of_it = _DOUBT
        for number in self._where.get(path, ()):
            age, paths = self.commits[number]
            weight = 0.5 ** (age / _HALF_LIFE) / math.sqrt(max(1, len(paths) - 1))
            all_of_it += weight
            for other in paths:
                if other != path:
                    shared[other] = shared.get(other, 0.0) + weight
                    times[other] = times.get(other, 0) + 1
        ranked = sorted((-weight, other) for other, weight in shared.items() if known(other))
        return [(other, -weight / all_of_it, times[other]) for weight, other in ranked[:limit]]

    def recently_changed(
        self, limit: int, known: Callable[[RelPath], bool] = lambda path: True
    ) -> list[RelPath]:
        """The files of the newest commits, the newest first, each once."""
        found: dict[RelPath, None] = {}
        for _, paths in self.commits:
            for path in paths:
                if len(found) >= limit:
                    return list(found)
                if known(path):
                    found.setdefault(path)
        return list(found)


def history_of(head: str, commits: Sequence[Sequence[RelPath]]) -> History:
    """The history of these commits, newest first; those of no or too many files only make others older."""
    kept: list[tuple[int, tuple[RelPath, ...]]] = []
    where: dict[RelPath, list[int]] = {}
    for age, paths in enumerate(commits):
        names = tuple(dict.fromkeys(paths))
        if not 0 < len(names) <= _MOST_FILES:
            continue
        for path in names:
            where.setdefault(path, []).append(len(kept))
        kept.append((age, names))
    return History(head, tuple(kept), {path: tuple(numbers) for path, numbers in where.items()})


def parsed(printed: bytes) -> list[list[RelPath]]:
    """The commits in what `git log -z --name-only --format=%x01%H` prints."""
    commits: list[list[RelPath]] = []
    for item in os.fsdecode(printed).split("\0"):
        if _COMMIT.fullmatch(item):
            commits.append([])
        elif commits and item:
            # A line end parts the commit from the first of its names.
            name = item if commits[-1] else item.removeprefix("\n")
            commits[-1].append(RelPath(name))
    return commits


def read(root: Path, last: History | None = None, *, commits: int = _COMMITS) -> History:
    """The newest `commits` commits that touched the folder, as `last` when nothing was committed since.

    Names are relative to `root`, which may be below the repository's top. Merges are not looked at. Runs
    git, so it takes milliseconds to seconds, at most some ten; what does not come in time is not there.
    """
    printed = git.run(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], seconds=_SECONDS)
    head = "" if printed is None else os.fsdecode(printed).strip()
    if not head:
        return History()
    if last is not None and last.head == head:
        return last
    # Below the top of a repository only some commits count; at the top the limit would only cost time.
    within = [] if git.is_repository(root) else ["--", "."]
    log = git.run(
        root,
        ["log", "-z", "--name-only", "--no-renames", "--no-merges", "--no-show-signature", "--relative",
         "--ignore-submodules=all", "--format=%x01%H", f"--max-count={commits}", head, *within],
        seconds=_SECONDS,
    )  # fmt: skip
    return history_of(head, parsed(log)) if log is not None else History(head)


async def refreshed(root: Path, last: History | None = None) -> History:
    """The same in a thread, for the event loop."""
    return await asyncio.to_thread(read, root, last)

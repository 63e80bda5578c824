"""What a command has left in a scratch copy: told by names, sizes and times; no link is followed.

Nothing in here is believed: a command may have put a link where a folder was, a pipe where a file was, or
a million files where there were ten.
"""

from __future__ import annotations

import os
import stat as modes
from dataclasses import dataclass, field

from qwen_lsp.sandbox.copying import Signature, signature
from qwen_lsp.sandbox.fitting import Working, open_folder
from qwen_lsp.sandbox.place import FOLDER
from qwen_lsp.workspace.ignore import REPOSITORY_FOLDERS, IgnoreRules
from qwen_lsp.workspace.paths import RelPath

MOST_NEW, _DEEPEST = 20_000, 64


@dataclass(slots=True)
class Look:
    """What is not as it was."""

    changed: dict[RelPath, Signature] = field(default_factory=dict[RelPath, Signature])
    new: dict[RelPath, Signature] = field(default_factory=dict[RelPath, Signature])
    gone: list[RelPath] = field(default_factory=list[RelPath])
    behind: list[RelPath] = field(default_factory=list[RelPath])
    """Files whose folder is something else by now, such as a link."""
    repositories: list[RelPath] = field(default_factory=list[RelPath])
    """Folders of git and the like that were not there."""
    too_many: bool = False
    """The look was given up: what is said above is not all."""


def look(working: Working) -> Look:
    """Compare the copy with what it held. Nothing may run in it meanwhile."""
    search = _Search(working)
    working.copy.chmod(0o700)
    with open_folder(working.copy, "") as top:
        search.folder(top, "")
    found = search.found
    if not found.too_many:
        for path in working.known.keys() - search.seen:
            behind = any(path.startswith(f"{folder}/") for folder in search.blocked)
            (found.behind if behind else found.gone).append(path)
    return found


class _Search:
    """One walk through the copy, each folder opened from the one above it."""

    def __init__(self, working: Working) -> None:
        self.found = Look()
        self.seen: set[RelPath] = set()
        self.blocked: set[str] = set()
        """Folders that are something else by now, or cannot be opened."""
        self._working = working
        self._lent = frozenset(working.survey.lent)
        self._ignoring = _Ignoring(working)

    def folder(self, descriptor: int, folder: str, depth: int = 0) -> None:
        known, seen = self._working.known, self.seen
        prefix = f"{folder}/" if folder else ""
        inner: list[tuple[str, int]] = []
        for name, mark in _entries(descriptor):
            path = RelPath(prefix + name)
            was = known.get(path)
            if was is not None and not modes.S_ISDIR(mark[0]):
                seen.add(path)
                if was.copy != mark:
                    self.found.changed[path] = mark
            elif path not in self._lent and self._unknown(descriptor, path, name, mark):
                inner.append((name, mark[0]))
        if depth == _DEEPEST:
            return
        for name, mode in inner:
            try:
                if mode & 0o700 != 0o700:  # a command took away the right to look into it
                    os.chmod(name, modes.S_IMODE(mode) | 0o700, dir_fd=descriptor)
                below = os.open(name, FOLDER, dir_fd=descriptor)
            except OSError:
                self.blocked.add(prefix + name)
                continue
            try:
                self.folder(below, prefix + name, depth + 1)
            finally:
                os.close(below)
            if self.found.too_many:
                return

    def _unknown(self, descriptor: int, path: RelPath, name: str, mark: Signature) -> bool:
        """Note what was not there as it is; whether it is a folder to look into."""
        is_dir = modes.S_ISDIR(mark[0])
        if name in REPOSITORY_FOLDERS:
            # An empty one is what a sandbox has put there to keep a repository from being made.
            if not is_dir or _holds_something(descriptor, name):
                self.found.repositories.append(path)
            return False
        counts = path in self._working.survey.files
        if is_dir:
            return counts or not self._ignoring(path, True)
        if counts:
            self.blocked.add(path)
        if self._working.untaken.get(path) != mark and not self._ignoring(path, False):
            self.found.new[path] = mark
            self.found.too_many = len(self.found.new) > MOST_NEW
        return False


class _Ignoring:
    """Whether git would ignore a path, by the workspace's rules or by those that are in the copy now."""

    def __init__(self, working: Working) -> None:
        self._working = working
        self._here: IgnoreRules | None = None

    def __call__(self, path: RelPath, is_dir: bool) -> bool:
        if self._here is None:
            self._here = IgnoreRules.load(self._working.copy)
        return self._here.ignores(path, is_dir) or self._working.survey.rules.ignores(path, is_dir)


def _entries(descriptor: int) -> list[tuple[str, Signature]]:
    try:
        with os.scandir(descriptor) as scanned:
            return [(entry.name, signature(entry.stat(follow_symlinks=False))) for entry in scanned]
    except OSError:
        return []


def _holds_something(descriptor: int, name: str) -> bool:
    try:
        below = os.open(name, FOLDER, dir_fd=descriptor)
    except OSError:
        return True
    try:
        return bool(_entries(below))
    finally:
        os.close(below)

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
    found = Look()
    seen: set[RelPath] = set()
    blocked: set[str] = set()
    lent = set(working.survey.lent)
    ignoring = _Ignoring(working)
    folders = [""]
    while folders:
        folder = folders.pop()
        for name, mark in _entries(working, folder):
            path = RelPath(f"{folder}/{name}" if folder else name)
            if path in lent:
                continue
            is_dir = modes.S_ISDIR(mark[0])
            known = working.known.get(path)
            if known is not None and not is_dir:
                seen.add(path)
                if known.copy != mark:
                    found.changed[path] = mark
            elif name in REPOSITORY_FOLDERS:
                # An empty one is what a sandbox has put there to keep a repository from being made.
                if not is_dir or _entries(working, path):
                    found.repositories.append(path)
            elif is_dir:
                counts = path in working.survey.files or not ignoring(path, True)
                if counts and path.count("/") < _DEEPEST:
                    folders.append(path)
            else:
                if path in working.survey.files:
                    blocked.add(path)
                if working.untaken.get(path) != mark and not ignoring(path, False):
                    found.new[path] = mark
                    if len(found.new) > MOST_NEW:
                        found.too_many = True
                        return found
    for path in working.known.keys() - seen:
        behind = blocked and any(path.startswith(f"{folder}/") for folder in blocked)
        (found.behind if behind else found.gone).append(path)
    return found


class _Ignoring:
    """Whether git would ignore a path, by the workspace's rules or by those that are in the copy now."""

    def __init__(self, working: Working) -> None:
        self._working = working
        self._here: IgnoreRules | None = None

    def __call__(self, path: RelPath, is_dir: bool) -> bool:
        if self._here is None:
            self._here = IgnoreRules.load(self._working.copy)
        return self._here.ignores(path, is_dir) or self._working.survey.rules.ignores(path, is_dir)


def _entries(working: Working, folder: str) -> list[tuple[str, Signature]]:
    found: list[tuple[str, Signature]] = []
    try:
        with open_folder(working.copy, folder) as descriptor, os.scandir(descriptor) as scanned:
            for entry in scanned:
                found.append((entry.name, signature(entry.stat(follow_symlinks=False))))
    except OSError:  # a folder that its owner may not read
        return found
    return found

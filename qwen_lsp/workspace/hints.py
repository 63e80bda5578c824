"""Hints: which paths to look at again. What an event says is never believed, only looked into."""

from __future__ import annotations

from collections.abc import Iterable

from qwen_lsp.workspace.ignore import DEPENDENCY_FOLDERS, REPOSITORY_FOLDERS
from qwen_lsp.workspace.paths import RelPath

Hints = set[RelPath] | None
"""Paths that may have changed, folders among them; None: any."""

MOST_PATHS = 500
"""More than this many at once are looked into by one sweep over everything."""

GIT_INDEX = RelPath(".git/index")
"""The one path in a repository that is passed on: what git tracks may be another set of files now."""

# Of what is fetched and derived a project's own files lie in these two often enough.
_SILENT = (frozenset(DEPENDENCY_FOLDERS) - {".cargo", ".yarn"}) | REPOSITORY_FOLDERS
_EVERYTHING = frozenset({".git/HEAD", ".git/info/exclude"})
_HEARD_FOLDERS = frozenset({".git", ".git/info"})


def told(paths: Iterable[str]) -> Hints:
    """What events at these paths, relative to the root, hint at: less than they name, or everything."""
    found: set[RelPath] = set()
    for path in paths:
        if path in _EVERYTHING:  # another branch, or other ignore rules
            return None
        if path and (path == GIT_INDEX or _SILENT.isdisjoint(path.split("/"))):
            found.add(RelPath(path))
    return found if len(found) <= MOST_PATHS else None


def merged(one: Hints, other: Hints) -> Hints:
    """Both. `one` may be taken over and added to."""
    if one is None or other is None:
        return None
    one |= other
    return one if len(one) <= MOST_PATHS else None


def is_silent(folder: str) -> bool:
    """Whether nothing in a folder is of concern, so that it need not be watched."""
    return folder not in _HEARD_FOLDERS and not _SILENT.isdisjoint(folder.split("/"))

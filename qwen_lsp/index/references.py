"""Where a name is used: from what the index keeps, and by a search for the word where it keeps not all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from qwen_lsp.errors import FileUnreadable, OutsideWorkspace
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.tags import occurrences
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace import disk, git
from qwen_lsp.workspace.paths import RelPath

SECONDS = 10.0
_MOST_FILES = 10_000


class References(NamedTuple):
    """Path and zero-based line of each place, in order. `complete`: whether those are all there are."""

    places: list[tuple[RelPath, int]]
    complete: bool


def references(snapshot: Snapshot, name: str, limit: int = 1000, seconds: float = SECONDS) -> References:
    """The places that use or define the name; parses the files that do. Stops at `limit` or in time."""
    until = time.monotonic() + seconds
    users, complete = snapshot.users(name, _MOST_FILES)
    paths = {*users, *(site.path for site in snapshot.definitions(name, limit=_MOST_FILES))}
    if not complete and re.search(r"\w", name):
        found, complete = _holding(snapshot, name, until)
        paths.update(found)
    places: list[tuple[RelPath, int]] = []
    for path in sorted(paths):
        if len(places) >= limit or time.monotonic() > until:
            return References(places[:limit], False)
        tree = snapshot.tree(path)
        if tree is not None:
            index = LineIndex(tree.text)
            lines = {index.line_at(span.start) for span in occurrences(tree, name)}
            places += [(path, line) for line in sorted(lines)]
    return References(places[:limit], complete and len(places) <= limit)


def _holding(snapshot: Snapshot, word: str, until: float) -> tuple[list[RelPath], bool]:
    """Closed files that hold a word, and whether every one was looked at."""
    if not snapshot.manifest.named(".gitmodules"):  # git looks into one repository only
        seconds = until - time.monotonic()
        named = git.holding(snapshot.root, word, seconds=seconds) if seconds > 0 else None
        if named is not None:
            found = (RelPath(name) for name in named)
            return [p for p in found if p not in snapshot.buffers and p in snapshot.files], True
    closed = (p for p in snapshot.paths() if p not in snapshot.buffers and snapshot.language(p) is not None)
    found = list(_reading(snapshot, closed, word.encode("utf-8", "surrogatepass"), until))
    return [path for path in found if path is not None], None not in found


def _reading(
    snapshot: Snapshot, paths: Iterable[RelPath], word: bytes, until: float
) -> Iterator[RelPath | None]:
    """The files that hold these bytes; None when the time was over before all were read."""
    for path in paths:
        if time.monotonic() > until:
            yield None
            return
        try:
            if disk.holds(snapshot.root, path, word):
                yield path
        except (FileUnreadable, OutsideWorkspace):
            continue

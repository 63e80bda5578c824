"""Whether the files that the index knows are still there, asked of the disk when an answer would name one.

Between the end of a file and the refresh that takes note of it lie a few tenths of a second, or more where
no news come. No answer may speak of the file in that time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from qwen_lsp.workspace.paths import RelPath

_KIND, _REGULAR = 0o170000, 0o100000


class Presence:
    """Asks for one root; without one every file is there. May be asked from any thread."""

    def __init__(
        self, root: Path | None = None, on_news: Callable[[RelPath], None] = lambda path: None
    ) -> None:
        self._prefix = None if root is None else f"{root}/"
        self.on_news = on_news
        """Called, on the thread that asked, with each file found missing or changed."""

    def has(self, path: RelPath) -> bool:
        """Whether there is a regular file."""
        if self._prefix is None:
            return True
        try:
            there = os.lstat(self._prefix + path).st_mode & _KIND == _REGULAR
        except (OSError, ValueError):
            there = False
        if not there:
            self.on_news(path)
        return there

    def lost(self, paths: Iterable[RelPath]) -> set[RelPath]:
        """Those of these that are there no more."""
        return {path for path in set(paths) if not self.has(path)}

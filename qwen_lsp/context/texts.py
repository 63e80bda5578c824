"""Lines of files for headers and outlines, remembered by content while they are being asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.outline import split_lines
from qwen_lsp.workspace.paths import RelPath

_MOST_CHARACTERS = 16_000_000


class _Lines:
    """The lines of the contents asked for last. A pure function's memory, keyed by digest: never stale."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Sequence[str], int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, digest: str) -> Sequence[str] | None:
        with self._lock:
            found = self._kept.get(digest)
            if found is None:
                return None
            self._kept.move_to_end(digest)
            return found[0]

    def keep(self, digest: str, lines: Sequence[str], size: int) -> None:
        with self._lock:
            if digest in self._kept or size > _MOST_CHARACTERS // 4:
                return
            self._kept[digest] = (lines, size)
            self._size += size
            while self._size > _MOST_CHARACTERS:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._size -= dropped


_LINES = _Lines()


def lines_of(snapshot: Snapshot, path: RelPath) -> Sequence[str]:
    """The lines of a file without their terminators; empty for what cannot be read."""
    entry = None if path in snapshot.buffers else snapshot.files.get(path)
    digest = entry.digest if entry is not None else ""
    if digest and (known := _LINES.get(digest)) is not None:
        return known
    text = text_of(snapshot, path)
    if text is None:
        return ()
    lines = split_lines(text)
    if digest:
        _LINES.keep(digest, lines, len(text))
    return lines


def text_of(snapshot: Snapshot, path: RelPath) -> str | None:
    """The text of a file, None for what cannot be read as text."""
    try:
        return snapshot.text(path)
    except WorkspaceError:
        return None

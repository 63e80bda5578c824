"""Lines and outlines of files, remembered by content while they are being asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.outline import outline, split_lines
from qwen_lsp.workspace.paths import RelPath

_T = TypeVar("_T")


class Memory(Generic[_T]):
    """What was made last, up to a size: a pure function's memory, keyed by content, so never stale."""

    def __init__(self, most: int) -> None:
        self._kept: OrderedDict[Hashable, tuple[_T, int]] = OrderedDict()
        self._most = most
        self._size = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> _T | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def keep(self, key: Hashable, value: _T, size: int) -> None:
        with self._lock:
            if key in self._kept or size > self._most // 4:
                return
            self._kept[key] = (value, size)
            self._size += size
            while self._size > self._most:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._size -= dropped


_LINES: Memory[Sequence[str]] = Memory(16_000_000)
_OUTLINES: Memory[str] = Memory(8_000_000)
_COUNTS: Memory[int] = Memory(50_000)


def lines_of(snapshot: Snapshot, path: RelPath) -> Sequence[str]:
    """The lines of a file without their terminators, as the index knows it.

    Empty for what cannot be read or has other lines by now, so that its facts do not fit them.
    """
    digest = _digest(snapshot, path)
    if digest and (known := _LINES.get(digest)) is not None:
        return known if snapshot.has(path) else ()
    text, is_known = known_text_of(snapshot, path)
    if text is None or not is_known:
        return ()
    lines = split_lines(text)
    if digest:
        _LINES.keep(digest, lines, len(text))
    return lines


def outline_of(snapshot: Snapshot, path: RelPath, text: str, *, unchanged: bool) -> str:
    """The outline of a file made from `text`, which the gate may have changed; empty where there is none."""
    digest = _digest(snapshot, path) if unchanged else ""
    key = (digest, _language(snapshot, path))
    if digest and (known := _OUTLINES.get(key)) is not None:
        return known
    facts = snapshot.facts(path)
    made = outline(text, facts) if facts is not None and facts.definitions else ""
    if digest:
        _OUTLINES.keep(key, made, len(made) + 100)
    return made


def counted_outline(
    snapshot: Snapshot, path: RelPath, shown: str, count: Callable[[str], int], *, unchanged: bool
) -> int:
    """Tokens of an outline as it is shown under the file's heading."""
    digest = _digest(snapshot, path) if unchanged else ""
    key = (digest, path, count)
    known = _COUNTS.get(key) if digest else None
    if known is None:
        known = count(shown)
        if digest:
            _COUNTS.keep(key, known, 1)
    return known


def text_of(snapshot: Snapshot, path: RelPath) -> str | None:
    """The text of a file, None for what cannot be read as text."""
    try:
        return snapshot.text(path)
    except WorkspaceError:
        return None


def known_text_of(snapshot: Snapshot, path: RelPath) -> tuple[str | None, bool]:
    """The text of a file, and whether the index knows this very text: it may have changed just now."""
    try:
        text, read = snapshot.content(path)
    except WorkspaceError:
        return None, False
    digest = _digest(snapshot, path)
    if not digest or digest == read:
        return text, True
    snapshot.presence.on_news(path)
    return text, False


def _digest(snapshot: Snapshot, path: RelPath) -> str:
    """What a closed file contains, as the index read it; empty for an open one."""
    entry = None if path in snapshot.buffers else snapshot.files.get(path)
    return entry.digest if entry is not None else ""


def _language(snapshot: Snapshot, path: RelPath) -> str:
    language = snapshot.language(path)
    return language.id if language is not None else ""

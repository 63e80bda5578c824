"""Texts, lines and outlines of files, remembered by content while they are being asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index import buffers
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.presence import Presence
from qwen_lsp.index.snapshot import FileEntry, Snapshot
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.languages import available
from qwen_lsp.syntax.outline import outline, split_lines
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath

_MARK = "\ufeff"

# In characters; counts and the like in entries.
_TEXTS: Memory[str] = Memory(16_000_000)
_LINES: Memory[Sequence[str]] = Memory(16_000_000)
_OUTLINES: Memory[str] = Memory(8_000_000)
_COUNTS: Memory[int] = Memory(100_000)
_LONGEST_COUNTED = 4_000


def as_indexed(snapshot: Snapshot) -> Snapshot:
    """The same workspace, taking the index's word that its files are there.

    For who asks of many files and looks at those that are shown: `name_of` asks the disk all the same.
    """
    return replace(snapshot, presence=Presence(on_news=snapshot.presence.on_news))


def text_of(snapshot: Snapshot, path: RelPath) -> str | None:
    """The text of a file, None for what cannot be read as text."""
    return content_of(snapshot, path)[0]


def content_of(snapshot: Snapshot, path: RelPath, name: str = "") -> tuple[str | None, str]:
    """The text of a file and the name of that content; (None, "") for what cannot be read as text.

    `name` is what `name_of` said a moment ago, for who asked.
    """
    buffer = snapshot.buffers.get(path)
    name = name or name_of(snapshot, path)
    if buffer is not None:
        return buffer.text, name
    if name and (known := _TEXTS.get(name)) is not None:
        return known, name
    try:
        file = disk.read(snapshot.root, path)
    except WorkspaceError:
        return None, ""
    _TEXTS.keep(file.digest, file.text, len(file.text) + 100)
    return file.text, file.digest


def indexed_name(snapshot: Snapshot, path: RelPath) -> str:
    """What the index says that a file contains, as `name_of`, whatever the disk holds by now; else empty."""
    if path in snapshot.buffers:
        return name_of(snapshot, path)
    entry = snapshot.files.get(path)
    return entry.digest if entry is not None else ""


def name_of(snapshot: Snapshot, path: RelPath) -> str:
    """What a file contains, as a digest, when that is known without reading it; else empty.

    A file on disk is known as long as its size and time are those that the index read it with.
    """
    buffer = snapshot.buffers.get(path)
    if buffer is None:
        entry = snapshot.files.get(path)
        return entry.digest if entry is not None and _is_as_indexed(snapshot, path, entry) else ""
    if buffer.text is None:
        return ""
    # A byte order mark is part of a file's digest but of no text that was read from a file.
    return buffers.digest(buffer) + (_MARK if buffer.text.startswith(_MARK) else "")


def _is_as_indexed(snapshot: Snapshot, path: RelPath, entry: FileEntry) -> bool:
    if not entry.digest:
        return False
    try:
        found = os.lstat(f"{snapshot.root}/{path}")
    except (OSError, ValueError):
        return False
    if found.st_size == entry.size and disk.Stat.of(found).mtime_ns == entry.mtime_ns:
        return True
    snapshot.presence.on_news(path)
    return False


def fits(snapshot: Snapshot, path: RelPath, name: str) -> bool:
    """Whether the facts of a file are those of the content with this name: it may have changed just now."""
    entry = None if path in snapshot.buffers else snapshot.files.get(path)
    return entry is None or entry.digest in ("", name)


def lines_of(snapshot: Snapshot, path: RelPath, name: str = "") -> Sequence[str]:
    """The lines of a file without their terminators. `name` as in `content_of`.

    Empty for what cannot be read or has other lines by now, so that its facts do not fit them.
    """
    name = name or name_of(snapshot, path)
    if name and (known := _LINES.get(name)) is not None:
        return known
    text, name = content_of(snapshot, path, name)
    if text is None or not fits(snapshot, path, name):
        return ()
    lines = split_lines(text)
    if path not in snapshot.buffers:
        _LINES.keep(name, lines, len(text) + 100)
    return lines


def outline_of(
    snapshot: Snapshot, path: RelPath, text: Callable[[], str], name: str, *, redacted: bool
) -> str:
    """The outline of a file made from `text`; empty where there is none.

    `name` is that of the content. With `redacted` the gate changed the text, and nothing is remembered.
    """
    language = snapshot.language(path)
    key = (name, language.id if language is not None else "")
    if not redacted and (known := _OUTLINES.get(key)) is not None:
        return known
    facts = facts_of(snapshot, path, text, name)
    made = outline(text(), facts) if facts is not None and facts.definitions else ""
    if not redacted and path not in snapshot.buffers:
        _OUTLINES.keep(key, made, len(made) + 100)
    return made


def facts_of(snapshot: Snapshot, path: RelPath, text: Callable[[], str], name: str) -> FileFacts | None:
    """The facts of a text, also where the index has not yet seen that the file changed."""
    if fits(snapshot, path, name):
        return snapshot.facts(path)
    language = snapshot.language(path)
    if language is None or not available(language):
        return None
    return snapshot.service.facts(name, language.id) or extract(parse(text(), language))


def counted(text: str, count: Callable[[str], int]) -> int:
    """Tokens of a text; those of a short one are remembered."""
    if len(text) > _LONGEST_COUNTED:
        return count(text)
    key = (count, text)
    known = _COUNTS.get(key)
    if known is None:
        known = count(text)
        _COUNTS.keep(key, known, 1)
    return known

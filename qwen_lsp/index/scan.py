"""One file from disk to facts: read, hash, parse unless its content is known.

Import-light: worker processes load this.
"""

from __future__ import annotations

import stat as modes
import time
from collections.abc import Callable
from pathlib import Path

from qwen_lsp.errors import FileUnreadable, OutsideWorkspace
from qwen_lsp.index.tables import Scanned
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.languages import Language, available, language_for, language_in
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract
from qwen_lsp.workspace import disk, ignore
from qwen_lsp.workspace.paths import RelPath

_HEAD = 8_192
# A file written less than this before it was read may be written again without a new time stamp, on the
# coarsest file systems there are.
_SAME_TICK_NS = 2_000_000_000

Known = Callable[[str, str], tuple[int, int] | None]
"""Counts of definitions and references of a digest and language, when the index has them."""
Ready = Callable[[RelPath, str, str], FileFacts | None]
"""Facts of a path's content that somebody made already, such as for an open document."""


def scan(
    root: Path,
    path: RelPath,
    stat: disk.Stat,
    *,
    known: Known,
    max_bytes: int,
    ready: Ready | None = None,
    guarded: bool = True,
) -> Scanned | None:
    """What a file holds now; None when it is gone. Never raises for what a file is or contains.

    Unguarded the parser is not stopped when it does not come to an end.
    """
    now = time.time_ns()
    try:
        file = disk.read(root, path, max_bytes)
    except (FileUnreadable, OutsideWorkspace) as error:
        if plain_stat(root, path) is None:
            return None
        reason = error.reason if isinstance(error, FileUnreadable) else "outside the workspace"
        return Scanned(path, stat.size, stat.mtime_ns, skip=reason)
    text, size, mtime_ns = file.text, file.stat.size, file.stat.mtime_ns
    if now - file.stat.written_ns < _SAME_TICK_NS:
        mtime_ns = -1
    if reason := ignore.content_reason(path, text[:_HEAD].encode("utf-8", "replace"), size):
        return Scanned(path, size, mtime_ns, file.digest, skip=reason)
    language = language_of(path, text)
    if language is None:
        return Scanned(path, size, mtime_ns, file.digest)
    facts: FileFacts | None = None
    counts = known(file.digest, language.id)
    if counts is None:
        facts = ready(path, file.digest, language.id) if ready is not None else None
        if facts is None:
            facts = extract(parse(text, language, guarded=guarded))
        counts = (len(facts.definitions), sum(facts.references.values()))
    return Scanned(path, size, mtime_ns, file.digest, language.id, None, *counts, facts)


def is_read(path: str) -> bool:
    """Whether the index opens a file: it has a language by its name, or may say so in its first line."""
    language = language_for(path)
    if language is None:
        return "." not in path[path.rfind("/") + 2 :]
    return available(language)


def language_of(path: str, text: str) -> Language | None:
    """The language of a file whose grammar is installed, by its name and then by its text."""
    language = language_in(path, text)
    return language if language is not None and available(language) else None


def plain_stat(root: Path, path: RelPath) -> disk.Stat | None:
    """Size and time of a regular file; None when it is gone or something else."""
    try:
        found = (root / path).lstat()
    except (OSError, ValueError):
        return None
    return disk.Stat.of(found) if modes.S_ISREG(found.st_mode) else None

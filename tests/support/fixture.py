"""Workspaces written as text: `workspace('''#- a.py ... <CURSOR> ...''')`.

A line `#- path` begins a file. `<CURSOR>` marks a place and `<START>`...`<END>` a selection; the marks
are taken out of the text. Without a folder the files are buffers of a snapshot that touches no disk.
"""

from __future__ import annotations

import asyncio
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_lsp.index import buffers
from qwen_lsp.index.build import build
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings
from qwen_lsp.text.positions import Position, Span
from qwen_lsp.workspace.paths import RelPath, rel_path

CURSOR, START, END = "<CURSOR>", "<START>", "<END>"


@dataclass(frozen=True)
class Marked:
    """Files without their marks, and where the marks were."""

    texts: dict[RelPath, str]
    path: RelPath | None
    """The file with a mark; the only file when there is no mark; None otherwise."""
    offset: int | None
    selection: Span | None


@dataclass(frozen=True)
class Workspace:
    """A store over the files of a text, and the marks in it."""

    store: Store
    marked: Marked

    @property
    def root(self) -> Path:
        return self.store.root

    @property
    def snapshot(self) -> Snapshot:
        return self.store.current

    @property
    def texts(self) -> dict[RelPath, str]:
        return self.marked.texts

    @property
    def path(self) -> RelPath:
        assert self.marked.path is not None, "no file is marked"
        return self.marked.path

    @property
    def offset(self) -> int:
        assert self.marked.offset is not None, "there is no <CURSOR>"
        return self.marked.offset

    @property
    def selection(self) -> Span:
        assert self.marked.selection is not None, "there is no <START>...<END>"
        return self.marked.selection

    @property
    def position(self) -> Position:
        """The cursor as line and character, in code points."""
        return self.snapshot.lines(self.path).position(self.offset, "utf-32")

    @property
    def before(self) -> str:
        return self.texts[self.path][: self.offset]

    @property
    def after(self) -> str:
        return self.texts[self.path][self.offset :]


def parse_marked(text: str) -> Marked:
    """Split a text into files and take the marks out. At most one cursor and one selection."""
    parts: dict[RelPath, list[str]] = {}
    lines: list[str] | None = None
    for line in textwrap.dedent(text).strip("\n").splitlines(keepends=True):
        if line.startswith("#- "):
            lines = parts.setdefault(rel_path(line[3:].strip()), [])
        else:
            assert lines is not None or not line.strip(), "text before the first `#- path` line"
            if lines is not None:
                lines.append(line)
    texts = {path: "".join(lines) for path, lines in parts.items()}
    texts = {path: t if t.endswith("\n") or not t else f"{t}\n" for path, t in texts.items()}
    marked = [path for path, t in texts.items() if CURSOR in t or START in t]
    assert len(marked) <= 1, "marks in several files"
    if not marked:
        return Marked(texts, next(iter(texts)) if len(texts) == 1 else None, None, None)
    path = marked[0]
    places: dict[str, int] = {}
    for mark in sorted((CURSOR, START, END), key=lambda m: texts[path].find(m)):
        assert texts[path].count(mark) <= 1, f"several {mark}"
        at = texts[path].find(mark)
        if at >= 0:
            texts[path] = texts[path][:at] + texts[path][at + len(mark) :]
            places[mark] = at
    assert (START in places) == (END in places), "<START> and <END> come together"
    selection = Span(places[START], places[END]) if START in places else None
    return Marked(texts, path, places.get(CURSOR), selection)


def workspace(text: str, root: Path | None = None) -> Workspace:
    """The files of a text: in memory, or written below `root` and indexed there.

    Call it with a folder only where no event loop runs; `await indexed_workspace(...)` elsewhere.
    """
    marked = parse_marked(text)
    if root is None:
        return Workspace(_in_memory(marked.texts), marked)
    return asyncio.run(_indexed(marked, root))


async def indexed_workspace(text: str, root: Path) -> Workspace:
    """The files of a text, written below `root` and indexed."""
    return await _indexed(parse_marked(text), root)


def write_files(root: Path, texts: dict[RelPath, str]) -> None:
    for path, content in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8", newline="")


def _in_memory(texts: dict[RelPath, str]) -> Store:
    store = Store(Path("/nowhere/workspace"), Cache(None))
    overlay = {path: buffers.make(path, content) for path, content in texts.items()}
    store.current = replace(store.current, buffers=overlay, complete=True)
    return store


async def _indexed(marked: Marked, root: Path) -> Workspace:
    write_files(root, marked.texts)
    store = Store(root, Cache(None))
    await build(store, IndexSettings())
    return Workspace(store, marked)

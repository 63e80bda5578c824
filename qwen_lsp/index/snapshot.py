"""Snapshot: the immutable workspace at one moment.

Files on disk are named by a manifest and known by their facts; open documents and the files of a fork
lie over them as buffers. A snapshot of a fork is made from another one and shares all but the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from qwen_lsp.errors import FileUnreadable
from qwen_lsp.index import buffers
from qwen_lsp.index.buffers import Buffer
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.presence import Presence
from qwen_lsp.syntax.facts import Definition, FileFacts
from qwen_lsp.syntax.languages import Language, available, by_id, language_for
from qwen_lsp.syntax.parse import SyntaxTree, parse
from qwen_lsp.syntax.tags import extract
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file on disk. `digest` is empty until it has been read, which plain text never is."""

    digest: str
    size: int
    mtime_ns: int
    language: str | None


@dataclass(frozen=True, slots=True)
class Site:
    """A definition and where it is; `index` is its position in the file's facts."""

    path: RelPath
    definition: Definition
    index: int


class Manifest:
    """The files on disk by path, by content and by name. Never changed; a new one is made instead."""

    def __init__(self, files: Mapping[RelPath, FileEntry], skipped: Mapping[RelPath, str]) -> None:
        self.files = files
        self.skipped = skipped

    @cached_property
    def by_content(self) -> Mapping[tuple[str, str], tuple[RelPath, ...]]:
        """Paths by digest and language."""
        found: dict[tuple[str, str], tuple[RelPath, ...]] = {}
        for path, entry in self.files.items():
            if entry.digest and entry.language is not None:
                key = (entry.digest, entry.language)
                found[key] = (*found[key], path) if key in found else (path,)
        return found

    @cached_property
    def by_name(self) -> Mapping[str, tuple[RelPath, ...]]:
        """Paths by the last part of their path."""
        found: dict[str, list[RelPath]] = {}
        for path in self.files:
            found.setdefault(path[path.rfind("/") + 1 :], []).append(path)
        return {name: tuple(paths) for name, paths in found.items()}

    @cached_property
    def by_folder(self) -> Mapping[str, tuple[RelPath, ...]]:
        """Paths by the folder they are in."""
        found: dict[str, list[RelPath]] = {}
        for path in self.paths:
            found.setdefault(path[: max(path.rfind("/"), 0)], []).append(path)
        return {folder: tuple(paths) for folder, paths in found.items()}

    @cached_property
    def paths(self) -> Sequence[RelPath]:
        return sorted(self.files)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The workspace at one moment. Read it from any thread; nothing here changes."""

    root: Path
    cache: Cache = field(repr=False)
    presence: Presence = field(repr=False)
    manifest: Manifest = field(default_factory=lambda: Manifest({}, {}), repr=False)
    buffers: Mapping[RelPath, Buffer] = field(default_factory=dict[RelPath, Buffer], repr=False)
    version: int = 0
    complete: bool = False
    """Whether every file has been indexed once. Before that answers are right but may miss some."""

    @property
    def files(self) -> Mapping[RelPath, FileEntry]:
        """The files on disk, whatever lies over them."""
        return self.manifest.files

    @property
    def skipped(self) -> Mapping[RelPath, str]:
        """Files that are not indexed, each with the reason."""
        return self.manifest.skipped

    def paths(self) -> Iterable[RelPath]:
        """Every file there is here, sorted."""
        if not self.buffers:
            return self.manifest.paths
        added = [p for p, b in self.buffers.items() if b.text is not None and p not in self.files]
        gone = {p for p, b in self.buffers.items() if b.text is None}
        if not added and not gone:
            return self.manifest.paths
        return sorted([*added, *(p for p in self.manifest.paths if p not in gone)])

    def has(self, path: RelPath) -> bool:
        buffer = self.buffers.get(path)
        if buffer is not None:
            return buffer.text is not None
        return path in self.files and self.presence.has(path)

    def text(self, path: RelPath) -> str:
        """The text of any file below the root, indexed or not. Raises FileUnreadable, OutsideWorkspace."""
        return self.content(path)[0]

    def content(self, path: RelPath) -> tuple[str, str]:
        """Text and digest as they are now; the digest is empty for a buffer. Raises what `text` raises."""
        buffer = self.buffers.get(path)
        if buffer is None:
            file = disk.read(self.root, path)
            return file.text, file.digest
        if buffer.text is None:
            raise FileUnreadable(path, "deleted")
        return buffer.text, ""

    def lines(self, path: RelPath) -> LineIndex:
        """Where the lines start; kept up to date for buffers. Raises what `text` raises."""
        buffer = self.buffers.get(path)
        if buffer is None or buffer.text is None:
            return LineIndex(self.text(path))
        return buffers.lines(buffer)

    def language(self, path: RelPath) -> Language | None:
        buffer = self.buffers.get(path)
        if buffer is not None:
            return buffer.language
        entry = self.files.get(path)
        if entry is None or not entry.digest:
            return language_for(path)
        return None if entry.language is None else by_id(entry.language)

    def facts(self, path: RelPath) -> FileFacts | None:
        """Definitions, references and imports; None for plain text and for what cannot be read."""
        buffer = self.buffers.get(path)
        if buffer is not None:
            return buffers.facts(buffer, self.cache)
        entry = self.files.get(path)
        if entry is not None and entry.digest:
            if entry.language is None or not self.presence.has(path):
                return None
            found = self.cache.facts(entry.digest, entry.language)
            if found is not None:
                return found
        made = self.tree(path)
        return None if made is None else extract(made)

    def tree(self, path: RelPath) -> SyntaxTree | None:
        """The syntax tree: kept with a buffer, made each time for a file on disk."""
        buffer = self.buffers.get(path)
        if buffer is not None:
            return buffers.tree(buffer)
        language = self.language(path)
        if language is None or not available(language) or path in self.skipped:
            return None
        try:
            return parse(self.text(path), language)
        except FileUnreadable:
            return None

    def definitions(self, name: str) -> list[Site]:
        """Every definition with this name, in order of path and place."""
        known = [
            Site(path, definition, index)
            for digest, language, index, definition in self.cache.definitions(name)
            for path in self._on_disk(digest, language)
        ]
        present = self.presence.among(site.path for site in known)
        sites = [site for site in known if site.path in present]
        for path, buffer in self.buffers.items():
            facts = buffers.facts(buffer, self.cache)
            if facts is not None:
                places = buffers.places(buffer, self.cache).get(name, ())
                sites += [Site(path, facts.definitions[i], i) for i in places]
        sites.sort(key=lambda site: (site.path, site.index))
        return sites

    def using(self, name: str) -> list[RelPath]:
        """The files that refer to this name, sorted."""
        known = [path for key in self.cache.using(name) for path in self._on_disk(*key)]
        found = list(self.presence.among(known))
        for path, buffer in self.buffers.items():
            facts = buffers.facts(buffer, self.cache)
            if facts is not None and name in facts.references:
                found.append(path)
        return sorted(found)

    def importing(self, words: Iterable[str]) -> list[RelPath]:
        """Files on disk with one of the words in an import, and every buffer: more than asked for."""
        known = [path for key in self.cache.importing(words) for path in self._on_disk(*key)]
        return sorted(
            [
                *self.presence.among(known),
                *(path for path, buffer in self.buffers.items() if buffer.text is not None),
            ]
        )

    def tokens(self, path: RelPath, count: Callable[[str], int]) -> int:
        """How many tokens the file has; counted once for each content. Raises what `text` raises."""
        buffer = self.buffers.get(path)
        if buffer is not None and buffer.text is not None:
            if buffer.memo.tokens is None:
                buffer.memo.tokens = count(buffer.text)
            return buffer.memo.tokens
        entry = self.files.get(path)
        known = self.cache.tokens(entry.digest) if entry is not None and entry.digest else None
        if known is None:
            if buffer is not None:
                raise FileUnreadable(path, "deleted")
            file = disk.read(self.root, path)
            known = self.cache.tokens(file.digest)
            if known is None:
                known = count(file.text)
                self.cache.keep_tokens(file.digest, known)
        return known

    def edited(self, path: RelPath, text: str | None) -> Snapshot:
        """A fork in which `path` has this text, or is deleted."""
        before = self.buffers.get(path)
        if before is None:
            buffer = buffers.make(path, text, original=self._disk_text(path))
        else:
            buffer = buffers.successor(before, path, text, before.version)
        return self.overlaid(path, buffer)

    def overlaid(self, path: RelPath, buffer: Buffer | None) -> Snapshot:
        """The same workspace with another buffer over `path`, or none."""
        overlay = dict(self.buffers)
        if buffer is None:
            overlay.pop(path, None)
        else:
            overlay[path] = buffer
        return replace(self, buffers=overlay, version=self.version + 1)

    def changes_since(self, base: Snapshot) -> list[FileEdit]:
        """What leads from `base` to this fork of it, sorted by path; a moved file is deleted and created."""
        edits: list[FileEdit] = []
        for path in sorted({*self.buffers, *base.buffers}):
            mine, theirs = self.buffers.get(path), base.buffers.get(path)
            if mine is theirs:
                continue
            after = self._disk_text(path) if mine is None else mine.text
            if theirs is not None:
                before = theirs.text
            else:
                before = mine.original if mine is not None else None
            if before != after:
                edits.append(FileEdit(path, before, after))
        return edits

    def _on_disk(self, digest: str, language: str) -> Sequence[RelPath]:
        """Paths with this content that nothing lies over."""
        paths = self.manifest.by_content.get((digest, language), ())
        return [p for p in paths if p not in self.buffers] if self.buffers else paths

    def _disk_text(self, path: RelPath) -> str | None:
        try:
            return disk.read(self.root, path).text
        except FileUnreadable:
            return None

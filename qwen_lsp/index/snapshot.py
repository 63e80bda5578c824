"""Snapshot: the immutable workspace at one moment.

Files on disk are named by a manifest and known by their facts, which an index service keeps by content;
open documents and the files of a fork lie over them as buffers. A snapshot of a fork is made from another
one and shares all but the change.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qwen_lsp.errors import FileUnreadable, WorkspaceError
from qwen_lsp.index import buffers, forks
from qwen_lsp.index.buffers import Buffer
from qwen_lsp.index.history import History
from qwen_lsp.index.manifest import Manifest
from qwen_lsp.index.packed import FileEntry
from qwen_lsp.index.presence import Presence
from qwen_lsp.index.service import IndexService
from qwen_lsp.index.sites import Site, place_of_site, sites_on_disk, users_on_disk
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.languages import Language, available, by_id, language_for
from qwen_lsp.syntax.parse import SyntaxTree, parse
from qwen_lsp.syntax.tags import extract
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.moves import with_moves
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath, folder_of

MOST_SITES = 50
"""Definitions of one name that an answer has unless it is asked for more."""
_MOST_USERS = 250


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The workspace at one moment. Read it from any thread; nothing here changes."""

    root: Path
    service: IndexService = field(repr=False)
    manifest: Manifest = field(default_factory=Manifest, repr=False)
    buffers: Mapping[RelPath, Buffer] = field(default_factory=dict[RelPath, Buffer], repr=False)
    modes: Mapping[RelPath, bool] = field(default_factory=dict[RelPath, bool], repr=False)
    """Files of a fork that may be run, or may no longer, other than the disk says."""
    version: int = 0
    complete: bool = False
    """Whether every file has been indexed once. Before that answers are right but may miss some."""
    history: History = field(default_factory=History, repr=False)
    """What git's log says of the workspace, as far as somebody has read it."""
    presence: Presence = field(default_factory=Presence, repr=False)
    listed: bool = False
    """Whether the disk was looked at since the workspace was opened. Before that the manifest is the one
    kept from the last time, checked around the open files only."""

    @property
    def files(self) -> Mapping[RelPath, FileEntry]:
        """The files on disk, whatever lies over them."""
        return self.manifest.files

    @property
    def skipped(self) -> Mapping[RelPath, str]:
        """Files that are not indexed, each with the reason."""
        return self.manifest.skipped

    def paths(self) -> Sequence[RelPath]:
        """Every file there is here, sorted."""
        if not self.buffers:
            return self.manifest.paths
        added = [p for p, b in self.buffers.items() if b.text is not None and p not in self.files]
        gone = {p for p, b in self.buffers.items() if b.text is None}
        if not added and not gone:
            return self.manifest.paths
        return sorted([*added, *(p for p in self.manifest.paths if p not in gone)])

    def in_folder(self, folder: str, *, check: bool = True) -> Sequence[RelPath]:
        """The files directly in a folder, sorted. `check` as in `definitions`."""
        known = self.manifest.in_folder(folder)
        if not self.buffers and not check:
            return known
        files = {p for p in known if p not in self.buffers and (not check or self.presence.has(p))}
        files.update(p for p, b in self.buffers.items() if b.text is not None and folder_of(p) == folder)
        return sorted(files)

    def ending_in(self, parts: str) -> Sequence[RelPath]:
        """The files whose path ends in these parts, of which the last is the whole name; sorted."""

        def fits(path: RelPath) -> bool:
            return path == parts or path.endswith(f"/{parts}")

        named = [p for p in self.manifest.named(posixpath.basename(parts)) if fits(p)]
        found = {p for p in named if p not in self.buffers and self.presence.has(p)}
        found.update(p for p, b in self.buffers.items() if b.text is not None and fits(p))
        return sorted(found)

    def has(self, path: RelPath) -> bool:
        buffer = self.buffers.get(path)
        on_disk = buffer is None and path in self.files and self.presence.has(path)
        return on_disk or (buffer is not None and buffer.text is not None)

    def as_listed(self, path: RelPath) -> bool:
        """Whether the disk has the file as it was when this was made, as far as that can be told."""
        if not self.listed or path in self.skipped:
            return True
        entry = self.files.get(path)
        try:
            found = disk.Stat.of(os.lstat(self.root / path))
            if entry is None:
                return False
            same = (found.size, found.mtime_ns) == (entry.size, entry.mtime_ns)
            return same or (bool(entry.digest) and disk.read(self.root, path).digest == entry.digest)
        except (OSError, ValueError, WorkspaceError):
            return entry is None

    def text(self, path: RelPath) -> str:
        """The text of any file below the root, indexed or not. Raises FileUnreadable, OutsideWorkspace."""
        buffer = self.buffers.get(path)
        if buffer is None:
            return disk.read(self.root, path).text
        if buffer.text is None:
            raise FileUnreadable(path, "deleted")
        return buffer.text

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
            return buffers.facts(buffer, self.service)
        entry = self.files.get(path)
        if entry is not None and entry.digest:
            if entry.language is None or not self.presence.has(path):
                return None
            found = self.service.facts(entry.digest, entry.language)
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

    def definitions(
        self, name: str, *, near: Collection[RelPath] = (), limit: int = MOST_SITES, check: bool = True
    ) -> list[Site]:
        """Definitions with this name, in order of path and place: all of them when they are `limit` or less.

        Of more, those in open documents, those in and beside the files `near`, and then any. Without `check`
        some may be in files that were deleted just now: for who looks at the files before showing them.
        """
        sites: list[Site] = []
        for path, buffer in self.buffers.items():
            facts = buffers.facts(buffer, self.service)
            if facts is not None:
                places = buffers.places(buffer, self.service).get(name, ())
                sites += [Site(path, facts.definitions[i], i, facts.language) for i in places]
        if len(sites) < limit:
            on_disk = [s for s in sites_on_disk(self, name, near, limit) if s.path not in self.buffers]
            lost = self.presence.lost(site.path for site in on_disk) if check else ()
            room = limit - len(sites)
            on_disk = [s for s in on_disk if s.path not in lost]
            if len(on_disk) > room and near:
                folders = {folder_of(path) for path in near}
                on_disk.sort(key=lambda s: (s.path not in near, folder_of(s.path) not in folders))
            sites += on_disk[:room]
            sites.sort(key=place_of_site)
        return sites[:limit]

    def users(self, name: str, limit: int = _MOST_USERS, *, check: bool = True) -> tuple[list[RelPath], bool]:
        """Files that refer to this name, sorted, at most `limit`; and whether those are all.

        They are not when there are more, and in a workspace so large that who uses what is kept for the
        files around the open ones only (setting `index.references_up_to`). `check` as in `definitions`.
        """
        on_disk, complete = users_on_disk(self, name, limit)
        found = [
            path for path in on_disk if path not in self.buffers and (not check or self.presence.has(path))
        ]
        for path, buffer in self.buffers.items():
            facts = buffers.facts(buffer, self.service)
            if facts is not None and name in facts.references:
                found.append(path)
        return sorted(found)[:limit], complete and len(found) <= limit

    def using(self, name: str, limit: int = _MOST_USERS, *, check: bool = True) -> list[RelPath]:
        """The files of `users` alone."""
        return self.users(name, limit, check=check)[0]

    def importing(self, words: Iterable[str]) -> list[RelPath]:
        """Files on disk with one of the words in an import, and every buffer: more than asked for."""
        found = [path for key in self.service.importing(words) for path in self._on_disk(*key)]
        return sorted([*found, *(path for path, buffer in self.buffers.items() if buffer.text is not None)])

    def tokens(self, path: RelPath, count: Callable[[str], int]) -> int:
        """How many tokens the file has; counted once for each content. Raises what `text` raises."""
        buffer = self.buffers.get(path)
        if buffer is not None and buffer.text is not None:
            if buffer.memo.tokens is None:
                buffer.memo.tokens = count(buffer.text)
            return buffer.memo.tokens
        entry = self.files.get(path)
        known = self.service.tokens(entry.digest) if entry is not None and entry.digest else None
        if known is None:
            if buffer is not None:
                raise FileUnreadable(path, "deleted")
            file = disk.read(self.root, path)
            known = self.service.tokens(file.digest)
            if known is None:
                known = count(file.text)
                self.service.keep_tokens(file.digest, known)
        return known

    def edited(self, path: RelPath, text: str | None, *, was: str | None = None) -> Snapshot:
        """A fork in which `path` has this text, or is deleted.

        `was` is what the text was made from, where that was read: the disk may have another one by now.
        """
        before = self.buffers.get(path)
        if before is None:
            original = forks.disk_text(self.root, path) if was is None else was
            buffer = buffers.make(path, text, original=original)
        else:
            buffer = buffers.successor(before, path, text, before.version)
        fork = self.overlaid(path, buffer)
        return replace(fork, modes=forks.modes(self, path, None)) if text is None else fork

    def moded(self, path: RelPath, executable: bool) -> Snapshot:
        """A fork in which `path` may be run, or may not. Its text is not looked at."""
        modes = forks.modes(self, path, executable)
        return self if modes == self.modes else replace(self, modes=modes, version=self.version + 1)

    def executable(self, path: RelPath) -> bool:
        """Whether the file may be run here; False for one that is not there."""
        return self.modes[path] if path in self.modes else forks.on_disk(self, path)

    def overlaid(self, path: RelPath, buffer: Buffer | None) -> Snapshot:
        """The same workspace with another buffer over `path`, or none."""
        overlay = dict(self.buffers)
        if buffer is None:
            overlay.pop(path, None)
        else:
            overlay[path] = buffer
        return replace(self, buffers=overlay, version=self.version + 1)

    def changes_since(self, base: Snapshot, *, moves: bool = True) -> list[FileEdit]:
        """What leads from `base` to this fork of it, sorted by path.

        A moved file is one edit with `moved_from`; without `moves` it is a deletion and a creation, for who
        asks path by path.
        """
        edits = forks.changes(base, self)
        return with_moves(edits) if moves else edits

    def _on_disk(self, digest: str, language: str) -> Sequence[RelPath]:
        """Paths with this content that nothing lies over."""
        paths = self.manifest.with_content(digest, language)
        known = [p for p in paths if p not in self.buffers] if self.buffers else paths
        return [path for path in known if self.presence.has(path)]

"""Store: the one mutable cell, which holds the current Snapshot.

Everything here runs on the event loop and takes microseconds to a few milliseconds, however many files
there are; whoever needs a steady view takes `store.current` once and keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from qwen_lsp.index import buffers
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.history import refreshed
from qwen_lsp.index.manifest import MOST_LAID_OVER, Manifest
from qwen_lsp.index.packed import DiskChange, FileEntry, Table
from qwen_lsp.index.presence import Presence
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.settings import IndexSettings
from qwen_lsp.text.edits import TextEdit, apply
from qwen_lsp.workspace.paths import RelPath

Listener = Callable[[Snapshot], None]


class Store:
    """Holds `current`, and swaps it when a document or the disk changes."""

    def __init__(self, root: Path, cache: Cache, settings: IndexSettings | None = None) -> None:
        self.root = root
        self.cache = cache
        self.settings = settings or IndexSettings()
        self.indexing = asyncio.Lock()
        """Held while the disk is compared with the index."""
        self.on_news: Callable[[RelPath], None] = lambda path: None
        """Called, from any thread, with a file found missing, or not as the index knows it, by a question."""
        self.current = Snapshot(root, cache, presence=Presence(root, lambda path: self.on_news(path)))
        self.ahead: set[RelPath] = set()
        """What was looked at beside the sweep that is running: newer than what that finds."""
        self.tracked: frozenset[str] | None = None
        """The ignored files that git tracks all the same, as last looked up."""
        self._listeners: list[Listener] = []

    @classmethod
    def at(cls, root: Path, settings: IndexSettings | None = None) -> Store:
        """A store over the index that is kept for `root`. Opens files: call it before the loop is busy."""
        settings = settings or IndexSettings()
        folder = Path(settings.cache_dir).expanduser() if settings.cache_dir else None
        return cls(root, Cache.open(root, folder), settings)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new snapshot; the result ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def open(self, path: RelPath, text: str, version: int | None = None) -> None:
        """An editor shows the file: from now on this text counts, not the disk's."""
        before = self.current.buffers.get(path)
        if before is None:
            buffer = buffers.make(path, text, version)
        else:
            buffer = buffers.successor(before, path, text, version)
        self._swap(self.current.overlaid(path, buffer))

    def change(self, path: RelPath, edits: Sequence[TextEdit], version: int | None = None) -> None:
        """Edits of an open document, all of them places in its current text, as in `text.edits.apply`.

        Content changes that build on one another are as many calls. Raises ConflictError when edits
        overlap, KeyError when the document is not open.
        """
        before = self.current.buffers[path]
        text = apply(before.text or "", edits)
        self._swap(self.current.overlaid(path, buffers.successor(before, path, text, version, edits)))

    def close(self, path: RelPath) -> None:
        """The disk counts again. Follow it with a refresh of the path: it may have been saved."""
        if path in self.current.buffers:
            self._swap(self.current.overlaid(path, None))

    def apply_disk(self, changes: Mapping[RelPath, DiskChange], *, complete: bool | None = None) -> None:
        """Take in what was found on disk: a few changes, and whether every file has been indexed."""
        current = self.current
        done = current.complete if complete is None else complete
        if not changes and done == current.complete:
            return
        self._learned(changes)
        manifest = current.manifest.with_changes(changes) if changes else current.manifest
        self._swap(replace(current, manifest=manifest, version=current.version + 1, complete=done))

    async def read_history(self) -> None:
        """Take in what git's log says now."""
        found = await refreshed(self.root, self.current.history)
        if found is not self.current.history:
            self._swap(replace(self.current, history=found, version=self.current.version + 1))

    async def apply_listing(self, changes: Mapping[RelPath, DiskChange]) -> None:
        """Take in what a look at the whole disk found: any number of changes."""
        await asyncio.to_thread(self._learned, changes)

        def listed(manifest: Manifest) -> Manifest:
            ahead = self.ahead.copy()
            return manifest.with_changes({p: c for p, c in changes.items() if p not in ahead}).merged()

        await self._change_manifest(listed, listed=True)

    async def take_over(self, table: Table) -> None:
        """Begin with the files that were kept from the last time, where none is known yet."""
        if not self.current.manifest.count:
            await self._change_manifest(lambda manifest: Manifest(table, manifest.over).merged())

    async def tidy(self, most: int = MOST_LAID_OVER) -> None:
        """Make the latest changes part of the table when there are more than `most`."""
        if len(self.current.manifest.over) > most:
            await self._change_manifest(Manifest.merged)

    async def _change_manifest(self, change: Callable[[Manifest], Manifest], *, listed: bool = False) -> None:
        """Make another manifest in a thread; once more when the disk changed meanwhile."""

        def make(before: Manifest) -> Manifest:
            after = change(before)
            if after is not before:
                after.prepare()
            return after

        while True:
            before = self.current.manifest
            after = await asyncio.to_thread(make, before)
            current = self.current
            if current.manifest is before:
                known = listed or current.listed
                if after is not before or known != current.listed:
                    version = current.version + 1
                    self._swap(replace(current, manifest=after, version=version, listed=known))
                return

    def _learned(self, changes: Mapping[RelPath, DiskChange]) -> None:
        """Let the index know which contents are in use from now on."""
        new = {
            (change.digest, change.language)
            for change in changes.values()
            if isinstance(change, FileEntry) and change.digest and change.language is not None
        }
        if new:
            self.cache.learned(new)

    def release(self) -> None:
        """Let go of the index's files. Snapshots that are still held know no closed file any more."""
        self.cache.close()

    def _swap(self, snapshot: Snapshot) -> None:
        self.current = snapshot
        for listener in tuple(self._listeners):
            listener(snapshot)

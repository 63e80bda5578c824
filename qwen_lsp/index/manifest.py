"""The manifest: which files the disk holds, by path, by content, by name and by folder. Never changed.

A large packed table with the latest changes laid over it, so that a new manifest costs what changed and not
what there is. `merged` makes the changes part of the table; whoever cares for the event loop calls it in a
thread.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from qwen_lsp.index.packed import DiskChange, FileEntry, Table
from qwen_lsp.workspace.paths import RelPath, folder_of

MOST_LAID_OVER = 2_000
"""Changes after which a manifest is better merged: each further one copies them."""
_MOST_FOLDERS = 64
_MOST_ENTRIES = 20_000


_Wanted = Callable[[str], bool]


class Manifest:
    def __init__(self, table: Table | None = None, over: Mapping[RelPath, DiskChange] | None = None) -> None:
        self.table = Table() if table is None else table
        self.over: Mapping[RelPath, DiskChange] = {} if over is None else over
        self.remembered: dict[str, Any] = {}
        self.remembered_users: dict[tuple[str, int], tuple[Sequence[RelPath], bool]] = {}
        """What a snapshot found out about names (`index.sites`); it holds as long as the manifest does."""
        self._folders: dict[str, Sequence[RelPath]] = {}
        self._entries: dict[RelPath, DiskChange] = {}
        """Rows of the table as objects, those that were asked for; manifests of one table share them."""

    @cached_property
    def files(self) -> Mapping[RelPath, FileEntry]:
        return _Files(self)

    @cached_property
    def skipped(self) -> Mapping[RelPath, str]:
        """Files that are not indexed, each with the reason."""
        return _Skipped(self)

    def get(self, path: RelPath) -> DiskChange:
        """What is known of a path; None when it is not on disk."""
        if path in self.over:
            return self.over[path]
        entry = self._entries.get(path)
        if entry is None and (row := self.table.paths.row(path)) >= 0:
            entry = self.table.entry(row)
            if len(self._entries) >= _MOST_ENTRIES:
                self._entries.clear()
            self._entries[path] = entry
        return entry

    def with_changes(self, changes: Mapping[RelPath, DiskChange]) -> Manifest:
        other = Manifest(self.table, {**self.over, **changes})
        other._entries = self._entries
        if "paths" in self.__dict__ and all(
            isinstance(self.get(path), FileEntry) == isinstance(change, FileEntry)
            for path, change in changes.items()
        ):
            other.__dict__["paths"] = self.paths
        return other

    def merged(self) -> Manifest:
        """The same with all changes in the table."""
        other = Manifest(self.table.with_changes(self.over)) if self.over else self
        if "paths" in self.__dict__:
            other.__dict__["paths"] = self.paths
        return other

    def prepare(self) -> None:
        """Do now what questions about names and about all paths need done once; it takes a while."""
        self.table.paths.prepare()
        _ = self.paths

    def with_content(self, digest: str, language: str) -> list[RelPath]:
        """Files with this content in this language."""
        paths = self.table.paths.rows
        found = [paths[row] for row in self.table.with_content(digest, language)]
        if not self.over:
            return found
        found = [path for path in found if path not in self.over]
        return found + self._over_by_content.get((digest, language), [])

    def named(self, name: str) -> list[RelPath]:
        """Files by the last part of their path, sorted."""
        return self._files_among(
            self.table.paths.named(name), lambda path: path[path.rfind("/") + 1 :] == name
        )

    def in_folder(self, folder: str) -> Sequence[RelPath]:
        """The files directly in a folder, sorted."""
        found = self._folders.get(folder)
        if found is None:
            rows = self.table.paths.directly_in(folder)
            found = self._files_among(rows, lambda path: folder_of(path) == folder)
            if len(self._folders) < _MOST_FOLDERS:
                self._folders[folder] = found
        return found

    def beneath(self, folder: str) -> list[RelPath]:
        """Everything known in a folder and below it, what is skipped included, sorted."""
        start = f"{folder}/"
        paths = self.table.paths
        rows = (row for row in paths.beneath(folder) if self.table.entry(row) is not None)
        found = {path for row in rows if (path := paths.rows[row]) not in self.over}
        return sorted([*found, *(p for p, c in self.over.items() if c is not None and p.startswith(start))])

    def folders(self) -> Iterable[str]:
        """Every folder that has, or had until shortly, a file; some perhaps twice."""
        yield from self.table.paths.folders
        yield from {folder_of(path) for path in self.over}

    @cached_property
    def paths(self) -> Sequence[RelPath]:
        """Every file, sorted."""
        table, over = self.table, self.over
        known = [path for row, path in enumerate(table.paths.rows) if table.is_file(row)]
        if not over:
            return known
        changed = (path for path, change in over.items() if isinstance(change, FileEntry))
        return sorted([*(path for path in known if path not in over), *changed])

    @cached_property
    def count(self) -> int:
        """How many files there are."""
        rows = ((self.table.paths.row(path), change) for path, change in self.over.items())
        return self.table.files + sum(
            isinstance(change, FileEntry) - (row >= 0 and self.table.is_file(row)) for row, change in rows
        )

    def items(self) -> Iterator[tuple[RelPath, FileEntry | str]]:
        """Every path on disk with what is known of it, what was changed last at the end."""
        for row, path in enumerate(self.table.paths.rows):
            if path not in self.over and (change := self.table.entry(row)) is not None:
                yield path, change
        for path, change in self.over.items():
            if change is not None:
                yield path, change

    def known(self) -> Iterator[RelPath]:
        """Every path on disk that is known, what is skipped included."""
        over, table = self.over, self.table
        for row, path in enumerate(table.paths.rows):
            if path not in over and not table.is_gone(row):
                yield path
        yield from (path for path, change in over.items() if change is not None)

    def _files_among(self, rows: Iterable[int], wanted: _Wanted) -> list[RelPath]:
        table, over = self.table, self.over
        found = [table.paths.rows[row] for row in rows if table.is_file(row)]
        if not over:
            return found
        changed = [p for p, change in over.items() if isinstance(change, FileEntry) and wanted(p)]
        return sorted([*(path for path in found if path not in over), *changed])

    @cached_property
    def _over_by_content(self) -> dict[tuple[str, str], list[RelPath]]:
        found: dict[tuple[str, str], list[RelPath]] = {}
        for path, change in self.over.items():
            if isinstance(change, FileEntry) and change.digest and change.language is not None:
                found.setdefault((change.digest, change.language), []).append(path)
        return found


class _Files(Mapping[RelPath, FileEntry]):
    """The files of a manifest as a mapping: entries are made when they are asked for."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __getitem__(self, path: RelPath) -> FileEntry:
        found = self._manifest.get(path)
        if not isinstance(found, FileEntry):
            raise KeyError(path)
        return found

    def get(self, path: RelPath, default: Any = None) -> Any:
        """Asked thousands of times for one prompt: no exception for what is no file."""
        found = self._manifest.get(path)
        return found if isinstance(found, FileEntry) else default

    def __contains__(self, path: object) -> bool:
        manifest = self._manifest
        if path in manifest.over:
            return isinstance(manifest.over[path], FileEntry)  # type: ignore[index]
        row = manifest.table.paths.row(path) if isinstance(path, str) else -1
        return row >= 0 and manifest.table.is_file(row)

    def __iter__(self) -> Iterator[RelPath]:
        return iter(self._manifest.paths)

    def __len__(self) -> int:
        return self._manifest.count

    def items(self) -> ItemsView[RelPath, FileEntry]:
        return _FileItems(self)

    def each(self) -> Iterator[tuple[RelPath, FileEntry]]:
        return ((path, e) for path, e in self._manifest.items() if isinstance(e, FileEntry))


class _FileItems(ItemsView[RelPath, FileEntry]):
    """One walk over the table, not one search for each path."""

    _mapping: _Files

    def __iter__(self) -> Iterator[tuple[RelPath, FileEntry]]:
        return self._mapping.each()


class _Skipped(Mapping[RelPath, str]):
    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __getitem__(self, path: RelPath) -> str:
        found = self._manifest.get(path)
        if not isinstance(found, str):
            raise KeyError(path)
        return found

    def __iter__(self) -> Iterator[RelPath]:
        over, table = self._manifest.over, self._manifest.table
        for row, path in enumerate(table.paths.rows):
            if not table.is_file(row) and path not in over and table.entry(row) is not None:
                yield path
        yield from (path for path, change in over.items() if isinstance(change, str))

    def __len__(self) -> int:
        return sum(1 for _ in self)

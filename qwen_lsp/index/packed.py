"""The files of a workspace packed small: sorted paths, and for each of them two numbers, a kind and a digest.

A hundred bytes a file, most of them its path, where objects in dictionaries take five times as much. What
is here never changes once it is made; `Table.with_changes` makes another one.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from qwen_lsp.workspace.paths import RelPath, folder_of

_DIGEST = 16
_UNREAD = bytes(_DIGEST)
_GONE = 0
_NOT_ZERO = 1 << 60
"""Above all bits of a hash that count; a key of 0 says that there is nothing to be found by."""
_HALVES = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file on disk. `digest` is empty until it has been read, which plain text never is."""

    digest: str
    size: int
    mtime_ns: int
    language: str | None


DiskChange = FileEntry | str | None
"""What became of a path on disk: indexed, skipped with a reason, or gone."""
Row = tuple[RelPath, int, int, str, str | None, str | None]
"""Path, size, time, digest, language; and why the file is skipped, when it is."""


class _Chains:
    """Rows by a hash: the last row of each hash, and from each row the one before it."""

    __slots__ = ("_heads", "_links", "_mask")

    def __init__(self, rows: int) -> None:
        size = 1 << max(4, rows.bit_length())
        self._mask = size - 1
        self._heads = array("I", bytes(4 * size))
        self._links = array("I", bytes(4 * rows))

    def fill(self, keys: Iterable[int]) -> None:
        """Add all rows at once; a key of 0 is left out."""
        heads, links, mask = self._heads, self._links, self._mask
        for row, key in enumerate(keys):
            if key:
                slot = key & mask
                links[row] = heads[slot]
                heads[slot] = row + 1

    def add(self, key: int, row: int) -> None:
        if not key:
            return
        slot = key & self._mask
        self._links[row] = self._heads[slot]
        self._heads[slot] = row + 1

    def remove(self, key: int, row: int) -> None:
        if not key:
            return
        slot, after = key & self._mask, self._links[row]
        at = self._heads[slot]
        if at == row + 1:
            self._heads[slot] = after
            return
        while at:
            following = self._links[at - 1]
            if following == row + 1:
                self._links[at - 1] = after
                return
            at = following

    def rows(self, key: int) -> Iterator[int]:
        at = self._heads[key & self._mask]
        while at:
            yield at - 1
            at = self._links[at - 1]

    def copy(self) -> _Chains:
        other = _Chains.__new__(_Chains)
        other._mask, other._heads, other._links = self._mask, self._heads[:], self._links[:]
        return other


class Paths:
    """Sorted paths, found by themselves, by their last part and by their folder."""

    def __init__(self, rows: list[RelPath]) -> None:
        self.rows = rows
        self._names: _Chains | None = None
        self._folders: tuple[str, ...] | None = None

    def row(self, path: str) -> int:
        """The place of a path; -1 when it is none of these."""
        at = bisect_left(self.rows, path)
        return at if at < len(self.rows) and self.rows[at] == path else -1

    def named(self, name: str) -> list[int]:
        """Rows whose last part is this, in order."""
        end = f"/{name}"
        found = self.prepare().rows(_name_key(name))
        return sorted(row for row in found if (p := self.rows[row]) == name or p.endswith(end))

    def prepare(self) -> _Chains:
        """Do what finding by name needs done once: a tenth of a second for a hundred thousand paths."""
        names = self._names
        if names is None:
            names = _Chains(len(self.rows))
            names.fill(_name_key(path) for path in self.rows)
            self._names = names
        return names

    def directly_in(self, folder: str) -> Iterator[int]:
        """Rows of the files in a folder, without those in folders below it."""
        prefix = f"{folder}/" if folder else ""
        at = bisect_left(self.rows, prefix)
        while at < len(self.rows) and (path := self.rows[at]).startswith(prefix):
            slash = path.find("/", len(prefix))
            if slash < 0:
                yield at
                at += 1
            else:  # "0" follows "/": past everything below that folder
                at = bisect_left(self.rows, f"{path[:slash]}0", at)

    def beneath(self, folder: str) -> range:
        """Rows of everything in a folder and below it."""
        if not folder:
            return range(len(self.rows))
        return range(bisect_left(self.rows, f"{folder}/"), bisect_left(self.rows, f"{folder}0"))

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder that has a file, sorted."""
        if self._folders is None:
            self._folders = tuple(sorted({folder_of(path) for path in self.rows}))
        return self._folders


def _name_key(path: str) -> int:
    return hash(path[path.rfind("/") + 1 :]) | _NOT_ZERO


def _digest_key(first: int, second: int) -> int:
    return (first ^ second) | _NOT_ZERO if first or second else 0


class Table:
    """What is known of each path: `entry(row)`, and the rows with some content."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        """`rows` in order of path, each path once; a digest is 32 hexadecimal digits or empty."""
        paths: list[RelPath] = []
        self._sizes, self._times, self._kinds = array("Q"), array("q"), array("H")
        self._digests = bytearray()
        self._labels: dict[tuple[str | None, str | None], int] = {}
        self._kind_names: list[tuple[str | None, str | None]] = [(None, None)]
        self.files = 0
        for path, size, mtime_ns, digest, language, reason in rows:
            paths.append(path)
            self._sizes.append(size)
            self._times.append(mtime_ns)
            label = (None if reason is not None else language, reason)
            kind = self._labels.get(label)
            self._kinds.append(self._kind(label) if kind is None else kind)
            self._digests += bytes.fromhex(digest) if digest and reason is None else _UNREAD
            self.files += reason is None
        self.paths = Paths(paths)
        self._contents = _Chains(len(paths))
        self._contents.fill(_digest_key(a, b) for a, b in _HALVES.iter_unpack(self._digests))

    def entry(self, row: int) -> DiskChange:
        kind = self._kinds[row]
        if kind == _GONE:
            return None
        language, reason = self._kind_names[kind]
        if reason is not None:
            return reason
        digest = self._digests[row * _DIGEST : (row + 1) * _DIGEST].hex() if self.is_read(row) else ""
        return FileEntry(digest, self._sizes[row], self._times[row], language)

    def is_file(self, row: int) -> bool:
        """Whether the row is neither skipped nor gone."""
        kind = self._kinds[row]
        return kind != _GONE and self._kind_names[kind][1] is None

    def is_gone(self, row: int) -> bool:
        return self._kinds[row] == _GONE

    def has_stat(self, row: int, size: int, mtime_ns: int) -> bool:
        """Whether the row is a file of this size and time."""
        return self._sizes[row] == size and self._times[row] == mtime_ns and self.is_file(row)

    def is_read(self, row: int) -> bool:
        """Whether the content of a file is known."""
        return not self._digests.startswith(_UNREAD, row * _DIGEST)

    def tally(self) -> tuple[int, int, dict[str, int], dict[str, int]]:
        """Files, their bytes, files by language, and skipped ones by reason."""
        languages: dict[str, int] = {}
        skipped: dict[str, int] = {}
        for kind, count in Counter(self._kinds).items():
            language, reason = self._kind_names[kind]
            if reason is not None:
                skipped[reason] = count
            elif language is not None:
                languages[language] = count
        size = sum(size for row, size in enumerate(self._sizes) if self.is_file(row))
        return self.files, size, languages, skipped

    def with_content(self, digest: str, language: str) -> list[int]:
        """Rows of files with this content in this language."""
        try:
            wanted = bytes.fromhex(digest)
        except ValueError:
            return []
        kind = self._labels.get((language, None))
        if kind is None or len(wanted) != _DIGEST:
            return []
        key = _digest_key(*_HALVES.unpack(wanted))
        return [
            row
            for row in self._contents.rows(key)
            if self._kinds[row] == kind and self._digests.startswith(wanted, row * _DIGEST)
        ]

    def with_changes(self, changes: Mapping[RelPath, DiskChange]) -> Table:
        """The table after these changes. Without new paths: a few milliseconds, whatever its size."""
        known = {path: self.paths.row(path) for path in changes}
        if any(row < 0 and changes[path] is not None for path, row in known.items()):
            return Table(self._merged(changes))
        other = Table.__new__(Table)
        other._sizes, other._times, other._kinds = self._sizes[:], self._times[:], self._kinds[:]
        other._digests, other._contents = self._digests[:], self._contents.copy()
        other._labels, other._kind_names = dict(self._labels), list(self._kind_names)
        other.files, other.paths = self.files, self.paths
        for path, row in known.items():
            if row >= 0:
                if other.is_read(row):
                    other._contents.remove(other._key(row), row)
                other._put(row, changes[path])
                if other.is_read(row):
                    other._contents.add(other._key(row), row)
        return other

    def _merged(self, changes: Mapping[RelPath, DiskChange]) -> Iterator[Row]:
        live = [path for row, path in enumerate(self.paths.rows) if self._kinds[row] != _GONE]
        added = sorted(
            path for path in changes if self.paths.row(path) < 0 or self.is_gone(self.paths.row(path))
        )
        # Two sorted runs are merged in a moment; the event loop waits for a sort, even in another thread.
        for path in sorted([*live, *added]):
            change = changes[path] if path in changes else self.entry(self.paths.row(path))
            if isinstance(change, FileEntry):
                yield path, change.size, change.mtime_ns, change.digest, change.language, None
            elif change is not None:
                yield path, 0, 0, "", None, change

    def _put(self, row: int, change: DiskChange) -> None:
        self.files -= self.is_file(row)
        at = row * _DIGEST
        if isinstance(change, FileEntry):
            self._sizes[row], self._times[row] = change.size, change.mtime_ns
            self._digests[at : at + _DIGEST] = bytes.fromhex(change.digest) if change.digest else _UNREAD
            self._kinds[row] = self._kind((change.language, None))
            self.files += 1
        else:
            self._digests[at : at + _DIGEST] = _UNREAD
            self._kinds[row] = _GONE if change is None else self._kind((None, change))

    def _kind(self, label: tuple[str | None, str | None]) -> int:
        number = self._labels.get(label)
        if number is None:
            number = self._labels[label] = len(self._kind_names)
            self._kind_names.append(label)
        return number

    def _key(self, row: int) -> int:
        return _digest_key(*_HALVES.unpack_from(self._digests, row * _DIGEST))

"""Sites: where the definitions of a name are in the files of a manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from qwen_lsp.index.manifest import Manifest
from qwen_lsp.index.packed import FileEntry
from qwen_lsp.index.service import Content, Defined, IndexService
from qwen_lsp.syntax.facts import Definition
from qwen_lsp.workspace.paths import RelPath, folder_of

_MOST_NEAR = 40
_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Site:
    """A definition and where it is; `index` is its position in the file's facts."""

    path: RelPath
    definition: Definition
    index: int
    language: str = field(default="", compare=False)


def place_of_site(site: Site) -> tuple[str, int]:
    return (site.path, site.index)


class _Files(Protocol):
    """What of a snapshot is asked here."""

    @property
    def manifest(self) -> Manifest: ...
    @property
    def service(self) -> IndexService: ...
    @property
    def buffers(self) -> Mapping[RelPath, object]: ...
    @property
    def files(self) -> Mapping[RelPath, FileEntry]: ...


def sites_on_disk(snapshot: _Files, name: str, near: Collection[RelPath], limit: int) -> Sequence[Site]:
    """Definitions in files on disk, whatever lies over them: all, or of too many at least `limit`.

    Of too many, those in and beside the files `near` come first. Remembered with the manifest.
    """
    remembered = snapshot.manifest.remembered
    known = remembered.get(name)
    if known is not None:
        return known
    room, most = limit + len(snapshot.buffers), limit + 1
    while True:
        found = snapshot.service.definitions(name, most)
        complete = len(found) < most
        if not complete and near:
            around = _contents_around(snapshot, near)
            first = snapshot.service.definitions(name, limit, around) if around else ()
            found = [*first, *(one for one in found if one[:2] not in around)]
        sites = _sites(snapshot.manifest, found, room)
        if complete or len(sites) == room:
            break
        most *= 8  # so many are of contents that no file has any more
    if complete and len(sites) < room:
        sites.sort(key=place_of_site)
        if len(remembered) > _MOST_REMEMBERED:
            remembered.clear()
        remembered[name] = sites
    return sites


def users_on_disk(snapshot: _Files, name: str, limit: int) -> tuple[Sequence[RelPath], bool]:
    """Files on disk that refer to a name, whatever lies over them, and whether that is all.

    More than `limit` where there are more. What is complete, or enough, is remembered with the manifest.
    """
    remembered = snapshot.manifest.remembered_users
    room = limit + len(snapshot.buffers)
    known = remembered.get((name, room))
    if known is not None:
        return known
    most = limit + 1
    while True:
        users = snapshot.service.using(name, most)
        found = [path for key in users.contents for path in snapshot.manifest.with_content(*key)]
        if len(users.contents) < most or len(found) > room:
            break
        most *= 8
    if users.complete or len(found) > room:
        if len(remembered) > _MOST_REMEMBERED // 10:
            remembered.clear()
        remembered[name, room] = found, users.complete
    return found, users.complete


def _sites(manifest: Manifest, found: Iterable[Defined], most: int) -> list[Site]:
    """The first definitions of contents as sites in files, at most so many."""
    sites: list[Site] = []
    for digest, language, index, definition in found:
        if len(sites) >= most:
            break
        sites += [Site(path, definition, index, language) for path in manifest.with_content(digest, language)]
    return sites[:most]


def _contents_around(snapshot: _Files, near: Collection[RelPath]) -> Collection[Content]:
    """The contents of some files and of the first ones beside each, of all together a few dozen.

    In this order, for an answer that is cut off must be the same in every process.
    """
    found: dict[Content, None] = {}
    folders = dict.fromkeys(folder_of(path) for path in near)
    beside = (path for folder in folders for path in snapshot.manifest.in_folder(folder))
    for path in (*near, *beside):
        entry = None if path in snapshot.buffers else snapshot.files.get(path)
        if entry is not None and entry.digest and entry.language is not None:
            found[entry.digest, entry.language] = None
            if len(found) >= _MOST_NEAR:
                break
    return found

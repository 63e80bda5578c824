"""Every other file of the workspace, for windows so wide that selection is not the question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.place import is_test, kinship
from qwen_lsp.index.manifest import Manifest
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.languages import by_id, language_for
from qwen_lsp.workspace.paths import RelPath, folder_of


class _Alike(NamedTuple):
    """Files of one folder that score alike for any place: one language, and all of them tests or none."""

    language: str
    tests: bool
    paths: Sequence[RelPath]


_ALIKE: Memory[Sequence[_Alike]] = Memory(4)
"""The files on disk, by manifest; a keystroke changes no manifest."""


def rest_of_workspace(snapshot: Snapshot, path: RelPath, language: str, limit: int) -> list[Candidate]:
    """The files with a language, nearest folders first and then by path, at most `limit`."""
    folder, from_test = folder_of(path), is_test(path)
    levels: dict[float, list[_Alike]] = {}
    for alike in _alike(snapshot):
        same = 1.0 if alike.language == language else 0.3
        test = 0.3 if alike.tests and not from_test else 1.0
        score = 0.02 * (0.1 + kinship(path, alike.paths[0])) * same * test
        levels.setdefault(score, []).append(alike)
    found: list[Candidate] = []
    for score in sorted(levels, reverse=True):
        level: list[Candidate] = []
        for alike in levels[score]:
            why = "in the same folder" if folder_of(alike.paths[0]) == folder else "in this workspace"
            level += [Candidate(other, "whole", score, why) for other in alike.paths if other != path]
        level.sort(key=attrgetter("path"))
        found += level
        if len(found) >= limit:
            break
    return found[:limit]


def _alike(snapshot: Snapshot) -> Iterator[_Alike]:
    """Every file that there is: those on disk that nothing lies over, and the open ones."""
    over = snapshot.buffers
    for alike in _on_disk(snapshot.manifest):
        if over.keys().isdisjoint(alike.paths):
            yield alike
        elif left := [path for path in alike.paths if path not in over]:
            yield alike._replace(paths=left)
    for path, buffer in over.items():
        if buffer.text is not None and buffer.language is not None:
            yield _Alike(buffer.language.id, is_test(path), (path,))


def _on_disk(manifest: Manifest) -> Sequence[_Alike]:
    known = _ALIKE.get(manifest)
    if known is None:
        found: dict[tuple[str, str, bool], list[RelPath]] = {}
        for path, entry in manifest.files.items():
            language = by_id(entry.language or "") if entry.digest else language_for(path)
            if language is not None:
                found.setdefault((folder_of(path), language.id, is_test(path)), []).append(path)
        known = [_Alike(language, tests, paths) for (_, language, tests), paths in found.items()]
        _ALIKE.keep(manifest, known, 1)
    return known

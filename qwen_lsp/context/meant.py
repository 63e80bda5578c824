"""Files that a place has to do with though it imports them not, or not yet.

Who writes `coercions.` means a module of that name before its import stands at the top of the file; and files
of one name in different folders, or a test and what it tests, are mostly about one thing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from qwen_lsp.context.names import Near
from qwen_lsp.context.place import Place, kinship
from qwen_lsp.syntax.languages import by_id
from qwen_lsp.workspace.paths import RelPath

_MOST_NAMESAKES = 4
_RECEIVERS = 12
_SAME_NAME = 0.25
_TEST_AFFIXES = ("test_", "_test", ".test", ".spec", "_spec", "Tests", "Test", "Spec")


def meant(place: Place, around: Mapping[str, Near]) -> Iterator[tuple[RelPath, float, str]]:
    """Files that the imports do not lead to, each with a weight in (0, 1] and the reason."""
    known = {*place.aliases, *place.names, *(d.name for d in place.facts.definitions)}
    unknown = [n for n in around.values() if n.asked and not n.dotted and n.name not in known]
    for use in sorted(unknown, key=lambda n: (-n.weight, n.name))[:_RECEIVERS]:
        for path, share in _named(place, use.name):
            yield path, use.weight * share, f"`{use.name}.` is written here, and this file has that name"
    for path, share in _named(place, _subject(place.path)):
        yield path, _SAME_NAME * share, "named like this file"


def _subject(path: RelPath) -> str:
    """What a file is about: its name without the ending, and without what makes it a test."""
    stem = posixpath.basename(path).partition(".")[0]
    for affix in _TEST_AFFIXES:
        stem = stem.removeprefix(affix).removesuffix(affix)
    return stem


def _named(place: Place, stem: str) -> Iterator[tuple[RelPath, float]]:
    """Files of this name in the language of the place, when they are few: each with its share."""
    language = by_id(place.facts.language)
    if language is None or not stem:
        return
    snapshot = place.snapshot
    found = [
        path
        for suffix in language.suffixes
        for path in snapshot.ending_in(stem + suffix)
        if path != place.path and path not in place.modules
    ]
    if not found or len(found) > _MOST_NAMESAKES:
        return
    weights = {path: 0.2 + kinship(place.path, path) for path in found}
    total = sum(weights.values())
    for path, weight in weights.items():
        yield path, weight / total

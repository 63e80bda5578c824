"""Files like this one, and what they use: the source of names that the file itself does not have yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qwen_lsp.context.names import NOISE, Near
from qwen_lsp.context.place import Place, is_test, kinship, language_id
from qwen_lsp.context.texts import indexed_name
from qwen_lsp.context.words import Subject
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath, folder_of

_ABOUT = 0.3
_RARE_NAMES = 24
_TOO_COMMON = 120
_FILES = 12
_SIBLINGS = 6
_MOST_SIBLINGS = 400
_TOGETHER = 12


@dataclass(frozen=True, slots=True)
class Usage:
    """How much files like this one use each name, from 0 to 1; a name that is about what stands near by is
    used a little, whoever uses it."""

    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    subject: Subject = field(default_factory=Subject)

    def of(self, name: str) -> float:
        used, about = self.weights.get(name, 0.0), self.subject.likeness(name)
        return max(_ABOUT * about, used)

    def most(self, number: int) -> list[str]:
        """The names used most, equal ones in order of name."""
        if not self.weights:
            return []
        # Comparing bare numbers first leaves few to be put in order by name as well.
        least = sorted(self.weights.values(), reverse=True)[:number][-1]
        among = [item for item in self.weights.items() if item[1] >= least]
        among.sort(key=lambda item: (-item[1], item[0]))
        return [name for name, _ in among[:number]]


_SAID: Memory[Sequence[tuple[str, float]]] = Memory(100_000)
"""What a content on disk refers to, by digest and language; bounded in names."""


def usage_around(place: Place, around: Mapping[str, Near]) -> Usage:
    """What the most similar files refer to, each name weighed by how similar its users are."""
    raw: dict[str, float] = {}
    for path, likeness in similar_files(place, around):
        for name, weight in _said(place.snapshot, path):
            raw[name] = raw.get(name, 0.0) + likeness * weight
    for name, uses in place.facts.references.items():
        raw[name] = raw.get(name, 0.0) + 0.5 * (1.0 + math.log(max(uses, 1)))
    top = max(raw.values(), default=1.0)
    return Usage({name: weight / top for name, weight in raw.items()}, Subject.of(around.values()))


def _said(snapshot: Snapshot, path: RelPath) -> Sequence[tuple[str, float]]:
    """The names that a file refers to, those of its language left out, each weighed by how often it does."""
    name = "" if path in snapshot.buffers else indexed_name(snapshot, path)
    key = (name, language_id(snapshot, path))
    known = _SAID.get(key) if name else None
    if known is not None:
        return known
    facts = snapshot.facts(path)
    if facts is None:
        return ()
    said = [
        (word, 1.0 + math.log(uses))
        for word, uses in facts.references.items()
        if word not in NOISE and len(word) > 1
    ]
    if name:
        _SAID.keep(key, said, len(said) + 1)
    return said


def similar_files(place: Place, around: Mapping[str, Near]) -> list[tuple[RelPath, float]]:
    """Files that use the rare names around the cursor, and the neighbours in its folder; bounded."""
    likeness: dict[RelPath, float] = {}
    ordered = sorted(around.values(), key=lambda n: (-n.weight * min(len(n.name), 12), n.name))
    for name in ordered[:_RARE_NAMES]:
        users = place.snapshot.using(name.name, _TOO_COMMON + 1, check=False)
        if len(users) > _TOO_COMMON:
            continue
        for path in users:
            if path != place.path:
                rare = name.weight / (1.0 + math.log(len(users) + 1))
                likeness[path] = likeness.get(path, 0.0) + rare * (0.5 + kinship(place.path, path))
    for path in same_folder(place.snapshot, place.path)[:_SIBLINGS]:
        likeness[path] = likeness.get(path, 0.0) + 0.15
    for path, weight, _ in changed_together(place):
        likeness[path] = likeness.get(path, 0.0) + 0.3 * weight
    for path in likeness:
        if is_test(path) and not is_test(place.path):
            likeness[path] *= 0.4
    best = sorted(likeness.items(), key=lambda item: (-item[1], item[0]))[:_FILES]
    top = best[0][1] if best else 1.0
    return [(path, weight / top) for path, weight in best]


def changed_together(place: Place) -> list[tuple[RelPath, float, int]]:
    """Code that git's log has together with this file: path, weight from 0 to 1, commits in common.

    Once is no habit: a first commit has everything.
    """

    def known(path: RelPath) -> bool:
        language = place.snapshot.language(path)
        return language is not None and language.is_code and place.snapshot.has(path)

    found = place.snapshot.history.related(place.path, _TOGETHER, known)
    return [each for each in found if each[2] > 1]


def same_folder(snapshot: Snapshot, path: RelPath) -> list[RelPath]:
    """Files of the same folder and language, those next to this one in the alphabet first."""
    language = language_id(snapshot, path)
    found = [
        other
        for other in snapshot.in_folder(folder_of(path), check=False)[:_MOST_SIBLINGS]
        if other != path and language_id(snapshot, other) == language
    ]
    at = sum(other < path for other in found)
    ranked = sorted(enumerate(found), key=lambda pair: (abs(pair[0] - at), pair[1]))
    return [other for _, other in ranked]

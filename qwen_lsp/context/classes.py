"""Members of the types in play: of enclosing classes' bases, of receivers, of classes named near by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qwen_lsp.context.candidates import Candidate, Pool
from qwen_lsp.context.lookups import Weighed
from qwen_lsp.context.names import Near, identifiers
from qwen_lsp.context.place import TYPES, Place, members, place_for_name, shares
from qwen_lsp.context.similar import Usage
from qwen_lsp.context.texts import lines_of
from qwen_lsp.index.sites import Site
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.outline import split_lines
from qwen_lsp.workspace.paths import RelPath

_CLASSES = 24
_DEPTH = 3
_BASES = 6
_REPLACED = 2.0
_MAKERS = frozenset({"__new__"})


class Hierarchy:
    """The types in play, each with the best score and reason seen so far. Filled by `rank`, then expanded."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.types: dict[tuple[RelPath, int], tuple[Site, float, str, int]] = {}
        self.in_class_body = False

    def add(self, site: Site, score: float, why: str = "", depth: int = 0) -> None:
        if site.definition.kind not in TYPES:
            return
        key = (site.path, site.index)
        known = self.types.get(key)
        if known is None or known[1] < score:
            self.types[key] = (site, score, why or f"member of `{site.definition.name}`, used here", depth)

    def best(self, done: set[tuple[RelPath, int]]) -> tuple[Site, float, str, int] | None:
        left = [entry for key, entry in self.types.items() if key not in done]
        return min(left, key=lambda e: (-e[1], e[0].path, e[0].index)) if left else None


def own_classes(place: Place, line: int, text: str, hierarchy: Hierarchy) -> None:
    """The bases of the classes around the cursor: what `self.` may reach."""
    lines = split_lines(text)
    around = place.facts.enclosing(line)
    hierarchy.in_class_body = bool(around) and place.facts.definitions[around[-1]].kind in TYPES
    for index in around:
        if place.facts.definitions[index].kind in TYPES:
            _own_bases(place, index, lines, hierarchy, set())


def _own_bases(place: Place, index: int, lines: Sequence[str], hierarchy: Hierarchy, seen: set[int]) -> None:
    """Bases named in the header of one of the file's own classes, through other classes of the file."""
    if index in seen or len(seen) > _BASES:
        return
    seen.add(index)
    definition = place.facts.definitions[index]
    local = {d.name: i for i, d in enumerate(place.facts.definitions) if d.kind in TYPES and d.parent < 0}
    for base in base_names(lines, place.facts, index):
        if base in local:
            _own_bases(place, local[base], lines, hierarchy, seen)
            continue
        for site, share in shares(place, base, dotted=False, limit=2):
            hierarchy.add(site, 0.9 * share, f"inherited from `{base}` by `{definition.name}`", 1)


def base_names(lines: Sequence[str], facts: FileFacts, index: int) -> list[str]:
    """The names in a type's header beside its own: bases, interfaces, type parameters."""
    definition = facts.definitions[index]
    header = "\n".join(lines[definition.name_line : definition.header_end + 1])
    return [n for n in identifiers(header[:2_000]) if n != definition.name and len(n) > 1][:_BASES]


def expand(place: Place, hierarchy: Hierarchy, around: Mapping[str, Near], usage: Usage, pool: Pool) -> None:
    """Add the members of the best types and, up the hierarchy, of their bases."""
    done: set[tuple[RelPath, int]] = set()
    while len(done) < _CLASSES and (found := hierarchy.best(done)) is not None:
        site, score, why, depth = found
        done.add((site.path, site.index))
        facts = place.snapshot.facts(site.path)
        if facts is None or site.index >= len(facts.definitions):
            continue
        pool.add(Candidate(site.path, "header", 0.7 * score, why, site.index))
        for index in members(facts, site.index):
            name = facts.definitions[index].name
            use = around[name].weight if name in around else 0.0
            if facts.definitions[index].kind == "constructor" or name in _MAKERS:
                # Who makes one has to know what it takes; who inherits calls it.
                pool.add(Candidate(site.path, "header", 0.35 * score, why, index))
                continue
            private = 0.4 if name.startswith("_") and depth == 0 else 0.8
            # In a class but in no method: what is written there mostly replaces what is inherited.
            replaced = _REPLACED if depth and hierarchy.in_class_body else 1.0
            member = replaced * score * private * (0.06 + 0.14 * usage.of(name))
            member += 0.3 * use * min(1.0, score * 2)
            pool.add(Candidate(site.path, "header", member, why, index))
        if depth < _DEPTH:
            _climb(place, site, facts, hierarchy, score, depth)


def _climb(
    place: Place,
    site: Site,
    facts: FileFacts,
    hierarchy: Hierarchy,
    score: float,
    depth: int,
) -> None:
    for base in base_names(lines_of(place.snapshot, site.path), facts, site.index):
        why = f"inherited from `{base}` by `{site.definition.name}`"
        for further, share in types_named(place, site.path, facts, base):
            hierarchy.add(further, 0.6 * score * share, why, depth + 1)


def types_named(place: Place, path: RelPath, facts: FileFacts, name: str) -> Weighed:
    """The types that `name` means in the file at `path`, which has these facts; each with its probability.

    None of the place's own file is among them; what that defines may change the answer all the same.
    """
    for index, definition in enumerate(facts.definitions):
        if definition.name == name and definition.kind in TYPES and definition.parent < 0:
            return [(Site(path, definition, index, facts.language), 1.0)]
    key = (path, name, tuple(d for d in place.facts.definitions if d.name == name))
    known = place.lookups.types.get(key)
    if known is None:
        there = place_for_name(place.snapshot, path, facts, name)
        found = shares(there, name, dotted=False, limit=2)
        known = [(site, share) for site, share in found if site.path != place.path]
        place.lookups.types[key] = known
    return known

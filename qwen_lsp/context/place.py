"""Place: what the file around a cursor imports and how its names find their definitions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from qwen_lsp.context.lookups import Lookups, Weighed, lookups_of
from qwen_lsp.context.names import last_part
from qwen_lsp.context.order import reach_of
from qwen_lsp.context.visibility import visible
from qwen_lsp.index.graph import resolve_all, resolve_import
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.sites import Site
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import FileFacts, Import, Kind
from qwen_lsp.syntax.languages import by_id, related
from qwen_lsp.workspace.paths import RelPath, folder_of

TYPES: frozenset[Kind] = frozenset({"class", "interface", "trait", "struct", "enum", "type", "impl"})
_TEST = re.compile(r"(^|[/_.-])(tests?|spec|specs|testing|__tests__|conftest)([/_.-]|$)", re.IGNORECASE)
_MANY = 60
_MOST_MEANINGS = 6
_DATA = frozenset({"key", "section", "element", "rule"})
_HOPS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """One file as its imports see the workspace. `modules` maps an imported file to the line that does it;
    `names` an imported name to the file that the import statement leads to."""

    snapshot: Snapshot
    path: RelPath
    facts: FileFacts
    modules: Mapping[RelPath, int] = field(default_factory=dict[RelPath, int])
    names: Mapping[str, RelPath] = field(default_factory=dict[str, RelPath])
    aliases: Mapping[str, RelPath] = field(default_factory=dict[str, RelPath])
    visible: Mapping[RelPath, float] = field(default_factory=dict[RelPath, float], repr=False)
    """Files whose names are within reach though none is imported, each with a weight up to 1."""
    lookups: Lookups = field(default_factory=Lookups, repr=False)

    @property
    def nearest(self) -> Collection[RelPath]:
        """The file and those it imports."""
        return (self.path, *self.modules)

    @property
    def folder(self) -> str:
        return folder_of(self.path)


@lru_cache(maxsize=16_384)
def is_test(path: str) -> bool:
    """Whether a path looks like a test, by the conventions of the common languages."""
    return _TEST.search(path) is not None


def place_of(snapshot: Snapshot, path: RelPath) -> Place:
    """Resolve the imports of `path`; a file without facts is a place without imports."""
    facts = snapshot.facts(path)
    if facts is None:
        return Place(snapshot, path, FileFacts(language="", lines=0))
    key = (path, facts.language, facts.imports)
    led = _LED.get(key)
    reach = reach_of(snapshot)
    if led is None or led.reach is not reach or any(snapshot.facts(p) is not f for p, f in led.asked):
        led = _led(snapshot, path, facts, reach)
        _LED.keep(key, led, 1)
    lookups = lookups_of(snapshot, path, led)
    return Place(snapshot, path, facts, led.modules, led.names, led.aliases, led.visible, lookups)


@dataclass(frozen=True, slots=True)
class _Led:
    """Where the imports of a file lead, as long as the same paths exist and the files asked are the same."""

    reach: object
    modules: Mapping[RelPath, int]
    names: Mapping[str, RelPath]
    aliases: Mapping[str, RelPath]
    visible: Mapping[RelPath, float]
    asked: Sequence[tuple[RelPath, FileFacts | None]]


_LED: Memory[_Led] = Memory(500)


def _led(snapshot: Snapshot, path: RelPath, facts: FileFacts, reach: object) -> _Led:
    modules: dict[RelPath, int] = {}
    names: dict[str, RelPath] = {}
    aliases: dict[str, RelPath] = {}
    asked: dict[RelPath, FileFacts | None] = {}
    for imp in facts.imports:
        target = resolve_import(snapshot, path, Import(imp.module, (), imp.line))
        for name in imp.names:
            # `from package import module`: the name is itself a file.
            inner = _submodule(snapshot, path, imp, name, target)
            if inner is not None:
                modules.setdefault(inner, imp.line)
                aliases[name] = inner
            elif target is not None:
                names[name] = defining_module(snapshot, target, name, asked)
                modules.setdefault(names[name], imp.line)
        if target is not None and target != path:
            modules.setdefault(target, imp.line)
            if not imp.names:
                aliases[last_part(imp.module)] = target
    modules.pop(path, None)
    seen = {p: w for p, w in visible(snapshot, path).items() if p not in modules}
    asked |= {p: snapshot.facts(p) for p in (*modules, *seen)} if len(seen) < _MANY else {}
    return _Led(reach, modules, names, aliases, seen, list(asked.items()))


def place_for_name(snapshot: Snapshot, path: RelPath, facts: FileFacts, name: str) -> Place:
    """A place that knows only the import of one name: enough to find what `name` means in `path`."""
    for imp in facts.imports:
        if name in imp.names:
            target = resolve_import(snapshot, path, Import(imp.module, (name,), imp.line))
            if target is not None:
                found = defining_module(snapshot, target, name)
                return Place(snapshot, path, facts, {found: imp.line}, {name: found})
    return Place(snapshot, path, facts)


def _submodule(
    snapshot: Snapshot, path: RelPath, imp: Import, name: str, target: RelPath | None
) -> RelPath | None:
    found = resolve_all(snapshot, path, Import(imp.module, (name,), imp.line))
    return next((other for other in found if other not in (target, path)), None)


def defining_module(
    snapshot: Snapshot, path: RelPath, name: str, asked: dict[RelPath, FileFacts | None] | None = None
) -> RelPath:
    """The file that defines `name` when `path` only passes it on, as a package's `__init__` does.

    `asked` takes note of the files that were looked into.
    """
    seen = {path}
    for _ in range(_HOPS):
        facts = snapshot.facts(path)
        if asked is not None:
            asked[path] = facts
        if facts is None or any(d.name == name and d.parent < 0 for d in facts.definitions):
            break
        passing = next((i for i in facts.imports if name in i.names), None)
        if passing is None:
            break
        further = resolve_import(snapshot, path, Import(passing.module, (name,), passing.line))
        if further is None or further in seen:
            break
        seen.add(further)
        path = further
    return path


def means(place: Place, site: Site) -> bool:
    """Whether a name here can mean that definition: keys and headings of other languages only look alike."""
    if site.path == place.path:
        return False
    return site.definition.kind not in _DATA or site.language == place.facts.language


def shares(place: Place, name: str, *, dotted: bool, limit: int = _MOST_MEANINGS) -> list[tuple[Site, float]]:
    """The definitions that `name` may mean at this place, with the probability given to each.

    The definitions of the place's own file are left out: whoever shows the context shows that file.
    """
    known = place.lookups.weighed.get((name, dotted))
    if known is None:
        known = place.lookups.weighed[name, dotted] = _weighed(place, name, dotted)
    return known[:limit]


def _weighed(place: Place, name: str, dotted: bool) -> Weighed:
    sites = place.lookups.sites.get(name)
    if sites is None:
        sites = place.lookups.sites[name] = [
            s
            for s in _once(place.snapshot.definitions(name, near=place.nearest, check=False))
            if means(place, s)
        ]
    if not sites:
        return []
    if len(sites) > _MANY:
        near = [s for s in sites if s.path in place.modules or folder_of(s.path) == place.folder]
        sites = near or sites[:_MANY]
    weighed = [(site, _likelihood(place, name, site, dotted)) for site in sites]
    total = sum(weight for _, weight in weighed) + 0.5
    weighed.sort(key=lambda pair: (-pair[1], pair[0].path, pair[0].index))
    return [(site, weight / total) for site, weight in weighed[:_MOST_MEANINGS]]


def _once(sites: Sequence[Site]) -> list[Site]:
    """An attribute is defined where it is set first, whoever sets it later."""
    found: dict[tuple[RelPath, object], Site] = {}
    for site in sites:
        definition = site.definition
        key = definition.parent if definition.kind == "field" else (site.index,)
        found.setdefault((site.path, key), site)
    return list(found.values())


def _likelihood(place: Place, name: str, site: Site, dotted: bool) -> float:
    top = site.definition.parent < 0
    weight = 1.0
    if place.names.get(name) == site.path and top:
        weight *= 60.0
    elif site.path in place.modules:
        weight *= 6.0
    elif (near := place.visible.get(site.path)) is not None:
        weight *= 1.0 + 5.0 * near
    weight *= 1.0 + 2.0 * kinship(place.path, site.path)
    if dotted != top:
        weight *= 2.0
    if is_test(site.path) and not is_test(place.path):
        weight *= 0.15
    if site.language != place.facts.language and not related(site.language, place.facts.language):
        other = by_id(site.language)
        weight *= 0.1 if other is not None and other.is_code else 0.01  # keys of data, headings of prose
    return weight


def language_id(snapshot: Snapshot, path: RelPath) -> str:
    entry = snapshot.files.get(path)
    if entry is not None and entry.digest and path not in snapshot.buffers:
        return entry.language or ""
    language = snapshot.language(path)
    return language.id if language is not None else ""


def kinship(a: str, b: str) -> float:
    """How much of their folders two paths share, from 0 to 1."""
    return _folder_kinship(folder_of(a), folder_of(b))


@lru_cache(maxsize=8_192)
def _folder_kinship(a: str, b: str) -> float:
    if a == b:
        return 1.0
    first, second = a.split("/") if a else [], b.split("/") if b else []
    common = 0
    for x, y in zip(first, second, strict=False):
        if x != y:
            break
        common += 1
    return common / max(len(first), len(second))


def members(facts: FileFacts, index: int) -> Sequence[int]:
    """Positions of the direct members of the definition at `index`."""
    end = facts.definitions[index].end_line
    found: list[int] = []
    for i in range(index + 1, len(facts.definitions)):
        definition = facts.definitions[i]
        if definition.line > end:
            break
        if definition.parent == index:
            found.append(i)
    return found

"""Candidates around a place, around a file, and for a task: each with a score and a reason.

Looks names up in the index and reads the facts of a bounded number of files; never scans texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qwen_lsp.context.candidates import Candidate, Pool
from qwen_lsp.context.classes import Hierarchy, expand, own_classes
from qwen_lsp.context.collector import collector_waits
from qwen_lsp.context.meant import meant
from qwen_lsp.context.names import Near, near, renamed_imports
from qwen_lsp.context.place import Place, means, place_of, shares
from qwen_lsp.context.receivers import receivers
from qwen_lsp.context.rest import rest_of_workspace
from qwen_lsp.context.similar import Usage, changed_together, usage_around
from qwen_lsp.context.survey import rank_file, rank_task
from qwen_lsp.context.texts import as_indexed, text_of
from qwen_lsp.context.visits import Visit, visited
from qwen_lsp.index.search import symbols
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.workspace.paths import RelPath

__all__ = ["USUAL", "limit_for", "rank", "rank_file", "rank_task"]

USUAL = 600
"""How many candidates are collected for a completion."""

_NAMES = 160
_ELSEWHERE = 80
_LEAST_HABITS, _MOST_HABITS = 80, 240
_HABITS_SHARE = 5
_PASSED_ON = 60
_FEW = 40
_WORDS = 4
_NAMES_OF_WORD = 30
_WIDE = 4_000


def limit_for(budget: int) -> int:
    """How many candidates are worth collecting for a budget in tokens; a header takes a dozen or two."""
    return max(150, budget // 8)


@collector_waits()
def rank(
    snapshot: Snapshot,
    path: RelPath,
    offset: int,
    *,
    text: str | None = None,
    limit: int = USUAL,
    visits: Sequence[Visit] = (),
) -> list[Candidate]:
    """What helps to write at `offset` of `path`, best first: headers above all, then the files they are in.

    `text` is the file's text when it is newer than the snapshot's; `visits` where somebody worked
    last, newest first. The file itself is never a candidate: it is the prompt's own part.
    """
    known = text if text is not None else text_of(snapshot, path)
    if known is None:
        return []
    place = place_of(as_indexed(snapshot), path)
    around = near(known, offset, renamed_imports(known, place.facts.imports))
    usage = usage_around(place, around)
    line = known.count("\n", 0, offset)
    pool = Pool()
    hierarchy = Hierarchy(place)
    _names_near(place, around, pool, hierarchy)
    receivers(place, around, known, offset, hierarchy)
    own_classes(place, line, known, hierarchy)
    expand(place, hierarchy, around, usage, pool)
    _modules(place, around, usage, pool)
    _habits(place, around, usage, pool, max(_LEAST_HABITS, limit // _HABITS_SHARE))
    if len(pool) < _FEW:
        _by_words(place, usage, pool)
    _files(place, pool, visits, limit)
    return pool.best(limit)


def _names_near(place: Place, around: Mapping[str, Near], pool: Pool, hierarchy: Hierarchy) -> None:
    """Definitions of what is written near the cursor, and of what the file imports or uses elsewhere."""
    ordered = sorted(around.values(), key=lambda n: (-n.weight, n.name))[:_NAMES]
    for name in ordered:
        _define(place, name, pool, hierarchy, _used(name))
    for imported in place.names:
        if imported not in around:
            far = Near(imported, 0.14, 999, dotted=False, called=False)
            _define(place, far, pool, hierarchy, "imported here")
    others = sorted(place.facts.references.items(), key=lambda item: (-item[1], item[0]))
    for name, uses in others[:_ELSEWHERE]:
        if name not in around and name not in place.names:
            far = Near(name, min(0.10, 0.04 + 0.01 * uses), 999, dotted=False, called=False)
            _define(place, far, pool, hierarchy, "used elsewhere in this file")


def _define(place: Place, name: Near, pool: Pool, hierarchy: Hierarchy, used: str) -> None:
    member = name.dotted and name.receiver not in place.aliases
    for site, share in shares(place, name.name, dotted=member):
        score = name.weight * share
        why = f"defines `{place_name(site.definition.name)}`, {used}"
        pool.add(Candidate(site.path, "header", score, why, site.index))
        hierarchy.add(site, score)


def _used(name: Near) -> str:
    if name.distance == 0:
        return "used on this line"
    return f"used {name.distance} line{'s' if name.distance > 1 else ''} away"


def place_name(name: str) -> str:
    """A name as it is shown in a reason; a very long one (a heading, a key) is cut."""
    return name if len(name) <= 60 else name[:57] + "..."


def _modules(place: Place, around: Mapping[str, Near], usage: Usage, pool: Pool) -> None:
    """What else the imported modules offer: the siblings of imported names."""
    near_module: dict[RelPath, float] = {}
    for source in (place.aliases, place.names):
        for name, module in source.items():
            weight = around[name].weight if name in around else 0.0
            if source is place.names:
                weight *= 0.4
            near_module[module] = max(near_module.get(module, 0.0), weight)
    for module, line in place.modules.items():
        weight = near_module.get(module, 0.0)
        _offered(place, module, weight, f"in a file imported at line {line + 1}", usage, pool)
        pool.add(Candidate(module, "whole", 0.3 + weight, f"imported at line {line + 1}"))
    for module, weight, why in meant(place, around):
        _offered(place, module, weight, why, usage, pool)
        pool.add(Candidate(module, "whole", weight, why))


def _offered(place: Place, module: RelPath, weight: float, why: str, usage: Usage, pool: Pool) -> None:
    """What stands at the top level of a file that is imported, or should be; and what that passes on."""
    facts = place.snapshot.facts(module)
    if facts is None:
        return
    base = 0.02 + 0.10 * weight
    for index, definition in enumerate(facts.definitions):
        if definition.parent >= 0 or definition.name in place.names:
            continue
        private = 0.3 if definition.name.startswith("_") else 1.0
        score = base * private * (0.3 + 1.7 * usage.of(definition.name))
        pool.add(Candidate(module, "header", score, why, index))
    if weight or len(facts.definitions) < len(facts.imports):
        _passed_on(place, module, facts, 0.6 * base, usage, pool)


def _passed_on(
    place: Place, module: RelPath, facts: FileFacts, base: float, usage: Usage, pool: Pool
) -> None:
    """What an imported module only passes on, as a package's `__init__` or an index file does."""
    snapshot = place.snapshot
    names = {name for imp in facts.imports for name in imp.names if name not in place.names}
    # Of most names nobody knows a use: those are put in order by name alone.
    used = sorted([name for name in names if usage.of(name)], key=lambda name: (-usage.of(name), name))
    unused = sorted(names.difference(used)) if len(used) < _PASSED_ON else []
    for name in [*used, *unused][:_PASSED_ON]:
        use = usage.of(name)
        for site, share in shares(place, name, dotted=False, limit=1):
            why = f"passed on by `{module}`, which is imported here"
            score = base * (0.3 + 1.7 * use) * min(1.0, 2 * share)
            if snapshot.has(site.path):
                pool.add(Candidate(site.path, "header", score, why, site.index))


def _habits(place: Place, around: Mapping[str, Near], usage: Usage, pool: Pool, number: int) -> None:
    """Names that similar files use, though this one does not use them near the cursor."""
    for name in usage.most(min(number, _MOST_HABITS)):
        if name in around:
            continue
        habit = usage.of(name)
        for site, share in shares(place, name, dotted=True, limit=3):
            why = f"defines `{place_name(name)}`, used by files like this one"
            pool.add(Candidate(site.path, "header", 0.10 * habit * share, why, site.index))


def _by_words(place: Place, usage: Usage, pool: Pool) -> None:
    """Definitions named with the words near by: all that is left where hardly a name is known yet."""
    for word in usage.subject.nearest(_WORDS):
        for site in symbols(place.snapshot, word, _NAMES_OF_WORD):
            score = 0.08 * usage.subject.likeness(site.definition.name)
            if score and means(place, site):
                pool.add(Candidate(site.path, "header", score, f"named with `{word}`", site.index))


def _files(place: Place, pool: Pool, visits: Sequence[Visit], limit: int) -> None:
    """The files that the headers come from may grow when there is room; recent ones are worth a look."""
    by_file: dict[RelPath, float] = {}
    for candidate in pool.best(limit):
        if candidate.form == "header":
            by_file[candidate.path] = by_file.get(candidate.path, 0.0) + candidate.score
    for path, score in by_file.items():
        pool.add(Candidate(path, "whole", score, "defines several names used here"))
    pool.extend(visited(place, visits))
    for path, weight, commits in changed_together(place):
        why = f"changed together with this file {commits} times"
        pool.add(Candidate(path, "whole", 0.4 * weight, why))
    if limit >= _WIDE:
        pool.extend(rest_of_workspace(place.snapshot, place.path, place.facts.language, limit))

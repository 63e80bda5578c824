"""Candidates around a whole file, to explain it, and for a task told in words, to carry it out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence

from qwen_lsp.context.candidates import Candidate, Pool
from qwen_lsp.context.names import NOISE
from qwen_lsp.context.place import Place, is_test, place_of, shares
from qwen_lsp.context.rest import rest_of_workspace
from qwen_lsp.context.similar import changed_together, same_folder
from qwen_lsp.index.graph import Resolved, dependencies, dependents
from qwen_lsp.index.search import symbols
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath

_NARROW = 600
"""Up to this many candidates only what hangs together is asked for, not the rest of the workspace."""
_REFERENCES = 300
_DEPENDENTS = 40
_USERS = 25
_WORD_HITS = 5
_PATH = re.compile(r"[\w@.+-]+(?:/[\w@.+-]+)+|[\w+-]+\.[A-Za-z]\w{0,9}\b")
_CODE = re.compile(r"`([^`\n]{2,80})`|\b([A-Za-z_]\w*(?:(?:\.|::)\w+)+)|\b(\w*[a-z0-9][A-Z]\w*|\w+_\w+)\b")
_WORD = re.compile(r"[A-Za-z]{4,}")
_IDENTIFIER = re.compile(r"[^\W\d]\w+")
_FRONT_DOOR = (
    "README.md", "README.rst", "README", "README.txt", "CONTRIBUTING.md", "pyproject.toml", "setup.py",
    "package.json", "Cargo.toml", "go.mod", "Makefile", "pom.xml", "build.gradle", "CMakeLists.txt",
    "composer.json", "Gemfile",
)  # fmt: skip
_PLAIN = """
this that with from have into when then them they there their which where while what should would could
must make made only also each every some more most than over under after before about because please need
want like just very file files code function class method change changes update remove delete create write
test tests name names line lines value values type types return returns
"""
PLAIN_WORDS = frozenset(_PLAIN.split())


def rank_file(snapshot: Snapshot, path: RelPath, *, limit: int = 2_000) -> list[Candidate]:
    """What explains a file, best first: what it builds on, who uses it and for what, its neighbours."""
    place = place_of(snapshot, path)
    pool = Pool()
    _around_file(place, pool, 1.0, {})
    if limit > _NARROW:
        pool.extend(rest_of_workspace(snapshot, path, place.facts.language, limit))
    return [c for c in pool.best(limit) if c.path != path]


def rank_task(
    snapshot: Snapshot, task: str, paths: Sequence[RelPath] = (), *, limit: int = 8_000
) -> list[Candidate]:
    """What a task needs: the files it points at, what its words name, and what hangs on those."""
    return task_ranker(snapshot, task, paths)(limit)


def task_ranker(
    snapshot: Snapshot, task: str, paths: Sequence[RelPath] = ()
) -> Callable[[int], list[Candidate]]:
    """`rank_task` for whoever asks with several limits: what does not depend on them is done once."""
    pool = Pool()
    focus: dict[RelPath, float] = {}
    for number, path in enumerate(paths):
        if snapshot.has(path):
            focus[path] = 1.0
            pool.add(Candidate(path, "whole", 12.0 / (1 + 0.1 * number), "open or given with the task"))
    for path in _mentioned_paths(snapshot, task):
        focus[path] = 1.0
        pool.add(Candidate(path, "whole", 8.0, "mentioned in the task"))
    for name in _mentioned_names(task):
        for path, score in _named(snapshot, name, pool).items():
            focus[path] = max(focus.get(path, 0.0), score)
    for path, score in _plain_words(snapshot, task, pool).items():
        focus[path] = max(focus.get(path, 0.0), score)
    ordered = sorted(focus.items(), key=lambda item: (-item[1], item[0]))[:12]
    known: Resolved = {}
    for path, score in ordered:
        _around_file(place_of(snapshot, path), pool, score, known)
    for path in _front_door(snapshot):
        pool.add(Candidate(path, "whole", 0.4, "tells what this workspace is and how it is built"))
    start = ordered[0][0] if ordered else RelPath("README.md")
    language = snapshot.language(start)

    def ranked(limit: int) -> list[Candidate]:
        if limit <= _NARROW:
            return pool.best(limit)
        wide = pool.copy()
        wide.extend(rest_of_workspace(snapshot, start, language.id if language else "", limit))
        return wide.best(limit)

    return ranked


def _around_file(place: Place, pool: Pool, weight: float, known: Resolved) -> None:
    snapshot, path = place.snapshot, place.path
    used = sorted(place.facts.references.items(), key=lambda item: (-item[1], item[0]))[:_REFERENCES]
    for name, uses in used:
        if name in NOISE:
            continue
        for site, share in shares(place, name, dotted=name not in place.names, limit=3):
            score = weight * 0.12 * share * (1.0 + math.log(uses))
            why = f"defines `{name}`, used {_times(uses)} by `{path}`"
            pool.add(Candidate(site.path, "header", score, why, site.index))
    for module, line in place.modules.items():
        pool.add(Candidate(module, "whole", weight, f"imported by `{path}` at line {line + 1}"))
    for module in dependencies(snapshot, path):
        pool.add(Candidate(module, "whole", 0.8 * weight, f"imported by `{path}`"))
    defined = {d.name for d in place.facts.definitions}
    for user in dependents(snapshot, path, known)[:_DEPENDENTS]:
        facts = snapshot.facts(user)
        names = sorted(defined & facts.references.keys()) if facts is not None else []
        said = ", ".join(f"`{name}`" for name in names[:3])
        why = f"uses {said} of `{path}`" if said else f"imports `{path}`"
        test = 0.5 if is_test(user) and not is_test(path) else 1.0
        pool.add(Candidate(user, "whole", weight * test * (0.2 + 0.1 * min(len(names), 5)), why))
    for neighbour in same_folder(snapshot, path)[:30]:
        pool.add(Candidate(neighbour, "whole", 0.08 * weight, f"in the folder of `{path}`"))
    for other, often, commits in changed_together(place):
        why = f"changed together with `{path}` {_times(commits)}"
        pool.add(Candidate(other, "whole", 0.3 * weight * often, why))
    for test in _tests_of(snapshot, path):
        pool.add(Candidate(test, "whole", 0.5 * weight, f"tests `{path}`"))


def _times(uses: int) -> str:
    return "once" if uses == 1 else f"{uses} times"


def _tests_of(snapshot: Snapshot, path: RelPath) -> list[RelPath]:
    """Test files named after this one."""
    stem = path.rpartition("/")[2].partition(".")[0]
    if is_test(path) or len(stem) < 3:
        return []
    wanted = {f"test_{stem}", f"{stem}_test", f"{stem}.test", f"{stem}.spec", f"{stem}Test", f"{stem}_spec"}
    wanted |= {f"Test{stem}", f"{stem}Tests", f"tests_{stem}"}
    return [p for p in snapshot.paths() if p.rpartition("/")[2].rpartition(".")[0] in wanted][:6]


def _mentioned_paths(snapshot: Snapshot, task: str) -> list[RelPath]:
    found: dict[RelPath, None] = {}
    words = list(dict.fromkeys(match.group().strip(".") for match in _PATH.finditer(task)))[:40]
    if not words:
        return []
    for word in words:
        if snapshot.has(RelPath(word)):
            found[RelPath(word)] = None
    left = [word for word in words if word not in found]
    if left:
        for path in snapshot.paths():
            if any(path.endswith("/" + word) for word in left):
                found[path] = None
                if len(found) >= 20:
                    break
    return list(found)


def _mentioned_names(task: str) -> list[str]:
    """Words that look like code: quoted, dotted, with underscores or inner capitals."""
    found: dict[str, None] = {}
    for match in _CODE.finditer(task):
        for name in _IDENTIFIER.findall(next(group for group in match.groups() if group)):
            if name not in NOISE:
                found[name] = None
    return list(found)[:60]


def _named(snapshot: Snapshot, name: str, pool: Pool) -> dict[RelPath, float]:
    focus: dict[RelPath, float] = {}
    sites = sorted(snapshot.definitions(name), key=lambda s: (is_test(s.path), s.path, s.index))[:12]
    for site in sites:
        score = 1.0 / len(sites) ** 0.5 * (0.3 if is_test(site.path) else 1.0)
        focus[site.path] = max(focus.get(site.path, 0.0), score)
        why = f"defines `{name}`, named in the task"
        pool.add(Candidate(site.path, "header", 2.0 * score, why, site.index))
        pool.add(Candidate(site.path, "whole", 4.0 * score, why))
    if sites:
        for user in snapshot.using(name)[:_USERS]:
            pool.add(Candidate(user, "whole", 0.5, f"uses `{name}`, named in the task"))
    return focus


def _plain_words(snapshot: Snapshot, task: str, pool: Pool) -> dict[RelPath, float]:
    """Words that are no code but may be part of a definition's or a file's name."""
    focus: dict[RelPath, float] = {}
    words = [w.lower() for w in _WORD.findall(task)]
    for word in [w for w in dict.fromkeys(words) if w not in PLAIN_WORDS][:20]:
        hits = [s for s in symbols(snapshot, word, _WORD_HITS) if word in s.definition.name.lower()]
        for site in hits:
            score = 0.3 * (0.3 if is_test(site.path) else 1.0)
            focus[site.path] = max(focus.get(site.path, 0.0), score)
            why = f"defines `{site.definition.name}`; the task says “{word}”"
            pool.add(Candidate(site.path, "header", score, why, site.index))
            pool.add(Candidate(site.path, "whole", 2.0 * score, why))
    return focus


def _front_door(snapshot: Snapshot) -> Iterable[RelPath]:
    return (RelPath(name) for name in _FRONT_DOOR if snapshot.has(RelPath(name)))

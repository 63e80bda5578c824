"""What a task told in words needs: what it names, and whose text has its words, rare ones counting most."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence

from qwen_lsp.context.candidates import Candidate, Pool
from qwen_lsp.context.place import is_test
from qwen_lsp.context.survey import PLAIN_WORDS, task_ranker
from qwen_lsp.errors import FileUnreadable
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.outline import split_lines
from qwen_lsp.workspace.paths import RelPath

_WORD = re.compile(r"[^\W\d_]{3,}")
_ENDING = re.compile(r"(?:ings?|edly|ed|es|s|ly|ions?|ers?)\Z")
_SHORTEST_STEM = 4
_MOST_WORDS = 30
_COMMON = 0.25
"""The share of files above which a word says nothing."""
_MOST_FILES = 20
_MOST_PARTS = 3
_MOST_SAID = 4
_LONGEST_PART = 60
_SATURATED, _LENGTH = 1.2, 0.6
"""How soon more of the same word counts no more, and how much the length of a text counts against it."""


def wording_ranker(
    snapshot: Snapshot, task: str, paths: Sequence[RelPath] = ()
) -> Callable[[int], list[Candidate]]:
    """`task_ranker` and `worded` as one, for whoever asks with several limits. Reads files: for a thread."""
    named, told = task_ranker(snapshot, task, paths), worded(snapshot, task)

    def ranked(limit: int) -> list[Candidate]:
        pool = Pool()
        pool.extend(named(limit))
        pool.extend(told)
        return pool.best(limit)

    return ranked


def worded(snapshot: Snapshot, task: str, *, seconds: float = 2.0) -> list[Candidate]:
    """The files whose text fits the words of a task best, with the definitions in them that do.

    Every file of code is read, for as long as there is time.
    """
    words = _stems(task)
    stems = list(words)
    if not stems:
        return []
    until = time.monotonic() + seconds
    counted: dict[RelPath, tuple[list[int], int]] = {}
    for path in snapshot.paths():
        if time.monotonic() > until:
            break
        if path in snapshot.skipped or snapshot.language(path) is None:
            continue
        try:
            text = snapshot.text(path).lower()
        except FileUnreadable:
            continue
        named = f"{path.lower()} " * 3
        counted[path] = ([text.count(stem) + named.count(stem) for stem in stems], len(text) + 1)
    weights = [
        _rarity(sum(1 for counts, _ in counted.values() if counts[at]), len(counted))
        for at in range(len(stems))
    ]
    usual = sum(length for _, length in counted.values()) / max(len(counted), 1)
    scores = {
        path: _score(counts, weights, length / usual) * (0.4 if is_test(path) else 1.0)
        for path, (counts, length) in counted.items()
    }
    best = sorted((path for path in scores if scores[path] > 0), key=lambda path: (-scores[path], path))
    top = scores[best[0]] if best else 1.0
    found: list[Candidate] = []
    for path in best[:_MOST_FILES]:
        share = scores[path] / top
        telling = [
            (-weight, words[stem])
            for stem, count, weight in zip(stems, counted[path][0], weights, strict=True)
            if count and weight
        ]
        why = f"its text speaks of {', '.join(word for _, word in sorted(telling)[:_MOST_SAID])}"
        found.append(Candidate(path, "whole", 3.0 * share * share, why))
        found += _parts(snapshot, path, stems, weights, share, why)
    return found


def _stems(task: str) -> dict[str, str]:
    """The words of a task without their endings, each with the first word that has it."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", task)
    found: dict[str, str] = {}
    for match in _WORD.finditer(spaced):
        word = match.group().lower()
        if word in PLAIN_WORDS:
            continue
        stem = _ENDING.sub("", word)
        found.setdefault(stem if len(stem) >= _SHORTEST_STEM else word, word)
    return dict(list(found.items())[:_MOST_WORDS])


def _rarity(files: int, of: int) -> float:
    return math.log(of / files) if 0 < files <= max(1, of * _COMMON) else 0.0


def _score(counts: Sequence[int], weights: Sequence[float], length: float) -> float:
    """BM25 of one text."""
    norm = _SATURATED * (1 - _LENGTH + _LENGTH * length)
    return sum(w * n * (_SATURATED + 1) / (n + norm) for n, w in zip(counts, weights, strict=True) if n)


def _parts(
    snapshot: Snapshot, path: RelPath, stems: Sequence[str], weights: Sequence[float], share: float, why: str
) -> list[Candidate]:
    """The definitions of a file that have most of the words, as they are written."""
    facts = snapshot.facts(path)
    if facts is None:
        return []
    lines = split_lines(snapshot.text(path))
    scored: list[tuple[float, int, int]] = []
    for d in facts.definitions:
        if d.end_line >= len(lines) or not 1 < d.end_line - d.line < _LONGEST_PART:
            continue
        text = "\n".join(lines[d.line : d.end_line + 1]).lower()
        score = _score([text.count(stem) for stem in stems], weights, len(text) / 800)
        if score > 0:
            scored.append((score, d.line, d.end_line))
    scored.sort(key=lambda one: (-one[0], one[1]))
    kept = scored[:_MOST_PARTS]
    return [
        Candidate(path, "excerpt", 2.5 * share * share * score / kept[0][0], why, lines=(first, last))
        for score, first, last in kept
    ]

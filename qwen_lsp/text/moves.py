"""Which deleted and created files are one file that was moved, told from what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from qwen_lsp.text.edits import FileEdit

_ALIKE = 0.5
"""Share of the longer text that a moved and edited file still has in common with what it was."""
_MOST_COMPARED = 2_500
"""Pairs of a deleted and a created file that are compared line by line."""


def with_moves(edits: Sequence[FileEdit]) -> list[FileEdit]:
    """The edits with each deletion and creation that belong together as one edit with `moved_from`.

    They belong together where the texts are equal, or alike and each is what the other is most like. Where
    two could be meant they stay as they are. The order is kept; a moved file stands where it was created.
    """
    gone = [edit for edit in edits if edit.after is None and edit.before]
    come = [edit for edit in edits if edit.before is None and edit.moved_from is None and edit.after]
    sources = dict(_equal(gone, come))
    left = set(sources.values())
    gone = [edit for edit in gone if edit.path not in left]
    come = [edit for edit in come if edit.path not in sources]
    if len(gone) * len(come) <= _MOST_COMPARED:
        sources |= _alike(gone, come)
    before = {edit.path: edit for edit in edits if edit.path in set(sources.values())}
    result: list[FileEdit] = []
    for edit in edits:
        if (source := sources.get(edit.path)) is not None:
            result.append(replace(edit, before=before[source].before, moved_from=source))
        elif edit.path not in before:
            result.append(edit)
    return result


def _equal(gone: Sequence[FileEdit], come: Sequence[FileEdit]) -> Iterator[tuple[str, str]]:
    """(new path, old path) of files with the same text: the only ones, or the only ones of their name."""
    by_text: dict[str, tuple[list[str], list[str]]] = {}
    for edit in gone:
        by_text.setdefault(edit.before or "", ([], []))[0].append(edit.path)
    for edit in come:
        if edit.after in by_text:
            by_text[edit.after][1].append(edit.path)
    for old, new in by_text.values():
        if len(old) == len(new) == 1:
            yield new[0], old[0]
            continue
        for path in new:
            sources = [source for source in old if _name(source) == _name(path)]
            if len(sources) == 1 and sum(_name(other) == _name(path) for other in new) == 1:
                yield path, sources[0]


def _alike(gone: Sequence[FileEdit], come: Sequence[FileEdit]) -> dict[str, str]:
    """(new path: old path) of files that are most like each other, and clearly so."""
    lines = {edit.path: _lines(edit.before or "") for edit in gone}
    likeness: dict[tuple[str, str], float] = {}
    scores: dict[str, list[float]] = {}
    for new in come:
        counted = _lines(new.after or "")
        for old in gone:
            common = (lines[old.path] & counted).total()
            score = common / max(lines[old.path].total(), counted.total(), 1)
            likeness[new.path, old.path] = score
            scores.setdefault(new.path, []).append(score)
            scores.setdefault(old.path, []).append(score)
    best = {path: sorted(every, reverse=True)[:2] for path, every in scores.items()}

    def clear(score: float, path: str) -> bool:
        return best[path][0] == score and best[path][1:] != [score]

    return {
        path: source
        for (path, source), score in likeness.items()
        if score >= _ALIKE and clear(score, path) and clear(score, source)
    }


def _lines(text: str) -> Counter[str]:
    """Each line as often as it is long: what many texts share are their short lines."""
    counted: Counter[str] = Counter()
    for line in text.split("\n"):
        if stripped := line.strip():
            counted[stripped] += len(stripped)
    return counted


def _name(path: str) -> str:
    return path.rpartition("/")[2]

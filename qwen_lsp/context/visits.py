"""Where somebody worked a moment ago: what was just written is often what is about to be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.place import Place
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.workspace.paths import RelPath

_FILES = 8
_LINES_AROUND = 5
_LONGEST = 24


class Visit(NamedTuple):
    """A file that was opened or edited, and the zero-based line that was edited last, if any."""

    path: RelPath
    line: int | None = None


def visited(place: Place, visits: Sequence[Visit]) -> Iterator[Candidate]:
    """The files of the last visits, the newest worth most, and the lines around the last edit of each."""
    for age, visit in enumerate(visits[:_FILES]):
        if visit.path == place.path or not place.snapshot.has(visit.path):
            continue
        yield Candidate(visit.path, "whole", 0.5 / (1 + age), "edited or opened a moment ago")
        facts = place.snapshot.facts(visit.path)
        if visit.line is not None and facts is not None:
            lines = _around(facts, visit.line)
            yield Candidate(visit.path, "excerpt", 0.6 / (1 + age), "edited a moment ago", lines=lines)


def _around(facts: FileFacts, line: int) -> tuple[int, int]:
    """The innermost short definition of several lines around a line, else a few lines before and behind."""
    for position in reversed(facts.enclosing(line)):
        definition = facts.definitions[position]
        if 1 < definition.end_line - definition.line < _LONGEST:
            return definition.line, definition.end_line
    return max(0, line - _LINES_AROUND), min(line + _LINES_AROUND, max(line, facts.lines - 1))

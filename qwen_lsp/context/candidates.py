"""Candidate: one thing that could be shown, with its score and its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from qwen_lsp.workspace.paths import RelPath

Form = Literal["whole", "outline", "header", "excerpt"]


Key = RelPath | tuple[RelPath, int, tuple[int, int] | None]


class Candidate(NamedTuple):
    """Something worth showing. A header or an excerpt is shown as it is; a file may be shown smaller.

    `form` "whole" means whole when the budget allows, else the outline; "outline" never grows.
    `position` is the header's in the file's definitions, `lines` the excerpt (zero-based, inclusive).
    A named tuple, because a prompt makes thousands of them: a frozen dataclass takes four times as long.
    """

    path: RelPath
    form: Form
    score: float
    why: str
    position: int = -1
    lines: tuple[int, int] | None = None

    @property
    def key(self) -> Key:
        """Equal for candidates that show the same thing; a file is one thing, however much of it is shown."""
        if self.form in ("whole", "outline"):
            return self.path
        return (self.path, self.position, self.lines)


@dataclass(slots=True)
class Pool:
    """Candidates being collected: the same thing found twice keeps its best reason and gains a little."""

    _found: dict[Key, Candidate] = field(default_factory=dict[Key, Candidate])

    def __len__(self) -> int:
        return len(self._found)

    def add(self, candidate: Candidate) -> None:
        key = candidate.key
        known = self._found.setdefault(key, candidate)
        if known is candidate:
            return
        better, other = (candidate, known) if candidate.score > known.score else (known, candidate)
        form: Form = "whole" if "whole" in (better.form, other.form) else better.form
        score = better.score + 0.25 * other.score
        self._found[key] = Candidate(better.path, form, score, better.why, better.position, better.lines)

    def extend(self, candidates: Iterable[Candidate]) -> None:
        for candidate in candidates:
            self.add(candidate)

    def copy(self) -> Pool:
        """Another pool with the same candidates, to add more to."""
        return Pool(dict(self._found))

    def best(self, limit: int) -> list[Candidate]:
        """The highest scores first; equal ones in order of path and position, so that a pack is stable."""
        ranked = sorted(self._found.values(), key=lambda c: (-c.score, c.path, c.position, c.lines or (0, 0)))
        return ranked[:limit]

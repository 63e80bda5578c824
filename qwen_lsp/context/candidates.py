"""Candidate: one thing that could be shown, with its score and its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from qwen_lsp.workspace.paths import RelPath

Form = Literal["whole", "outline", "header", "excerpt"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something worth showing. A header or an excerpt is shown as it is; a file may be shown smaller.

    `form` "whole" means whole when the budget allows, else the outline; "outline" never grows.
    `index` is the header's position in the file's definitions, `lines` the excerpt (zero-based, inclusive).
    """

    path: RelPath
    form: Form
    score: float
    why: str
    index: int = -1
    lines: tuple[int, int] | None = None

    @property
    def key(self) -> tuple[RelPath, str, int, tuple[int, int] | None]:
        kind = "file" if self.form in ("whole", "outline") else self.form
        return (self.path, kind, self.index, self.lines)


@dataclass(slots=True)
class Pool:
    """Candidates being collected: the same thing found twice keeps its best reason and gains a little."""

    _found: dict[tuple[RelPath, str, int, tuple[int, int] | None], Candidate] = field(
        default_factory=dict[tuple[RelPath, str, int, tuple[int, int] | None], Candidate]
    )

    def __len__(self) -> int:
        return len(self._found)

    def add(self, candidate: Candidate) -> None:
        known = self._found.get(candidate.key)
        if known is None:
            self._found[candidate.key] = candidate
            return
        better, other = (candidate, known) if candidate.score > known.score else (known, candidate)
        form: Form = "whole" if "whole" in (better.form, other.form) else better.form
        self._found[candidate.key] = Candidate(
            better.path, form, better.score + 0.25 * other.score, better.why, better.index, better.lines
        )

    def extend(self, candidates: Iterable[Candidate]) -> None:
        for candidate in candidates:
            self.add(candidate)

    def best(self, limit: int) -> list[Candidate]:
        """The highest scores first; equal ones in order of path and position, so that a pack is stable."""
        ranked = sorted(self._found.values(), key=lambda c: (-c.score, c.path, c.index, c.lines or (0, 0)))
        return ranked[:limit]

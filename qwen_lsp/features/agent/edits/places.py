"""Places of an edit: one, or with `replace_all` all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.agent.edits import refusal
from qwen_lsp.features.agent.edits.laying import lay_over
from qwen_lsp.features.agent.edits.lines import Line, local_end


@dataclass(frozen=True, slots=True)
class Change:
    """What one place becomes."""

    start: int
    end: int
    text: str


def choose(text: str, places: Sequence[tuple[int, int]], replace_all: bool) -> list[tuple[int, int]]:
    """The one place, or with `replace_all` those that do not overlap; refused when there are several."""
    if len(places) > 1 and not replace_all:
        raise EditRejected(refusal.ambiguous(text, [start for start, _ in places]))
    chosen: list[tuple[int, int]] = []
    for place in places:
        if not chosen or place[0] >= chosen[-1][1]:
            chosen.append(place)
    return chosen


def offsets_of(lines: Sequence[Line]) -> list[int]:
    """Where each line starts, and where the last one ends."""
    return list(accumulate((len(content) + len(end) for content, end in lines), initial=0))


def whole_lines(
    text: str, last: Line, span: tuple[int, int], said: str, want: str, indents: Mapping[str, str] | None
) -> Change:
    """`want` in place of the lines at `span`, of which `last` is the last and which `said` quotes."""
    start, end = span
    if not said.endswith("\n"):
        # The line end behind the last line is not part of what was quoted.
        end -= len(last.end)
    elif not last.end:
        # The file's last line has no line end, and keeps none.
        said, want = said[:-1], want.removesuffix("\n")
    laid = lay_over(text[start:end], said, want, local_end(text, start, end), indents)
    return Change(start, end, laid)

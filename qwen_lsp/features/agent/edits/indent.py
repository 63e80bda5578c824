"""Text whose indentation drifted as a whole: found by its words, put back at the file's own levels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

Adapt = Callable[[str], str]
"""A line's content with its indentation turned into the file's."""


def windows(file_lines: Sequence[str], old_lines: Sequence[str]) -> list[int]:
    """Where the lines of `old_lines` stand in the file when indentation does not count."""
    stripped = [line.strip() for line in file_lines]
    wanted = [line.strip() for line in old_lines]
    first = next((at for at, line in enumerate(wanted) if line), None)
    if first is None:
        return []
    found: list[int] = []
    for at, line in enumerate(stripped):
        begin = at - first
        if line == wanted[first] and begin >= 0 and stripped[begin : begin + len(wanted)] == wanted:
            found.append(begin)
    return found


def indentation(line: str) -> str:
    """The blanks a line begins with; empty for a blank line."""
    content = line.lstrip(" \t")
    return line[: len(line) - len(content)] if content else ""


def adapter(
    have: Sequence[str], said: Sequence[str], want: Sequence[str], file: Sequence[str]
) -> Adapt | None:
    """How to bring `want` to the file's indentation, given that the file has `have` for `said`.

    The change must be one rule that explains every line, either levels of one unit turned into levels
    of another or the same blanks added or removed throughout. None when no rule does, or when two do
    that disagree about a new line.
    """
    pairs = [
        (indentation(s), indentation(h)) for h, s in zip(have, said, strict=True) if s.strip() and h.strip()
    ]
    needed = {indentation(line) for line in want if line.strip()}
    answers: list[dict[str, str]] = []
    for rule in _rules(pairs, needed, file):
        if all(rule(said_) == have_ for said_, have_ in pairs):
            mapped = {blank: rule(blank) for blank in needed}
            if None not in mapped.values():
                answers.append({key: value for key, value in mapped.items() if value is not None})
    if not answers or any(answer != answers[0] for answer in answers[1:]):
        return None
    table = answers[0]

    def adapt(line: str) -> str:
        blank = indentation(line)
        if not line.strip():
            return line
        return table.get(blank, blank) + line[len(blank) :]

    return adapt


def _rules(
    pairs: Sequence[tuple[str, str]], needed: set[str], file: Sequence[str]
) -> Iterator[Callable[[str], str | None]]:
    """The rules worth trying; one that keeps the levels settles it and comes alone."""
    known = {said for said, _ in pairs}
    unit_said = _unit(known | needed)
    unit_file = _unit({indentation(line) for line in file})
    if unit_said and unit_file and unit_said != unit_file:
        levels = _levels(pairs, unit_said, unit_file)
        if levels == 0 or (levels is not None and len(known) > 1):
            yield lambda blank: _relevel(blank, unit_said, unit_file, levels)
            return
        if levels is not None:
            yield lambda blank: _relevel(blank, unit_said, unit_file, levels)
    said, have = pairs[0]
    if have.endswith(said):
        extra = have[: len(have) - len(said)]
        yield lambda blank: extra + blank
    if said.startswith(have):
        less = said[len(have) :]
        yield lambda blank: blank[len(less) :] if blank.startswith(less) else None


def _unit(blanks: set[str]) -> str:
    """The unit of indentation: a tab, or the largest count of spaces that divides all; empty: mixed."""
    used = [blank for blank in blanks if blank]
    if not used:
        return ""
    if all(set(blank) == {"\t"} for blank in used):
        return "\t"
    if any("\t" in blank for blank in used):
        spaces = [blank for blank in used if "\t" not in blank]
        # Alignment by a few spaces inside a file of tabs does not make it a mixed one.
        return "\t" if len(spaces) * 4 < len(used) else ""
    step = math.gcd(*(len(blank) for blank in used))
    return " " * step if step > 1 else _common_step(used)


def _common_step(blanks: Sequence[str]) -> str:
    """The step that most of the indentations share, where a few odd ones spoil the divisor."""
    for step in (8, 4, 3, 2):
        if sum(len(blank) % step == 0 for blank in blanks) * 10 >= len(blanks) * 7:
            return " " * step
    return ""


def _levels(pairs: Sequence[tuple[str, str]], unit_said: str, unit_file: str) -> int | None:
    """By how many levels the file is deeper, when every line agrees."""
    shifts: set[int] = set()
    for said, have in pairs:
        level_said, level_have = _level(said, unit_said), _level(have, unit_file)
        if level_said is None or level_have is None:
            return None
        shifts.add(level_have - level_said)
    return shifts.pop() if len(shifts) == 1 else None


def _level(blank: str, unit: str) -> int | None:
    count, rest = divmod(len(blank), len(unit))
    return count if not rest and blank == unit * count else None


def _relevel(blank: str, unit_said: str, unit_file: str, shift: int) -> str | None:
    level = _level(blank, unit_said)
    return None if level is None or level + shift < 0 else unit_file * (level + shift)

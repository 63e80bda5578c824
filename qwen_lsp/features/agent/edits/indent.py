"""Lines whose indentation drifted as a whole: the one rule by which new lines get the file's levels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

Table = Mapping[str, str]
"""What each indentation of the new lines is in the file."""
_OPENERS = (":", "{", "(", "[", ">", " then", " do", "begin", "=>")
Pairs = Sequence[tuple[str, str]]
"""(as quoted, in the file) for each line that is not blank."""


def indentation(line: str) -> str:
    """The blanks a line begins with; empty for a blank line."""
    content = line.lstrip(" \t")
    return line[: len(line) - len(content)] if content else ""


def windows(file_lines: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where these lines stand in the file; both without indentation."""
    first = next((at for at, line in enumerate(wanted) if line), None)
    if first is None:
        return []
    size, last = len(wanted), wanted[-1]
    found: list[int] = []
    for at, line in enumerate(file_lines):
        begin = at - first
        if (
            line == wanted[first]
            and 0 <= begin <= len(file_lines) - size
            and file_lines[begin + size - 1] == last
            and file_lines[begin : begin + size] == wanted
        ):
            found.append(begin)
    return found


def table(have: Sequence[str], said: Sequence[str], want: Sequence[str], file: Sequence[str]) -> Table | None:
    """How to indent `want`, given that the file has the lines `have` where `said` was quoted.

    One rule must explain every line: the same blanks added or removed throughout, or levels of one unit
    turned into levels of another; or `want` is written as the file is, though `said` is not. None when no
    rule does, or when two do that disagree and both make sense.
    """
    pairs = [(indentation(s), indentation(h)) for h, s in zip(have, said, strict=True) if s.strip()]
    new = [indentation(line) for line in want if line.strip()]
    unit = _unit(file)
    if not _explained(pairs, unit):
        return None
    if not new:
        return {}
    adapted = _adapted(pairs, new, unit)
    kept = {blank: blank for blank in new}
    written_as = _written_as(have, said, want)
    if written_as == "quotation" or adapted == kept:
        return adapted
    if adapted is not None and len(adapted[new[0]]) > len(pairs[0][1]):
        adapted = None  # deeper than what it replaces: then `new` is not written as `said` is
    sure = adapted is not None and _sensible([adapted[blank] for blank in new], pairs, unit)
    as_is = _sensible(new, pairs, unit) and (written_as == "file" or new[0] == pairs[0][1])
    if written_as == "file" or as_is:
        # A level that is taken away or added makes quoted lines look like those of the file.
        return kept if as_is and not sure else None
    return adapted if new[0] == pairs[0][0] else None


def _explained(pairs: Pairs, unit: str) -> bool:
    """Whether one rule leads from the quoted lines to those of the file."""
    known = {said for said, _ in pairs}
    if _shifted(pairs, known) is not None or _swapped(pairs):
        return True
    return bool(unit) and any(_relevelled(pairs, known, said_unit, unit) for said_unit in _units(known))


def _adapted(pairs: Pairs, new: Sequence[str], unit: str) -> Table | None:
    """`new` moved as `said` was: by the same blanks, or level by level. None where both fit and disagree."""
    needed = set(new)
    if _swapped(pairs) and needed <= {said for said, _ in pairs}:
        return dict(pairs)
    shift = _shifted(pairs, needed)
    if not unit or (shift is not None and needed <= {said for said, _ in pairs}):
        return shift
    levels: list[tuple[str, Table]] = []
    for said_unit in _units({said for said, _ in pairs} | needed):
        found = _relevelled(pairs, needed, said_unit, unit) if said_unit != unit else None
        if found is not None and _sensible([found[b] for b in new], pairs, unit):
            levels.append((said_unit, found))
    on_grid = shift is not None and all(_level(b, unit) >= 0 for b in shift.values())
    if shift is not None and on_grid and all(found == shift for _, found in levels):
        return shift
    if shift is not None and on_grid and _sensible([shift[b] for b in new], pairs, unit):
        return None
    if on_grid:
        # By the same blanks a level would be left out: as many levels of another unit are more likely.
        said, have = pairs[0]
        levels = [(u, found) for u, found in levels if 0 < _level(said, u) == _level(have, unit)]
    if any(found != levels[0][1] for _, found in levels):
        return None
    return levels[0][1] if levels else None if on_grid else shift


def _shifted(pairs: Pairs, needed: Collection[str]) -> Table | None:
    """The same blanks in front of every line, or fewer of the same."""
    said, have = pairs[0]
    if have.endswith(said):
        extra = have[: len(have) - len(said)]
        return {b: extra + b for b in needed} if all(h == extra + s for s, h in pairs) else None
    if said.startswith(have):
        less = len(said) - len(have)
        cut = said[:less]
        if all(s == cut + h for s, h in pairs) and all(b.startswith(cut) for b in needed):
            return {b: b[less:] for b in needed}
    return None


def _swapped(pairs: Pairs) -> bool:
    """Tabs in front of every line where blanks were quoted, or the reverse; what aligns behind stays."""
    said, have = min(pairs, key=lambda pair: len(pair[0]))
    if not said or not have or {*said} & {*have}:
        return False
    return all(s.startswith(said) and h == have + s[len(said) :] for s, h in pairs)


def _relevelled(pairs: Pairs, needed: Collection[str], said_unit: str, unit: str) -> Table | None:
    """Levels of one unit for levels of another, all deeper or shallower by the same number of levels."""
    shifts = {
        _level(have, unit) - _level(said, said_unit)
        if _level(have, unit) >= 0 and _level(said, said_unit) >= 0
        else None
        for said, have in pairs
    }
    by = shifts.pop()
    if by is None or shifts:
        return None
    levels = {blank: _level(blank, said_unit) + by for blank in needed}
    if any(_level(b, said_unit) < 0 or level < 0 for b, level in levels.items()):
        return None
    return {blank: unit * level for blank, level in levels.items()}


def _written_as(
    have: Sequence[str], said: Sequence[str], want: Sequence[str]
) -> Literal["file", "quotation", "unknown"]:
    """Whose indentation the new lines have, by the lines that they share with the quoted ones."""
    moved = {
        s.strip(): (indentation(s), indentation(h))
        for h, s in zip(have, said, strict=True)
        if s.strip() and indentation(s) != indentation(h)
    }
    new = [line for line in want if line.strip()]
    shared = [(moved[line.strip()], indentation(line)) for line in new if line.strip() in moved]
    if any(blank == quoted for (quoted, _), blank in shared):
        return "quotation"
    least = min((indentation(h) for h in have if h.strip()), key=len)
    own = all(blank == in_file for (_, in_file), blank in shared)
    if shared and own and all(indentation(line).startswith(least) for line in new):
        return "file"
    return "unknown"


def _sensible(blanks: Sequence[str], pairs: Pairs, unit: str) -> bool:
    """Whether lines may be indented so: on the file's grid, a level deeper at most, not too deep at first."""
    if len(blanks[0]) > len(pairs[0][1]):
        return False
    if not unit:
        return True
    level = _level(blanks[0], unit)
    allowed = {have for _, have in pairs}
    for blank in blanks:
        here = _level(blank, unit)
        if blank in allowed and here < 0:
            continue
        if here < 0 or here > level + 1:
            return False
        level = here
    return True


def _units(blanks: Collection[str]) -> Iterator[str]:
    """Every unit that all of these are whole levels of."""
    for unit in ("\t", " " * 8, " " * 4, " " * 3, " " * 2, " "):
        if any(blanks) and all(_level(blank, unit) >= 0 for blank in blanks):
            yield unit


def _unit(lines: Sequence[str]) -> str:
    """The unit of a file: what a line that opens a block is followed by, or what divides all; empty: none."""
    used: set[str] = set()
    steps: Counter[str] = Counter()
    before = ""
    for line in lines:
        if line := line.rstrip():
            blank, last = indentation(line), indentation(before)
            used.add(blank)
            if before.endswith(_OPENERS) and blank.startswith(last) and blank != last:
                steps[blank[len(last) :]] += 1
            before = line
    used.discard("")
    if steps:
        step, count = steps.most_common(1)[0]
        if count * 10 >= steps.total() * 6:
            return step
    if not used:
        return ""
    if any("\t" in blank for blank in used):
        spaces = [blank for blank in used if "\t" not in blank]
        # Alignment by a few spaces inside a file of tabs does not make it a mixed one.
        tabs = all(set(blank.rstrip(" ")) <= {"\t"} for blank in used)
        return "\t" if tabs and len(spaces) * 4 < len(used) else ""
    gcd = math.gcd(*(len(blank) for blank in used))
    return " " * gcd if gcd > 1 else _common_step(sorted(used))


def _common_step(blanks: Sequence[str]) -> str:
    """The step that most of the indentations share, where a few odd ones spoil the divisor."""
    for step in (8, 4, 3, 2):
        if sum(len(blank) % step == 0 for blank in blanks) * 10 >= len(blanks) * 7:
            return " " * step
    return ""


def _level(blank: str, unit: str) -> int:
    """How many units an indentation is; -1 when it is not a whole number of them."""
    count, rest = divmod(len(blank), len(unit))
    return count if not rest and blank == unit * count else -1

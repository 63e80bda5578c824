"""The fourth rung: `...` lines in old and new, in pairs, which stand for lines that stay."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Sequence
from itertools import chain as chain_of

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.agent.edits import indent, refusal
from qwen_lsp.features.agent.edits.applied import applied
from qwen_lsp.features.agent.edits.canonical import BLANKS, loose
from qwen_lsp.features.agent.edits.lines import key, split_lines, unify
from qwen_lsp.features.agent.edits.placeholders import stands_for_code
from qwen_lsp.features.agent.edits.places import Change, offsets_of, whole_lines

_DOTS = re.compile(r"\s*(?:\.{3}|\u2026)\s*\Z")


def elided(text: str, old: str, new: str, replace_all: bool) -> list[Change]:
    """What stands between the `...` is replaced, each part whole lines, in the only order they fit.

    Raises EditRejected where the `...` do not pair or the parts fit in no way, or in several.
    """
    said, want = _parts(old, new), _parts(new, old)
    if len(said) < 2:
        return []
    lines = split_lines(text)
    contents = [line.content for line in lines]
    ends_open = any(not part.strip() for part in said) or not want[0].strip() or not want[-1].strip()
    if len(said) != len(want) or ends_open:
        if any(_DOTS.match(content) for content in contents):
            return []  # in this file they may be meant as they are
        raise EditRejected(refusal.UNPAIRED if len(said) != len(want) else refusal.OPEN_ELISION)
    chain, exact = _chain(contents, said, _unstripped), True
    if chain is None:
        chain, exact = _chain(contents, said, key), False
    if chain is None:
        raise EditRejected(refusal.not_found(text, max(said, key=len), ""))
    quoted = [[line.content for line in split_lines(part)] for part in said]
    have = [contents[at : at + len(part)] for at, part in zip(chain, quoted, strict=True)]
    indents = None
    if not exact:
        new_lines = [line.content for part in want for line in split_lines(part)]
        indents = indent.table([*chain_of(*have)], [*chain_of(*quoted)], new_lines, contents)
    offsets = offsets_of(lines)
    changes: list[Change] = []
    made: list[list[int]] = []
    for at, part, into, its in zip(chain, said, want, quoted, strict=True):
        span = (offsets[at], offsets[at + len(its)])
        if not exact and indents is None:
            raise EditRejected(refusal.indentation(text, *span))
        changes.append(whole_lines(text, lines[at + len(its) - 1], span, part, into, indents))
        if part != into:
            made.append(applied(text, changes[-1:], part, into))
    if made and all(made):
        raise EditRejected(refusal.applied_here([line for found in made for line in found]))
    return changes


def _parts(text: str, other: str) -> list[str]:
    """The text between its `...` lines; a comment that says the same counts if `other` has it too."""
    elsewhere = {line.strip() for line in unify(other).split("\n")}
    parts = [""]
    for content, end in split_lines(unify(text)):
        comment = content.strip() in elsewhere and stands_for_code(content.strip())
        if _DOTS.match(content) or comment:
            parts.append("")
        else:
            parts[-1] += content + end
    return parts


def _unstripped(content: str) -> str:
    return (content if content.isascii() else loose(content).text).rstrip(BLANKS)


def _chain(contents: Sequence[str], parts: Sequence[str], form: Callable[[str], str]) -> list[int] | None:
    """The first lines of all parts in order; None when they do not fit, refused when in several ways."""
    keys = [form(content) for content in contents]
    wanted = [[form(line.content) for line in split_lines(part)] for part in parts]
    found = [indent.windows(keys, part) for part in wanted]
    # How many ways lead on from each place of each part, from the last part backwards.
    ways = [1] * len(found[-1])
    reach = [ways]
    for number in range(len(parts) - 2, -1, -1):
        after = found[number + 1]
        left = [0] * (len(after) + 1)
        for at in range(len(after) - 1, -1, -1):
            left[at] = left[at + 1] + ways[at]
        size = len(wanted[number])
        ways = [left[bisect.bisect_left(after, here + size)] for here in found[number]]
        reach.insert(0, ways)
    if not sum(ways):
        return None
    if sum(ways) > 1:
        several = max(found, key=len)
        raise EditRejected(refusal.ambiguous_elision([at + 1 for at in several]))
    chain: list[int] = []
    end = 0
    for places, counts, part in zip(found, reach, wanted, strict=True):
        at = next(p for p, count in zip(places, counts, strict=True) if count and p >= end)
        chain.append(at)
        end = at + len(part)
    return chain

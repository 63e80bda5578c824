"""New text laid over the lines it replaces, so that what stays keeps the file's own bytes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from qwen_lsp.features.agent.edits.canonical import BLANKS, loose, respelled
from qwen_lsp.features.agent.edits.indent import indentation
from qwen_lsp.features.agent.edits.lines import Line, key, local_end, split_lines, unify

_TOKEN = re.compile(r"\w+|[^\w]")
_MOST_TOKENS = 60_000
"""Tokens of one line times tokens of the other up to which they are compared one by one."""
_MOST_LINES = 4_000_000


def lay_over(region: str, old: str, new: str, line_end: str, indents: Mapping[str, str] | None = None) -> str:
    """`new` in place of `region`, which `old` describes line by line.

    A line that `new` takes over from `old` keeps the bytes of the file, a changed line keeps the file's
    characters where it did not change, and a line that is new gets the file's line end. `indents` says
    what the indentation of a line of `new` is in the file; without it, it is what it says.
    """
    old, new = respelled(region, old, old), respelled(region, old, new)
    have, said, want = split_lines(region), split_lines(unify(old)), split_lines(unify(new))
    if len(have) != len(said):
        return unify(new).replace("\n", line_end)
    mates, beside = _pairs(said, want)
    lines: list[str] = []
    for at, (content, end) in enumerate(want):
        mate = mates[at]
        if mate is None:
            laid = _indented(content, indents)
        else:
            laid = _merged_line(have[mate].content, said[mate].content, content, indents)
        # The last new line ends as the last old one did; where that had no end, as its own did.
        near = (len(have) - 1, beside[at]) if at == len(want) - 1 else (beside[at],)
        ends = (have[other].end for other in near if other is not None and have)
        lines += (laid, (next(filter(None, ends), "") or line_end) if end else "")
    return "".join(lines)


def lay_over_file(before: str, content: str) -> str:
    """A whole file written anew: lines keep the ends they had, and new ones get those around them."""
    if "\r" not in before:
        return content if "\r\n" not in content or "\n" not in before else unify(content)
    return lay_over(before, before, content, local_end(before, 0, 0))


def _pairs(said: Sequence[Line], want: Sequence[Line]) -> tuple[list[int | None], list[int | None]]:
    """For each new line the old line it comes from, and the old line whose end it takes."""
    one, other = [key(line.content) for line in said], [key(line.content) for line in want]
    mates: list[int | None] = [None] * len(want)
    beside: list[int | None] = [None] * len(want)
    for i1, i2, j1, j2, same in _blocks(one, other):
        for step in range(j2 - j1):
            at = i1 + step
            if at < i2 and (same or i2 - i1 == j2 - j1):
                mates[j1 + step] = at
            beside[j1 + step] = at if at < i2 else i2 - 1 if i2 else None
    first: dict[str, int] = {}
    for at, line in enumerate(said):
        first.setdefault(line.content, at)
    for at, line in enumerate(want):
        if mates[at] is None and line.content.strip():
            mates[at] = first.get(line.content)  # a line that moved
    return mates, beside


def last_line_stays(old: str, new: str) -> bool:
    """Whether the last line of `new` is the last one of `old`, changed or not."""
    said, want = split_lines(unify(old)), split_lines(unify(new))
    return bool(want) and bool(said) and _pairs(said, want)[0][-1] == len(said) - 1


def _blocks(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int, int, bool]]:
    """(from, to) in both, and whether they are the same: the opcodes of a difference, ends first."""
    head = _common(one, other)
    tail = min(_common(one[::-1], other[::-1]), len(one) - head, len(other) - head)
    i2, j2 = len(one) - tail, len(other) - tail
    blocks = [(0, head, 0, head, True)]
    if (i2 - head) * (j2 - head) <= _MOST_LINES:
        matcher = difflib.SequenceMatcher(None, one[head:i2], other[head:j2], autojunk=False)
        for tag, a1, a2, b1, b2 in matcher.get_opcodes():
            blocks.append((head + a1, head + a2, head + b1, head + b2, tag == "equal"))
    else:
        blocks.append((head, i2, head, j2, False))
    return [*blocks, (i2, len(one), j2, len(other), True)]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for x, y in zip(one, other, strict=False):
        if x != y:
            break
        count += 1
    return count


def _indented(content: str, indents: Mapping[str, str] | None) -> str:
    blank = indentation(content)
    return indents.get(blank, blank) + content[len(blank) :] if indents and content.strip() else content


def _merged_line(have: str, said: str, want: str, indents: Mapping[str, str] | None) -> str:
    """A line of `new` that comes from a line of `old`, which is `have` in the file."""
    if want == said:
        return have
    if indents is None or not want.strip():
        return merged(have, said, want)
    here, there, wanted = indentation(have), indentation(said), indentation(want)
    blank = here if wanted == there and indents.get(there) == here else indents.get(wanted, wanted)
    return blank + merged(have[len(here) :], said[len(there) :], want[len(wanted) :])


def merged(have: str, said: str, want: str) -> str:
    """`want` with the characters of `have` wherever it is what `said` is; the two differ in form only."""
    if have == said or want == said:
        return want if have == said else have
    behind = _behind(have, said, want)
    have, said, want = (line.rstrip(BLANKS) for line in (have, said, want))
    return _core(have, said, want) + behind


def _behind(have: str, said: str, want: str) -> str:
    """The blanks at the end of a changed line: those it was given, or the file's where `old` had them too."""
    given = want[len(want.rstrip(BLANKS)) :]
    return have[len(have.rstrip(BLANKS)) :] if given and given == said[len(said.rstrip(BLANKS)) :] else given


def _core(have: str, said: str, want: str) -> str:
    in_file, quoted = loose(have), loose(said)
    if in_file.text != quoted.text:
        return want
    one, other = _TOKEN.findall(said), _TOKEN.findall(want)
    if _shared(_TOKEN.findall(have), other) > _shared(one, other):
        return want  # written as the file is, unlike the quotation
    pieces: list[str] = []
    done = 0
    at_said, at_want = _offsets(one), _offsets(other)
    for i, j, count in _matching(one, other):
        # A block is taken from the file as far as its ends are places there too.
        while count:
            start = quoted.canonical(at_said[i])
            begins = None if start is None else in_file.start(start) if at_said[i] else 0
            if begins is not None:
                end = quoted.canonical(at_said[i + count])
                ends = None if end is None else in_file.end(end)
                if ends is not None:
                    pieces += (want[done : at_want[j]], have[begins:ends])
                    done = at_want[j + count]
                    break
                count -= 1
            else:
                i, j, count = i + 1, j + 1, count - 1
    return "".join(pieces) + want[done:]


def _matching(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int]]:
    if len(one) * len(other) <= _MOST_TOKENS:
        matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
        return [(block.a, block.b, block.size) for block in matcher.get_matching_blocks() if block.size]
    head = _common(one, other)
    tail = min(_common(one[::-1], other[::-1]), len(one) - head, len(other) - head)
    return [(0, 0, head), (len(one) - tail, len(other) - tail, tail)]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many characters two lines have in tokens that they have in common, in order."""
    return sum(len("".join(one[i : i + count])) for i, _, count in _matching(one, other))


def _offsets(tokens: Sequence[str]) -> list[int]:
    offsets = [0]
    for token in tokens:
        offsets.append(offsets[-1] + len(token))
    return offsets

"""Lines with their own ends, and new text laid over old lines so that what stays keeps its bytes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_END = re.compile(r"\r\n|\r|\n")


def split_lines(text: str) -> list[tuple[str, str]]:
    """(content, line end) of each line; only CR, LF and CRLF end one."""
    lines: list[tuple[str, str]] = []
    for found in _LINE.finditer(text):
        content = found[0].rstrip("\r\n")
        lines.append((content, found[0][len(content) :]))
    return lines


def line_of(text: str, offset: int) -> int:
    """The 1-based line of an offset."""
    return len(_END.findall(text, 0, offset)) + 1


def unify(text: str) -> str:
    """The text with LF line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def local_end(text: str, start: int, end: int) -> str:
    """The line end in use around a place: behind it, in it, before it; LF where there is none."""
    if found := _END.search(text, end) or _END.search(text, start, end):
        return found[0]
    before = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start))
    if before < 0:
        return "\n"
    return "\r\n" if text[before] == "\n" and text[before - 1 : before] == "\r" else text[before]


def lay_over(
    region: str, old: str, new: str, line_end: str, adapt: Callable[[str], str] | None = None
) -> str:
    """`new` in place of `region`, which `old` describes line by line.

    Lines that `new` takes over from `old` keep the bytes of the file, a changed line keeps the file's
    characters at both ends of the change, and all others get the file's line end. `adapt` turns a new
    line's content into the file's indentation; without it old and file lines match column by column.
    """
    have, said, want = split_lines(region), split_lines(unify(old)), split_lines(unify(new))
    if len(have) != len(said):
        return unify(new).replace("\n", line_end)
    result: list[tuple[str, str]] = []
    matcher = difflib.SequenceMatcher(None, [s[0] for s in said], [w[0] for w in want], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        for step in range(j2 - j1):
            content = want[j1 + step][0]
            mate = have[i1 + step] if i1 + step < i2 else None
            if mate is not None and tag == "equal":
                content = mate[0]
            elif adapt is not None:
                content = adapt(content)
            elif mate is not None and i2 - i1 == j2 - j1:
                content = _keep_ends(mate[0], said[i1 + step][0], content)
            beside = mate or (have[i1 + step - 1] if 0 < i1 + step <= i2 else have[i2 - 1] if i2 else None)
            result.append((content, (beside[1] if beside else "") or line_end))
    text = "".join(content + end for content, end in result)
    if want and not want[-1][1]:
        text = text[: len(text) - len(result[-1][1])]
    return text


def _keep_ends(have: str, said: str, want: str) -> str:
    """A changed line with the file's own characters where `said` and `want` agree at its two ends."""
    if len(have) < len(said) or have == said:
        return want
    head = _common(said, want)
    tail = min(_common(said[::-1], want[::-1]), len(said) - head, len(want) - head)
    rest = have[len(said) :]
    kept = have[len(said) - tail : len(said)]
    # What the file has behind the line's text is blank; it stays only with an unchanged end.
    return have[:head] + want[head : len(want) - tail] + kept + (rest if tail and not rest.strip() else "")


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count

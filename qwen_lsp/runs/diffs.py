"""A unified diff read back line by line: what each line is, for whoever colours or counts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Kind = Literal["head", "hunk", "add", "remove", "same", "note"]

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def lines(diff: str) -> Iterator[tuple[Kind, str]]:
    """Each line with its kind, without its line end.

    Counted by what the hunks announce: a removed line that begins with two dashes is no head. Where every
    line of the files ends in CR LF the CR is part of the line end; where only some do it stays, since that
    is then what the change is about.
    """
    rows = list(_rows(diff))
    bodies = [line for kind, line in rows if kind in ("add", "remove", "same")]
    ends = "\r" if bodies and all(line.endswith("\r") for line in bodies) else ""
    for kind, line in rows:
        yield kind, line.removesuffix(ends)


def _rows(diff: str) -> Iterator[tuple[Kind, str]]:
    old = new = 0
    for line in diff.removesuffix("\n").split("\n") if diff else ():
        if line.startswith("\\"):
            yield "note", line
        elif old <= 0 and new <= 0:
            hunk = _HUNK.match(line)
            if hunk is None:
                yield "head", line
                continue
            old, new = (1 if count is None else int(count) for count in hunk.groups())
            yield "hunk", line
        elif line.startswith("+"):
            new -= 1
            yield "add", line
        elif line.startswith("-"):
            old -= 1
            yield "remove", line
        else:
            old, new = old - 1, new - 1
            yield "same", line


def sizes(diff: str) -> tuple[int, int]:
    """How many lines it adds and how many it takes away."""
    kinds = [kind for kind, _ in lines(diff)]
    return kinds.count("add"), kinds.count("remove")

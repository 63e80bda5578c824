"""Ignore patterns in .gitignore syntax, compiled to one regular expression per file of patterns.

Matching is linear for each part of a path: a hostile pattern such as `*a*a*a*a*b` cannot make it hang.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

_POSIX_CLASSES = {
    "alnum": "A-Za-z0-9", "alpha": "A-Za-z", "blank": " \\t", "cntrl": "\\x00-\\x1f\\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~", "space": " \\t\\n\\r\\f\\v",
    "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_LITERAL_THEN_STARS = re.compile(r"([^*?\[\\]*[^*?\[\\/])\*{2,}(?:/|$)")
_ANY_FOLDER = "(?>(?:[^/]+/)*(?=[^/]))"


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of one ignore file; paths are relative to its folder and the last match decides."""

    _regex: re.Pattern[str] | None

    @classmethod
    def compile(cls, lines: Iterable[str]) -> Patterns:
        # Newest first, so that the first alternative that matches is the last line that does. Only a
        # negated pattern is a capturing group, so `lastindex` tells which kind it was. Neighbours that
        # look at the last name only share the work of skipping the folders.
        found = [t for line in lines if (t := _translate(line)) is not None]
        if not found:
            return cls(None)
        alternatives: list[str] = []
        for floating, group in groupby(reversed(found), key=lambda t: t.floating):
            joined = "|".join(t.source for t in group)
            alternatives.append(f"{_ANY_FOLDER}(?:{joined})" if floating else joined)
        return cls(re.compile("|".join(alternatives), re.DOTALL))

    def match(self, path: str, is_dir: bool = False) -> bool | None:
        """True: ignored; False: taken back by a `!` pattern; None: no pattern speaks of it."""
        if self._regex is None:
            return None
        found = self._regex.fullmatch(path + "/" if is_dir else path)
        return None if found is None else found.lastindex is None

    def __bool__(self) -> bool:
        return self._regex is not None


@dataclass(frozen=True, slots=True)
class _Pattern:
    source: str
    """A regular expression for `path`, or for `path/` when it is a folder."""
    floating: bool
    """Whether it looks at the last name only, wherever that is."""


def _translate(line: str) -> _Pattern | None:
    line = _strip_trailing_spaces(line.removesuffix("\n").removesuffix("\r"))
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    if negated:
        line = line[1:]
    only_dirs = line.endswith("/")
    if only_dirs:
        line = line[:-1]
    anchored = "/" in line
    line = line.removeprefix("/")
    if not line:
        return None
    literal = ""
    # Git compares what comes before the first wildcard by itself; `**/` just after it then stands at the
    # beginning of what is left, and may skip folders although a name comes before it.
    if anchored and (quirk := _LITERAL_THEN_STARS.match(line)):
        literal = re.escape(quirk[1]) + ("(?:.*/)?" if quirk.end() < len(line) else ".*?")
        line = line[quirk.end() :]
    body = _body(line, anchored) if line else ""
    if body is None:
        return None
    body = literal + body + ("/" if only_dirs else "/?")
    return _Pattern(f"({body})" if negated else body, not anchored)


def _body(line: str, anchored: bool) -> str | None:
    segments = _split(line)
    if segments is None:
        return None
    return _segments(segments) if anchored else _glob(line)


def _split(line: str) -> list[str] | None:
    """The parts between slashes, but for those in brackets, which name the character. None: unfinished."""
    parts: list[str] = []
    start = at = 0
    while at < len(line):
        char = line[at]
        at += 1
        if char == "\\":
            at += 1
        elif char == "[":
            found = _bracket(line, at)
            if found is None:
                return None
            at = found[1]
        elif char == "/":
            parts.append(line[start : at - 1])
            start = at
    return [*parts, line[start:]]


def _segments(segments: list[str]) -> str | None:
    # The segments between two `**` are found at their first place and never elsewhere (an atomic group):
    # what `**` skips is arbitrary, so a later place cannot succeed where the first one fails.
    out: list[str] = []
    chunk: list[str] = []
    skipping = False
    for i, segment in enumerate(segments):
        last = i == len(segments) - 1
        stars = len(segment) > 1 and not segment.strip("*")
        if stars and last:
            out.append(_chunk(chunk, skipping, "/") + "[^/].*?")  # everything below, not the folder itself
            return "".join(out)
        if stars and not last:
            if chunk:
                out.append(_chunk(chunk, skipping, "/"))
            chunk, skipping = [], True
            continue
        translated = _glob(segment)
        if translated is None:
            return None
        chunk.append(translated)
    if skipping:
        out.append(f"(?:[^/]+/)*{'/'.join(chunk)}")
    else:
        out.append("/".join(chunk))
    return "".join(out)


def _chunk(chunk: list[str], skipping: bool, end: str) -> str:
    if not chunk:
        return "(?:[^/]+/)*?" if skipping else ""
    joined = "/".join(chunk) + end
    return f"(?>(?:[^/]+/)*?{joined})" if skipping else joined


def _glob(segment: str) -> str | None:
    """One path segment. None for an unfinished bracket or backslash: git matches nothing by those."""
    pieces: list[str] = [""]
    at = 0
    while at < len(segment):
        char = segment[at]
        at += 1
        if char == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif char == "?":
            pieces[-1] += "[^/]"
        elif char == "[":
            found = _bracket(segment, at)
            if found is None:
                return None
            source, at = found
            pieces[-1] += source
        elif char == "\\":
            if at == len(segment):
                return None
            pieces[-1] += re.escape(segment[at])
            at += 1
        else:
            pieces[-1] += re.escape(char)
    if len(pieces) == 1:
        return pieces[0]
    first, *middle, last = pieces
    return first + "".join(f"(?>[^/]*?{piece})" for piece in middle if piece) + f"[^/]*{last}"


def _bracket(segment: str, at: int) -> tuple[str, int] | None:
    """A bracket expression that begins before `at`, and where it ends."""
    negated = at < len(segment) and segment[at] in "!^"
    at += negated
    items: list[str] = []
    first = True
    while True:
        if at >= len(segment):
            return None
        char = segment[at]
        if char == "]" and not first:
            break
        first = False
        if char == "[" and segment.startswith("[:", at):
            end = segment.find(":]", at + 2)
            if end >= 0:
                name = _POSIX_CLASSES.get(segment[at + 2 : end])
                if name is None:
                    return None
                items.append(name)
                at = end + 2
                continue
        if char == "\\":
            at += 1
            if at >= len(segment):
                return None
            char = segment[at]
        at += 1
        low = char
        if segment.startswith("-", at) and at + 1 < len(segment) and segment[at + 1] != "]":
            at += 1
            high = segment[at]
            if high == "\\":
                at += 1
                if at >= len(segment):
                    return None
                high = segment[at]
            at += 1
            if low <= high:
                items.append(f"{re.escape(low)}-{re.escape(high)}")
            continue
        items.append(re.escape(low))
    if not items:
        return ("[^/]" if negated else r"[^\s\S]"), at + 1
    return f"(?!/)[{'^' if negated else ''}{''.join(items)}]", at + 1


def _strip_trailing_spaces(line: str) -> str:
    """Without trailing spaces, unless the last one is quoted by a backslash."""
    stripped = line.rstrip(" ")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if backslashes % 2 and len(stripped) < len(line) else stripped

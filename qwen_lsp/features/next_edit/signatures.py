"""Parameters and arguments as a text has them: what a call passes, what a signature takes.

Read from the brackets alone, so that one reading serves every language that writes `name(a, b)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPEN, _CLOSE = "([{", ")]}"
_STRING = re.compile(
    r"""\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`""", re.DOTALL
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|(?<![^\s])(?:#|--) [^\n]*", re.DOTALL)
_TYPES = re.compile(r"<[^<>()\n;]*(?:<[^<>()\n;]*(?:<[^<>()\n;]*>[^<>()\n;]*)*>[^<>()\n;]*)*>")
_GENERICS = re.compile(r"\s*(?:(?:\[[^\[\]()\n]*\]|(?:::)?<[^<>()\n]*>)[!?]?\s*|[!?]\s*)?\(")
_RECEIVERS = frozenset(("self", "cls", "this"))
_NAME = re.compile(r"[^\W\d]\w*")
_LONGEST = 4_000
_TYPE_FIRST = frozenset(("java", "c", "cpp", "csharp", "php", "shellscript"))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, its whole text, and whether a call may leave it out."""

    name: str
    text: str
    optional: bool
    gathers: bool
    """Whether it takes any number of arguments."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What stands between a pair of brackets: each part, and the offsets of the brackets' inside."""

    parts: tuple[str, ...]
    start: int
    end: int


def listed(text: str, at: int) -> Listed | None:
    """The parts of the brackets that open behind the name which ends at `at`; None when none do or close."""
    opened = _GENERICS.match(text, at)
    if opened is None:
        return None
    start = i = opened.end()
    depth, part, parts = 0, start, list[str]()
    limit = min(len(text), start + _LONGEST)
    while i < limit:
        char = text[i]
        if (passed := _over(text, i, start)) is not None:
            i = passed
            continue
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            if not depth:
                last = _said(text, part, i)
                return Listed((*parts, last) if last else tuple(parts), start, i)
            depth -= 1
        elif char == "," and not depth:
            parts.append(_said(text, part, i))
            part = i + 1
        i += 1
    return None


def _over(text: str, i: int, start: int) -> int | None:
    """Where a string, a comment or the arguments of a type end that begin at `i`."""
    char = text[i]
    if char == "'" and text[i - 1] == "&":
        return None  # a lifetime
    if char in "\"'`":
        found = _STRING.match(text, i)
    elif char in "/#-":
        found = _COMMENT.match(text, i)
    elif char == "<" and i > start and (text[i - 1].isalnum() or text[i - 1] == "_"):
        found = _TYPES.match(text, i)
    else:
        return None
    return found.end() if found else None


def _said(text: str, start: int, end: int) -> str:
    """A part without the comments around and in it."""
    return _COMMENT.sub("", text[start:end]).strip()


def parameters(found: Listed, language: str) -> tuple[Parameter, ...]:
    """The parameters of a signature, without the receiver."""
    read: list[Parameter] = []
    for position, part in enumerate(found.parts):
        bare = part.partition("=")[0]
        names = _NAME.findall(bare.partition(":")[0] if language not in _TYPE_FIRST else bare)
        if not names:
            continue  # `*` and `/` alone
        name = names[-1] if language in _TYPE_FIRST else names[0]
        if name == "mut" and len(names) > 1:
            name = names[1]
        if not position and names[-1] in _RECEIVERS:
            continue
        gathers = part.lstrip().startswith(("*", "...", "&")) and language in ("python", "ruby", "javascript")
        gathers = gathers or "..." in part or "vararg" in names
        optional = "=" in part.replace("=>", "") or bare.partition(":")[0].rstrip().endswith("?")
        read.append(Parameter(name, part, optional, gathers))
    return tuple(read)


def fits(taken: tuple[Parameter, ...], passed: Listed) -> bool | None:
    """Whether a call passes what a signature takes; None when it cannot be told, as with `*arguments`."""
    if any(part.startswith(("*", "...")) or part.endswith("...") for part in passed.parts):
        return None
    by_name = [m[1] for part in passed.parts if (m := re.match(r"(\w+)\s*=(?!=)", part))]
    names = {parameter.name for parameter in taken}
    gathers = any(parameter.gathers for parameter in taken)
    if not gathers and not names.issuperset(by_name):
        return False
    wanted = sum(not (p.optional or p.gathers) for p in taken)
    return wanted <= len(passed.parts) and (gathers or len(passed.parts) <= len(taken))

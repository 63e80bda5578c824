"""The identifiers around a place, each with how near it stands; text only, for every language alike."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from qwen_lsp.syntax.facts import Import
from qwen_lsp.syntax.outline import until_closed

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_MEMBER_SIGNS = ("->", "::", "?.")
_LINES_BEFORE = 80
_LINES_AFTER = 30
_LONGEST_LINE = 2_000

# Words of the common languages that no repository defines as something to show.
_NOISE_WORDS = """
self cls this super const let var function new typeof void null undefined true false public private
protected static final abstract interface struct enum impl fn pub use mod mut match func package switch case
default do end then elif fi done echo local unless elsif begin rescue ensure module require extends implements
throws throw catch namespace using int str float bool char long double string object list dict set tuple type
return if else for while try catch finally from import export async await yield of instanceof delete nil make
append defer go chan val fun lateinit override open internal map unsafe dyn ref move where loop sizeof typedef
goto extern register volatile
len print range isinstance hasattr getattr setattr None True False self Self args kwargs
"""
NOISE = frozenset(keyword.kwlist) | frozenset(_NOISE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Near:
    """One name near the cursor: `weight` in (0, 1], the distance in lines, and what it hangs on.

    `receiver` is the identifier before the dot of `receiver.name`, empty for a bare name; `dotted` says
    whether any use was after a dot; `called` whether any use was a call; `asked` whether a dot followed any.
    """

    name: str
    weight: float
    distance: int
    dotted: bool
    called: bool
    receiver: str = ""
    asked: bool = False


def near(text: str, offset: int, renamed: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, Near]:
    """The names around `offset` with their weights; the nearer, the heavier, before more than after.

    A name that the file gave to something else, as `renamed` tells, counts as what it stands for.
    """
    found: dict[str, Near] = {}
    before = text[:offset].split("\n")[-_LINES_BEFORE - 1 :]
    if text[offset - 1 : offset].isidentifier():
        # What is behind the cursor in the word being typed is no name.
        while text[offset : offset + 1].isidentifier() or text[offset : offset + 1].isdecimal():
            offset += 1
    after = text[offset : offset + _LINES_AFTER * 400].split("\n")[: _LINES_AFTER + 1]
    for distance, line in enumerate(reversed(before)):
        _collect(found, line, distance, 1.0, renamed)
    for distance, line in enumerate(after):
        _collect(found, line, distance, 0.7, renamed)
    return found


def _collect(
    found: dict[str, Near], line: str, distance: int, factor: float, renamed: Mapping[str, str]
) -> None:
    weight = factor / (1.0 + distance / 6.0)
    for match in _IDENTIFIER.finditer(line, 0, _LONGEST_LINE):
        name = match.group()
        if len(name) < 2 or name in NOISE or name.startswith("__"):
            continue
        start, end = match.span()
        name = renamed.get(name, name)
        dotted = line[start - 1 : start] == "." or line[start - 2 : start] in _MEMBER_SIGNS
        known = found.get(name)
        asked = line[end : end + 1] == "." or line[end : end + 2] in _MEMBER_SIGNS
        if known is not None and known.weight >= weight and known.dotted == dotted and known.asked >= asked:
            continue
        found[name] = Near(
            name,
            max(weight, known.weight if known else 0.0),
            min(distance, known.distance if known else distance),
            dotted or (known is not None and known.dotted),
            line[end : end + 1] == "(" or (known is not None and known.called),
            _receiver(line, start, renamed) if dotted else (known.receiver if known else ""),
            asked or (known is not None and known.asked),
        )


def _receiver(line: str, start: int, renamed: Mapping[str, str]) -> str:
    match = re.search(r"([^\W\d]\w*)(?:\.|->|::)$", line[max(0, start - 80) : start])
    return renamed.get(match.group(1), match.group(1)) if match else ""


_RENAMED = re.compile(
    # Python, JavaScript, Rust, PHP, Kotlin, Scala
    r"(?P<what>\*|[\w.\\:]+)['\"]?\s+(?:as|=>)\s+(?P<name>[^\W\d]\w*)"
    # Go
    r"|^\s*(?:import\s+)?(?P<package>[^\W\d]\w*)\s+[\"`](?P<path>[^\"`]+)"
    # Node, C#
    r"|\b(?P<variable>[^\W\d]\w*)\s*=\s*(?:require\(?\s*['\"](?P<module>[^'\"]+)|(?P<type>[\w.]+);)"
)
_LONGEST_STATEMENT = 60
_PART = re.compile(r"[./:\\]+")


def renamed_imports(text: str, imports: Iterable[Import]) -> dict[str, str]:
    """Names that the import statements of a text give to what they import, each with the last part of what
    that is called itself: `nx` -> `networkx` for `import networkx as nx`."""
    lines = text.split("\n")
    found: dict[str, str] = {}
    for imp in {imp.line: imp for imp in imports}.values():
        statement = lines[imp.line : imp.line + _LONGEST_STATEMENT]
        for line in until_closed(line[:_LONGEST_LINE] for line in statement):
            for match in _RENAMED.finditer(line):
                name = match["name"] or match["package"] or match["variable"]
                meant = match["what"] or match["path"] or match["module"] or match["type"]
                last = last_part(imp.module if meant == "*" else meant)
                if last and last != name:
                    found[name] = last
    return found


def last_part(module: str) -> str:
    """`c` of `a.b.c`, `./b/c`, `a::c` or `A\\C`."""
    return _PART.split(module.rstrip("./"))[-1]


def identifiers(text: str) -> list[str]:
    """Every identifier of a text in order, words of languages left out, each once."""
    return [n for n in dict.fromkeys(m.group() for m in _IDENTIFIER.finditer(text)) if n not in NOISE]

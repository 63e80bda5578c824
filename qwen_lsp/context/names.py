"""The identifiers around a place, each with how near it stands; text only, for every language alike."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_LINES_BEFORE = 80
_LINES_AFTER = 30
_LONGEST_LINE = 2_000

# Words of the common languages that no repository defines as something to show.
_NOISE_WORDS = """
self cls this super const let var function new typeof void null undefined true false public private
protected static final abstract interface struct enum impl fn pub use mod mut match func package switch case
default do end then elif fi done echo local unless elsif begin rescue ensure module require extends implements
throws throw catch namespace using int str float bool char long double string object list dict set tuple type
len print range isinstance hasattr getattr setattr None True False self Self args kwargs
"""
NOISE = frozenset(keyword.kwlist) | frozenset(_NOISE_WORDS.split())


@dataclass(frozen=True, slots=True)
class Near:
    """One name near the cursor: `weight` in (0, 1], the distance in lines, and what it hangs on.

    `receiver` is the identifier before the dot of `receiver.name`, empty for a bare name; `dotted` says
    whether any use was after a dot; `called` whether any use was a call.
    """

    name: str
    weight: float
    distance: int
    dotted: bool
    called: bool
    receiver: str = ""


def near(text: str, offset: int) -> Mapping[str, Near]:
    """The names around `offset` with their weights; the nearer, the heavier, before more than after."""
    found: dict[str, Near] = {}
    before = text[:offset].split("\n")[-_LINES_BEFORE - 1 :]
    if text[offset - 1 : offset].isidentifier():
        # What is behind the cursor in the word being typed is no name.
        while text[offset : offset + 1].isidentifier() or text[offset : offset + 1].isdecimal():
            offset += 1
    after = text[offset : offset + _LINES_AFTER * 400].split("\n")[: _LINES_AFTER + 1]
    for distance, line in enumerate(reversed(before)):
        _collect(found, line, distance, 1.0)
    for distance, line in enumerate(after):
        _collect(found, line, distance, 0.7)
    return found


def _collect(found: dict[str, Near], line: str, distance: int, factor: float) -> None:
    weight = factor / (1.0 + distance / 6.0)
    for match in _IDENTIFIER.finditer(line, 0, _LONGEST_LINE):
        name = match.group()
        if len(name) < 2 or name in NOISE or name.startswith("__"):
            continue
        start, end = match.span()
        dotted = line[start - 1 : start] == "." or line[start - 2 : start] in ("->", "::")
        known = found.get(name)
        if known is not None and known.weight >= weight and known.dotted == dotted:
            continue
        found[name] = Near(
            name,
            max(weight, known.weight if known else 0.0),
            min(distance, known.distance if known else distance),
            dotted or (known is not None and known.dotted),
            line[end : end + 1] == "(" or (known is not None and known.called),
            _receiver(line, start) if dotted else (known.receiver if known else ""),
        )


def _receiver(line: str, start: int) -> str:
    match = re.search(r"([^\W\d]\w*)(?:\.|->|::)$", line[max(0, start - 80) : start])
    return match.group(1) if match else ""


def identifiers(text: str) -> list[str]:
    """Every identifier of a text in order, words of languages left out, each once."""
    return [n for n in dict.fromkeys(m.group() for m in _IDENTIFIER.finditer(text)) if n not in NOISE]


_ASSIGNED = re.compile(
    r"(?:^|[^\w.])(?P<target>(?:self\.|this\.)?[^\W\d]\w*)\s*(?:=|:=)\s*"
    r"(?:await\s+|new\s+|&|\*)*(?P<maker>(?:[^\W\d]\w*(?:\.|::))*[^\W\d]\w*)\s*[({]"
)
_ANNOTATED = re.compile(
    r"(?P<target>(?:self\.|this\.)?[^\W\d]\w*)\s*:\s*(?:&|\*|mut\s+|typing\.|Optional\[|[\"'])*"
    r"(?P<type>(?:[^\W\d]\w*(?:\.|::))*[^\W\d]\w*)"
)


def receiver_types(text: str) -> dict[str, str]:
    """What the text says about the types of its variables: `x = Foo(...)`, `x: Foo`, `new Foo()`.

    Maps a variable (without `self.`) to the last part of the type's or maker's name; a later line wins.
    """
    types: dict[str, str] = {}
    for pattern, group in ((_ASSIGNED, "maker"), (_ANNOTATED, "type")):
        for match in pattern.finditer(text):
            made = re.split(r"\.|::", match.group(group))[-1]
            if made not in NOISE:
                types[match.group("target").rpartition(".")[2]] = made
    return types

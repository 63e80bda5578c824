"""The identifiers around a place, each with how near it stands; text only, for every language alike."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from qwen_lsp.syntax.facts import Import

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
    for imp in imports:
        depth = 0
        for line in lines[imp.line : imp.line + _LONGEST_STATEMENT]:
            for match in _RENAMED.finditer(line, 0, _LONGEST_LINE):
                name = match["name"] or match["package"] or match["variable"]
                meant = match["what"] or match["path"] or match["module"] or match["type"]
                last = last_part(imp.module if meant == "*" else meant)
                if last and last != name:
                    found[name] = last
            depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
            if depth <= 0:
                break
    return found


def last_part(module: str) -> str:
    """`c` of `a.b.c`, `./b/c`, `a::c` or `A\\C`."""
    return _PART.split(module.rstrip("./"))[-1]


def identifiers(text: str) -> list[str]:
    """Every identifier of a text in order, words of languages left out, each once."""
    return [n for n in dict.fromkeys(m.group() for m in _IDENTIFIER.finditer(text)) if n not in NOISE]


# Atomic, since these run over a long text at every request: a name is taken whole or not at all.
_NAME = r"[^\W\d]\w*+"
_PATH = rf"(?:{_NAME}(?:\.|::|\\))*+{_NAME}"
# What holds a value without being what it is used as: `Option<Foo>`, `std::shared_ptr<Foo>`, `&'a mut Foo`.
_HOLDERS = """
Option Some Arc Rc Box Pin Ref RefMut RefCell Cell Mutex RwLock Weak Cow Vec unique_ptr shared_ptr weak_ptr
vector Optional List Set Collection Iterable Array ReadonlyArray Readonly Partial Promise Future Task Sequence
Provider Lazy
"""
_HELD = (
    r"(?:&|\*|mut\s+|dyn\s+|'\w+\s+|const\s+|struct\s+|\[\]|\.\.\.|typing\.|[\"']"
    rf"|(?:(?:std|sync|rc)::)*(?:{'|'.join(_HOLDERS.split())})\s*[<\[]\s*)*"
)
_TARGET = rf"(?<![\w.])(?P<target>(?:self\.|this\.|@)?{_NAME})"
_ASSIGNED = re.compile(
    rf"{_TARGET}\s*(?:=|:=)\s*(?:await\s+|new\s+|&|\*)*+(?P<type>{_PATH})"
    r"(?:(?<=[.:]new)(?!\w)|(?:<[^<>()]*>)?\s*[({])"
)
_ANNOTATED = re.compile(rf"{_TARGET}[?!]?\s*:\s*{_HELD}(?P<type>{_PATH})")
# `Foo x`, `const struct foo *x`, `List<Foo> x`, and in PHP `Foo $x`.
_DECLARED = re.compile(
    rf"(?:^|(?<=[(,;{{])|\b(?:final|const|static|private|protected|public|readonly|struct|extern)\s)\s*{_HELD}"
    rf"(?<!\w)(?P<type>{_PATH})(?:<[^;(){{}}=]*>|>)*(?:\[\])*[?>]*(?:\s+|\s*[*&]+\s*(?:const\s+)?)"
    rf"\$?(?P<target>{_NAME})\s*(?=[=;,)\[{{]|\s:\s|$)",
    re.MULTILINE,
)
# `x *pkg.Foo` as Go has it: parameters, receivers, `var` and the fields of a struct.
_AFTER_NAME = re.compile(
    rf"(?:(?<=[(,])|\bvar\s|^[ \t]+)[ \t]*(?<!\w)(?P<target>{_NAME})[ \t]+"
    rf"(?:\*|\[\]|\.\.\.|map\[\w+\]|chan[ \t]+)*(?P<type>{_PATH})(?=[ \t]*(?:[,)={{`]|//|$))",
    re.MULTILINE,
)


def receiver_types(text: str) -> dict[str, str]:
    """What the text says about the types of its variables: `x = Foo(...)`, `x: Foo`, `Foo *x`, `x *pkg.Foo`.

    Maps a variable (without `self.`) to the last part of the type's or maker's name. What is declared wins
    over what is assigned; of two that say it alike the later line wins.
    """
    types: dict[str, str] = {}
    patterns = [_ASSIGNED, _ANNOTATED]
    if "func " in text:
        patterns.insert(0, _AFTER_NAME)
    if ";" in text:
        patterns.append(_DECLARED)
    for pattern in patterns:
        for match in pattern.finditer(text):
            made = _type_of(match.group("type"))
            target = match.group("target").rpartition(".")[2]
            if made not in NOISE and target not in NOISE and made != target:
                types[target.lstrip("@")] = made
    return types


_RETURNED = re.compile(rf"\)\s*(?:->|:)\s*{_HELD}(?P<type>{_PATH})")
_RETURNED_BY_GO = re.compile(rf"\)\s*\(?(?:\*|\[\]|map\[\w+\])*(?P<type>{_PATH})[^()]*\)?\s*\{{?\s*$")
_RETURNED_BEFORE = re.compile(
    rf"{_HELD}(?<!\w)(?P<type>{_PATH})(?:<[^;(){{}}=]*>|>)*[\s*&\[\]?]+(?P<name>{_NAME})\s*\("
)


def declared_type(header: str, name: str) -> str:
    """The type that the header of a function or an attribute gives to `name`; empty when it says none."""
    if f"{name}(" not in header.replace(" (", "("):
        told = receiver_types(header).get(name, "")
        after = (_type_of(m["type"]) for m in _AFTER_NAME.finditer(header) if m["target"] == name)
        return told or next((made for made in after if made not in NOISE), "")
    found = list(_RETURNED.finditer(header))[-1:]
    if not found and header.lstrip().startswith("func "):
        found = list(_RETURNED_BY_GO.finditer(header))[-1:]
    if not found:
        found = [match for match in _RETURNED_BEFORE.finditer(header) if match["name"] == name][:1]
    return next((made for match in found if (made := _type_of(match["type"])) not in NOISE), "")


def _type_of(maker: str) -> str:
    """The type that a maker's name tells: `Foo::new` and `Foo.create` make a Foo, and so does `NewFoo`."""
    *before, last = re.split(r"\.|::|\\\\", maker)
    if before and last[:1].islower() and before[-1][:1].isupper():
        return before[-1]
    return last[3:] if last.startswith("New") and last[3:4].isupper() else last

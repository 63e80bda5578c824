"""What a text declares about types: of its variables, its attributes and of what its functions return."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwen_lsp.context.names import NOISE
from qwen_lsp.index.memory import Memory

# Atomic, since these run over a long text at every request: a name is taken whole or not at all.
_NAME = r"[^\W\d]\w*+"
_PATH = rf"(?:{_NAME}(?:\.|::|\\))*+{_NAME}"
# What holds a value without being what it is used as: `Option<Foo>`, `std::shared_ptr<Foo>`, `&'a mut Foo`.
_HOLDERS = """
Option Some Arc Rc Box Pin Ref RefMut RefCell Cell Mutex RwLock Weak Cow Vec unique_ptr shared_ptr weak_ptr
vector Optional List Set Collection Iterable Array ReadonlyArray Readonly Partial Promise Future Task Sequence
Provider Lazy
"""
# `<K, List<V>>`: possessive and without a choice, since it stands before what may be missing in any text.
_GENERIC = r"(?:<[^;(){}=<>]*+|>(?:\s*+,[^;(){}=<>]*+(?=[<>]))?+)*+"
_HELD = (
    r"(?:&|\*|mut\s+|dyn\s+|'\w+\s+|const\s+|struct\s+|\[\]|\.\.\.|typing\.|[\"']"
    rf"|(?:(?:std|sync|rc)::)*(?:{'|'.join(_HOLDERS.split())})\s*[<\[]\s*)*+"
)
_TARGET = rf"(?<![\w.])(?P<target>(?:self\.|this\.|@)?{_NAME})"
_ASSIGNED = re.compile(
    rf"{_TARGET}\s*(?:=|:=)\s*(?:await\s+|new\s+|&|\*)*+(?P<type>{_PATH})"
    r"(?:(?<=[.:]new)(?!\w)|(?:<[^<>()]*>)?\s*[({])"
)
_ANNOTATED = re.compile(rf"{_TARGET}[?!]?\s*:\s*{_HELD}(?P<type>{_PATH})")
# `Foo x`, `const struct foo *x`, `List<Foo> x`, and in PHP `Foo $x`.
_DECLARED = re.compile(
    r"(?:^|(?<=[(,;{])|\b(?:final|const|static|private|protected|public|readonly|struct|extern)\s)"
    rf"[ \t]*+{_HELD}"
    rf"(?<!\w)(?P<type>{_PATH}){_GENERIC}(?:\[\])*[?>]*(?:[ \t]++|[ \t]*+[*&]++[ \t]*+(?:const[ \t]++)?)"
    rf"\$?(?P<target>{_NAME})\s*(?=[=;,)\[{{]|\s:\s|$)",
    re.MULTILINE,
)
# `x *pkg.Foo` as Go has it: parameters, receivers, `var` and the fields of a struct.
_AFTER_NAME = re.compile(
    rf"(?:(?<=[(,])|\bvar\s|^(?=[ \t]))[ \t]*+(?<!\w)(?P<target>{_NAME})[ \t]+"
    rf"(?:\*|\[\]|\.\.\.|map\[\w+\]|chan[ \t]+)*(?P<type>{_PATH})(?=[ \t]*(?:[,)={{`]|//|$))",
    re.MULTILINE,
)


def receiver_types(text: str) -> dict[str, str]:
    """What the text says about the types of its variables: `x = Foo(...)`, `x: Foo`, `Foo *x`, `x *pkg.Foo`.

    Maps a variable (without `self.`) to the last part of the type's or maker's name. What is declared wins
    over what is assigned; of two that say it alike the later line wins.
    """
    patterns = [_ASSIGNED, _ANNOTATED]
    if "func " in text:
        patterns.insert(0, _AFTER_NAME)
    if ";" in text:
        patterns.append(_DECLARED)
    paragraphs = _BLANK_LINE.split(text)
    types: dict[str, str] = {}
    for pattern in patterns:
        for paragraph in paragraphs:
            types.update(_told(pattern, paragraph))
    return types


_BLANK_LINE = re.compile(r"\r?\n[ \t]*+\r?\n")
_LONGEST_REMEMBERED = 4_000
_TOLD: Memory[Sequence[tuple[str, str]]] = Memory(2_000_000)
"""By pattern and paragraph, since a keystroke changes one and leaves hundreds as they were; in characters."""


def _told(pattern: re.Pattern[str], paragraph: str) -> Sequence[tuple[str, str]]:
    """Variables and the types that a pattern finds for them."""
    known = _TOLD.get((pattern, paragraph))
    if known is not None:
        return known
    found: list[tuple[str, str]] = []
    for match in pattern.finditer(paragraph):
        made = _type_of(match["type"])
        target = match["target"].rpartition(".")[2]
        if made not in NOISE and target not in NOISE and made != target:
            found.append((target.lstrip("@"), made))
    if len(paragraph) <= _LONGEST_REMEMBERED:
        _TOLD.keep((pattern, paragraph), found, len(paragraph) + 50 * len(found) + 100)
    return found


_RETURNED = re.compile(rf"\)\s*(?:->|:)\s*{_HELD}(?P<type>{_PATH})")
_RETURNED_BY_GO = re.compile(rf"\)\s*\(?(?:\*|\[\]|map\[\w+\])*(?P<type>{_PATH})[^()]*\)?\s*\{{?\s*$")
_RETURNED_BEFORE = re.compile(
    rf"(?<![*&\w]){_HELD}(?<!\w)(?P<type>{_PATH}){_GENERIC}[\s*&\[\]?]++(?P<name>{_NAME})\s*+\("
)
_LONGEST_HEADER = 2_000


def declared_type(header: str, name: str) -> str:
    """The type that the header of a function or an attribute gives to `name`; empty when it says none."""
    header = header[:_LONGEST_HEADER]
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

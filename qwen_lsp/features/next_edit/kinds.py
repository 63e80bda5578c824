"""What kind of edit an edit was: a rename, another signature, one text in the place of another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qwen_lsp.features.next_edit.history import Edit
from qwen_lsp.features.next_edit.signatures import Listed, Parameter, listed, parameters
from qwen_lsp.features.next_edit.words import (
    Swap,
    is_name,
    neighbours,
    same_words,
    says,
    swaps,
    words,
)
from qwen_lsp.features.situation import CALLABLE
from qwen_lsp.syntax.facts import Definition, FileFacts, Kind
from qwen_lsp.text.positions import LineIndex

_ASSIGNED = (
    r"(?m)(?:^|[;{{])[ \t]*(?:[\w ,*&<>\[\]]*[ ,*&])?{0}\s*(?:,[\w ,]*)?(?::[^=\n(]+)?:?=(?!=).*[^,\s]\s*$"
)
_DECLARED = (
    r"\b(?:for|let|var|val|const|mut|as|with|auto|local|my)\s+"
    r"[(\[{{]?(?:(?!in\b|of\b)\w+(?:\s*,\s*|\s+)){{0,4}}?{0}\b"
)
_LONGEST_FUNCTION = 40_000


@dataclass(frozen=True, slots=True)
class Renamed:
    """A name that means something else now, or nothing.

    `lines`: the first and last line within which the old name meant it; None where that is everywhere.
    """

    old: str
    new: str
    what: Literal["definition", "import", "local", "parameter"]
    kind: Kind | None = None
    lines: tuple[int, int] | None = None
    owner: str = ""
    """The type that the definition is a member of."""
    alone: bool = True
    """Whether the name is all that changed: then the new one belongs wherever the old one was meant."""


@dataclass(frozen=True, slots=True)
class Reshaped:
    """A function that takes other parameters than before. `old` and `new` are their texts as written."""

    name: str
    before: tuple[Parameter, ...]
    after: tuple[Parameter, ...]
    old: str
    new: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Words put in the place of other words, whatever they mean, in `seen` edits one after the other."""

    old: str
    new: str
    seen: int
    lines: bool = False
    """Whether whole lines are meant: `old` and `new` are then without indentation."""
    beside: frozenset[tuple[str, str]] = frozenset()
    """The words before and behind, wherever it was replaced."""
    within: tuple[int, int] | None = None
    """The lines of the function outside of which the new words mean nothing."""


EditKind = Renamed | Reshaped | Replaced


@dataclass(frozen=True, slots=True)
class Version:
    """A text, where its lines start, and what it defines."""

    text: str
    index: LineIndex
    facts: FileFacts


def kinds(edit: Edit, before: Version, after: Version, earlier: Sequence[Edit] = ()) -> list[EditKind]:
    """What the edit was, the surest first; nothing for one that calls for no other.

    `before` and `after` are the whole file then and now; `earlier` the edits before it, newest first.
    """
    if not edit.before.strip() or not edit.after.strip():
        return []
    swapped = swaps(edit.before, edit.after)
    alone = _nothing_else(edit, swapped)
    renamed = (replace(kind, alone=alone) for kind in _definitions(edit, before, after))
    found: list[EditKind] = [*renamed, *_signatures(edit, before, after)]
    known = {kind.old for kind in found if isinstance(kind, Renamed)}
    found += (replace(k, alone=alone) for k in _names(edit, before, after, swapped) if k.old not in known)
    known = {kind.old for kind in found if isinstance(kind, Renamed)}
    within = _local_to(edit, after)
    found += (replace(k, within=within) for k in _replaced(edit, swapped, earlier) if k.old not in known)
    return found


def _nothing_else(edit: Edit, swapped: Sequence[Swap]) -> bool:
    """Whether an edit did nothing but put one text in the place of another, once or several times."""
    text, at = "", 0
    for swap in swapped:
        text += edit.before[at : swap.start] + swap.new
        at = swap.start + len(swap.old)
    alike = len({(swap.old, swap.new) for swap in swapped}) == 1
    return alike and same_words(text + edit.before[at:]) == same_words(edit.after)


def _lines_of(edit: Edit, index: LineIndex, text: str) -> tuple[int, int]:
    """First and last line of the edit."""
    first = index.line_at(edit.start)
    return first, index.line_at(max(edit.start, edit.start + len(text) - 1))


def _named_in(version: Version, lines: tuple[int, int]) -> list[int]:
    definitions = version.facts.definitions
    return [i for i, d in enumerate(definitions) if lines[0] <= d.name_line <= lines[1]]


def _owner(facts: FileFacts, definition: Definition) -> str:
    return facts.definitions[definition.parent].name if definition.parent >= 0 else ""


def _definitions(edit: Edit, before: Version, after: Version) -> Iterator[Renamed]:
    """Definitions that are called something else than before."""
    was = _named_in(before, _lines_of(edit, before.index, edit.before))
    now = _named_in(after, _lines_of(edit, after.index, edit.after))
    names = {after.facts.qualified_name(i) for i in now}
    known = {before.facts.qualified_name(i) for i in was}
    gone = [before.facts.definitions[i] for i in was if before.facts.qualified_name(i) not in names]
    come = [after.facts.definitions[i] for i in now if after.facts.qualified_name(i) not in known]
    if len(gone) != len(come):
        return
    for old, new in zip(gone, come, strict=True):
        if old.kind != new.kind or old.name == new.name or not is_name(old.name) or not is_name(new.name):
            continue
        if not _goes_on(before, old, after, new):
            continue
        owner = _owner(before.facts, old)
        if owner != _owner(after.facts, new):
            continue
        survivors = (d for d in after.facts.definitions if d.name == old.name)
        if any(_owner(after.facts, d) == owner for d in survivors):
            continue
        yield Renamed(old.name, new.name, "definition", old.kind, None, owner)


def _goes_on(before: Version, old: Definition, after: Version, new: Definition) -> bool:
    """Whether two definitions are one under two names: the rest of the signature is much the same."""
    was = same_words(_header(before, old))
    now = same_words(_header(after, new))
    kept = sum(word in now for word in was if word != old.name)
    return 2 * kept >= max(len(was), len(now)) - 1


def _header(version: Version, definition: Definition) -> str:
    span = version.index.lines_span(definition.name_line, max(definition.header_end, definition.name_line))
    return version.text[span.start : span.end]


def _signatures(edit: Edit, before: Version, after: Version) -> Iterator[Reshaped | Renamed]:
    """Functions that take something else than before, and parameters that only are called something else."""
    first, last = _lines_of(edit, after.index, edit.after)
    language = after.facts.language
    for i, new in enumerate(after.facts.definitions):
        if new.kind not in CALLABLE or new.name_line > last or new.header_end < first:
            continue
        same = _called(before.facts, after.facts.qualified_name(i), new)
        # Of several functions with one name nobody can tell here which one a call means.
        if len(same) != 1 or len(_called(after.facts, after.facts.qualified_name(i), new)) != 1:
            continue
        old = same[0]
        if old.kind != new.kind:
            continue
        was, now = _listed(before, old), _listed(after, new)
        if was is None or now is None or was[0] == now[0]:
            continue
        took, takes = parameters(was[1], language), parameters(now[1], language)
        owner = _owner(after.facts, new)
        name = owner if new.kind == "constructor" and owner else new.name
        yield Reshaped(name, took, takes, was[0], now[0], owner)
        if len(took) == len(takes):
            pairs = [(a, b) for a, b in zip(took, takes, strict=True) if a.name != b.name]
            if len(pairs) == 1 and pairs[0][0].name not in {p.name for p in takes}:
                yield Renamed(pairs[0][0].name, pairs[0][1].name, "parameter", None, (new.line, new.end_line))


def _called(facts: FileFacts, name: str, like: Definition) -> list[Definition]:
    """The definitions with a qualified name; the name may be no other's."""
    alike = (i for i, d in enumerate(facts.definitions) if d.name == like.name)
    return [facts.definitions[i] for i in alike if facts.qualified_name(i) == name]


def _listed(version: Version, definition: Definition) -> tuple[str, Listed] | None:
    end = version.index.start_of(definition.name_line) + definition.column + len(definition.name)
    found = listed(version.text, end)
    return None if found is None else (version.text[found.start : found.end], found)


def _names(edit: Edit, before: Version, after: Version, swapped: Sequence[Swap]) -> Iterator[Renamed]:
    """Imported names and local ones, told by the line that brought them into the file."""
    for old, new in dict.fromkeys((s.old, s.new) for s in swapped if s.is_name):
        if says(edit.after, old):
            continue
        if _imported(before.facts, old) and not _imported(after.facts, old) and _imported(after.facts, new):
            yield Renamed(old, new, "import")
            continue
        if not _bound(edit.before, old) or not _bound(edit.after, new):
            continue
        around = _callable_around(after.facts, after.index.line_at(edit.start))
        if around is None:
            continue
        span = after.index.lines_span(around.line, around.end_line)
        if not _bound(after.text[span.start : span.end], old):
            yield Renamed(old, new, "local", None, (around.line, around.end_line))


def _imported(facts: FileFacts, name: str) -> bool:
    return any(name in imp.names for imp in facts.imports)


def _bound(text: str, name: str) -> bool:
    """Whether a text gives a local name its meaning; taken for granted of one too long to look through."""
    if len(text) > _LONGEST_FUNCTION:
        return True
    return re.search(_ASSIGNED.format(re.escape(name)), text) is not None or declared(text, name)


def declared(text: str, name: str) -> bool:
    """Whether a name stands behind a word that declares it: `let`, `for`, `as`."""
    return re.search(_DECLARED.format(re.escape(name)), text) is not None


def _callable_around(facts: FileFacts, line: int) -> Definition | None:
    """The outermost function around a line: what is bound in it may be used in functions inside it."""
    found = (facts.definitions[i] for i in facts.enclosing(line))
    return next((d for d in found if d.kind in CALLABLE), None)


def _replaced(edit: Edit, swapped: Sequence[Swap], earlier: Sequence[Edit]) -> Iterator[Replaced]:
    """The same words replaced wherever the edit touched, and one line changed that may have copies.

    Where several things changed at once, nobody can tell which of them is to be done elsewhere too.
    """
    was, now = edit.before.strip(), edit.after.strip()
    if len({(swap.old, swap.new) for swap in swapped}) == 1 and was.count("\n") == now.count("\n"):
        old, new = swapped[0].old, swapped[0].new
        if not says(edit.after, old) and _tells(old):
            beside = {neighbours(edit.before, s.start, s.start + len(s.old)) for s in swapped}
            past = [(s.old, s.new) for other in earlier for s in swaps(other.before, other.after)]
            yield Replaced(old, new, 1 + past.count((old, new)), beside=frozenset(beside))
    one_line = "\n" not in was and "\n" not in now
    tells = not swapped or any(_tells(swap.old) for swap in swapped)
    if one_line and tells and len(words(was)) >= 4 and same_words(was) != same_words(now):
        past = [(o.before.strip(), o.after.strip()) for o in earlier]
        yield Replaced(was, now, 1 + past.count((was, now)), lines=True)


def _local_to(edit: Edit, after: Version) -> tuple[int, int] | None:
    """The lines of the function around an edit, when a name that came in is of that function alone."""
    around = _callable_around(after.facts, after.index.line_at(edit.start))
    if around is None:
        return None
    span = after.index.lines_span(around.line, around.end_line)
    text, end = after.text, edit.start + len(edit.after)
    outside = text[: span.start] + "\n" + text[span.end :]
    beside = text[span.start : edit.start] + "\n" + text[end : span.end]
    for name in set(same_words(edit.after)) - set(same_words(edit.before)):
        if is_name(name) and says(beside, name) and not says(outside, name):
            return around.line, around.end_line
    return None


def _tells(text: str) -> bool:
    """Whether words say enough to be looked for elsewhere: not a number, not a mark, not one letter."""
    return any(len(word) > 2 and not word.isdigit() for word in same_words(text))

"""Captured nodes to definitions, references and imports, put together by position.

A query says which nodes matter; nothing here walks the tree. A name and a body belong to the innermost
definition around them, so a pattern may capture them in any order and a definition may have two names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

import tree_sitter

from qwen_lsp.syntax.facts import Definition, Import, Kind
from qwen_lsp.syntax.parse import SyntaxTree

Captures = Mapping[str, Sequence[tree_sitter.Node]]

_ATTRIBUTE, _OUTER, _DEFINITION, _WEAK, _NAME, _BODY = range(6)
_ORDER = {"attribute": _ATTRIBUTE, "outer": _OUTER, "name": _NAME, "body": _BODY}
_IMPORT, _GUARD, _MODULE, _IMPORTED = range(4)
_IMPORT_ORDER = {"import": _IMPORT, "guard": _GUARD, "module": _MODULE, "imported": _IMPORTED}
_DEFINITION_PREFIX = "definition."

_WEAK_KINDS = frozenset(("variable", "field", "type"))
"""Patterns for these may also match what a stronger pattern calls something else."""
_TYPE_LIKE = frozenset(("class", "interface", "trait", "struct", "enum", "impl"))
_CONSTRUCTORS = {
    "python": "__init__",
    "javascript": "constructor",
    "typescript": "constructor",
    "typescriptreact": "constructor",
    "php": "__construct",
    "ruby": "initialize",
}
_IMPORTERS = frozenset((b"require", b"require_relative", b"load", b"source", b".", b"dofile"))
"""Calls that import; a query marks the called name as `guard`."""


class Found(NamedTuple):
    """A definition whose parent is not numbered yet; `start` and `end` are bytes."""

    definition: Definition
    start: int
    end: int
    parent: int


class _Open:
    """A definition whose name and body may still come."""

    __slots__ = ("body", "end", "kind", "line", "name", "node", "outer", "start")

    def __init__(self, node: tree_sitter.Node, kind: Kind, start: int, end: int, line: int, outer: _Open | None):
        self.node, self.kind, self.start, self.end, self.line, self.outer = node, kind, start, end, line, outer
        self.name: tree_sitter.Node | None = None
        self.body: tree_sitter.Node | None = None


def definitions(tree: SyntaxTree, captures: Captures) -> list[Found]:
    """The definitions of the captures; a `parent` is a position in the list, an outer one comes first."""
    opened = _opened(captures)
    constructor = _CONSTRUCTORS.get(tree.language.id)
    found: list[Found] = []
    numbers: dict[_Open, int] = {}
    for each in opened:
        numbers[each] = len(found)
        outer = each.outer
        while outer is not None and outer not in numbers:
            outer = outer.outer
        parent = -1 if outer is None else numbers[outer]
        parent_kind = None if outer is None else found[parent].definition.kind
        found.append(_found(tree, each, parent, parent_kind, constructor))
    return found


def _opened(captures: Captures) -> list[_Open]:
    events: list[tuple[int, int, int, str, tree_sitter.Node]] = []
    for capture, nodes in captures.items():
        if capture.startswith(_DEFINITION_PREFIX):
            kind = capture[len(_DEFINITION_PREFIX) :]
            order = _WEAK if kind in _WEAK_KINDS else _DEFINITION
        elif capture in _ORDER:
            kind, order = "", _ORDER[capture]
        else:
            continue
        events += [(n.start_byte, -n.end_byte, order, kind, n) for n in nodes]
    events.sort(key=lambda event: event[:4])

    named: list[_Open] = []
    stack: list[_Open] = []
    wrapper_end = attribute_end = -1
    wrapper_line = attribute_line = 0
    for start, minus_end, order, kind, node in events:
        end = -minus_end
        while stack and stack[-1].end <= start:
            stack.pop()
        if order == _NAME:
            if not stack or start == end:
                continue
            top = stack[-1]
            if top.name is not None:
                # One statement that defines several names: each becomes a definition of its own.
                top = _Open(top.node, top.kind, top.start, top.end, top.line, top.outer)
            top.name = node
            named.append(top)
        elif order == _BODY:
            if stack and stack[-1].body is None:
                stack[-1].body = node
        elif order == _OUTER:
            if end > wrapper_end:
                wrapper_end, wrapper_line = end, node.start_point[0]
        elif order == _ATTRIBUTE:
            line = node.start_point[0]
            if line > attribute_end + 1 or attribute_end < 0:
                attribute_line = line
            attribute_end = node.end_point[0]
        elif not (stack and stack[-1].end == end and stack[-1].start == start and stack[-1].name is None):
            line = node.start_point[0]
            if end <= wrapper_end <= end + 1:
                # `end + 1`: an export may close with a semicolon of its own.
                line, wrapper_end = wrapper_line, -1
            if attribute_end >= 0:
                if line <= attribute_end + 1:
                    line = attribute_line
                attribute_end = -1
            stack.append(_Open(node, cast(Kind, kind), start, end, line, stack[-1] if stack else None))
    # A name may come after what it encloses (a C typedef); parents still go first.
    named.sort(key=lambda each: (each.start, -each.end))
    return named


def _found(
    tree: SyntaxTree, each: _Open, parent: int, parent_kind: Kind | None, constructor: str | None
) -> Found:
    source, name_node, body = tree.source, each.name, each.body
    assert name_node is not None
    start = name_node.start_byte
    name = source[start : name_node.end_byte].decode("utf-8", "replace")
    name_line, column = name_node.start_point
    if not tree.ascii:
        column = len(source[start - column : start].decode("utf-8", "replace"))
    end_line, end_column = each.node.end_point
    if end_column == 0 and end_line > each.line:
        end_line -= 1
    header_end = end_line
    if body is not None:
        header_end, body_column = body.start_point
        if not source[body.start_byte - body_column : body.start_byte].strip():
            header_end = max(header_end - 1, name_line)
    kind = each.kind
    if parent_kind in _TYPE_LIKE:
        kind = "method" if kind == "function" else "field" if kind == "variable" else kind
    if kind in ("variable", "field") and len(name) > 1 and name.isupper():
        kind = "constant"
    elif kind == "method" and name == constructor:
        kind = "constructor"
    definition = Definition(name, kind, each.line, name_line, column, header_end, end_line, parent)
    return Found(definition, each.start, each.end, parent)


def imports(tree: SyntaxTree, captures: Captures) -> list[Import]:
    """The import statements in order; one that names several modules gives one each."""
    events = [
        (n.start_byte, -n.end_byte, order, n)
        for capture, order in _IMPORT_ORDER.items()
        for n in captures.get(capture, ())
    ]
    events.sort(key=lambda event: event[:3])
    source = tree.source
    result: list[Import] = []
    modules: list[str] = []
    names: list[str] = []
    line, end, wanted = 0, -1, False

    def close() -> None:
        if wanted and len(modules) == 1:
            result.append(Import(modules[0], tuple(names), line))
        elif wanted:
            result.extend(Import(module, (), line) for module in modules)

    for start, minus_end, order, node in events:
        if order == _IMPORT:
            if start >= end:
                close()
                modules, names, line, end, wanted = [], [], node.start_point[0], -minus_end, True
        elif start >= end or not wanted:
            continue
        elif order == _GUARD:
            wanted = source[start:-minus_end] in _IMPORTERS
        else:
            text = source[start:-minus_end].decode("utf-8", "replace")
            (modules if order == _MODULE else names).append(text)
    close()
    return result


def references(tree: SyntaxTree, captures: Captures, imported: Iterable[Import]) -> dict[str, int]:
    """How often each name is used; an imported name is a use as well."""
    source = tree.source
    counts = Counter([source[n.start_byte : n.end_byte] for n in captures.get("reference", ())])
    if types := captures.get("type"):
        own = set(captures.get("name", ()))
        counts.update([source[n.start_byte : n.end_byte] for n in types if n not in own])
    if qualifiers := captures.get("qualifier"):
        texts = Counter([source[n.start_byte : n.end_byte] for n in qualifiers])
        for text, count in texts.items():
            if text[:1].isupper():
                counts[text] += count
    result = {text.decode("utf-8", "replace"): count for text, count in counts.items() if text}
    for each in imported:
        for name in each.names:
            if name != "*":
                result[name] = result.get(name, 0) + 1
    return result

"""Captured nodes to definitions, put together by position.

A query says which nodes matter; nothing here walks the tree. Where a grammar has the fields `name` and
`body` a captured definition is enough; captured names and bodies go to the innermost definition around
them that has none, so a pattern may capture them in any order.

`@definition.attribute` is what a method gives its object: a field of the type around it. Elsewhere it defines
nothing. `@definition.global` is a variable wherever no function is around it, and nothing in one.

`@is.def.defp` asks that the node reads `def` or `defp`, or else the names after it in the same definition
do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import tree_sitter

from qwen_lsp.syntax.facts import Definition, Kind
from qwen_lsp.syntax.grammar import Fields
from qwen_lsp.syntax.mentions import Captures, vetoed
from qwen_lsp.syntax.parse import SyntaxTree

_ATTRIBUTE, _OUTER, _BODY, _DEFINITION, _IS, _NAME = range(6)
_ORDER = {"attribute": _ATTRIBUTE, "outer": _OUTER, "name": _NAME, "body": _BODY}
_DEFINITION_CAPTURE = "definition."
_WEAK = "~"
"""Put before a kind: a pattern for it may also match what a stronger pattern calls something else."""
_WEAK_KINDS = frozenset(("attribute", "global", "class", "variable", "field", "property", "type"))
_VARIABLES = frozenset(("variable", "field", "property"))
_VARIABLE = _WEAK + "variable"
_MEMBER_KINDS = {"function": "method", _VARIABLE: "field"}
"""What a definition directly inside a type is called instead."""
_TYPE_LIKE = frozenset(("class", "interface", "trait", "struct", "enum", "impl"))
_MARKS = "\"'`:"
_ATTRIBUTE_OF_OBJECT = _WEAK + "attribute"
_GLOBAL = _WEAK + "global"
_ONLY_IN_PLACES = frozenset((_ATTRIBUTE_OF_OBJECT, _GLOBAL))
_METHODS = frozenset(("constructor", "method"))
_FUNCTIONS = _METHODS | {"function"}
_SYMBOL = _WEAK + "property"
"""What a Ruby symbol defines; elsewhere a colon may be part of a name."""

_Event = tuple[int, int, str, tree_sitter.Node]


class Collected(NamedTuple):
    """Definitions, outer ones first; what each was made of; and the nodes that name them."""

    definitions: list[Definition]
    opened: list[Open]
    names: list[tree_sitter.Node]


class Open:
    """A captured definition; its name and its body may come later. `number` is -1 until it has a name."""

    __slots__ = ("body", "end", "kind", "line", "name", "node", "number", "outer", "start", "vetoes")

    def __init__(
        self, node: tree_sitter.Node, kind: str, start: int, end: int, line: int, outer: Open | None
    ):
        self.node = node
        self.kind = kind
        self.start = start
        self.end = end
        self.line = line
        self.outer = outer
        self.name: tree_sitter.Node | None = None
        self.body: tree_sitter.Node | None = None
        self.number = -1
        self.vetoes: set[str] | None = None


def definitions(tree: SyntaxTree, captures: Captures, fields: Fields) -> Collected:
    """The definitions of the captures, by position; a `parent` is a position in the same list."""
    # This loop runs for every definition of a workspace: what is asked of a node is asked once.
    source, ascii_only = tree.source, tree.ascii
    name_fields, body_fields, comment, constructor = fields
    result: list[Definition] = []
    names: list[tree_sitter.Node] = []
    opened = _opened(source, captures)
    for each in opened:
        node, kind = each.node, each.kind
        if kind in _ONLY_IN_PLACES:
            if not _in_its_place(each, result):
                continue
            kind = _VARIABLE if kind == _GLOBAL else kind
        name_node = each.name
        if name_node is None and each.vetoes is None:
            for field in name_fields:
                if (name_node := node.child_by_field_id(field)) is not None:
                    break
        if name_node is None:
            continue
        start = name_node.start_byte
        name = source[start : name_node.end_byte].decode("utf-8", "replace")
        if not name or "\n" in name:
            continue
        name_line, column = name_node.start_point
        if not ascii_only:
            column = len(source[start - column : start].decode("utf-8", "replace"))
        if name[0] in _MARKS and (name[0] != ":" or kind == _SYMBOL):
            name = name.strip(name[0])
            column += 1

        header_end, end_column = node.end_point
        if end_column == 0 and header_end > each.line:
            header_end -= _blank_lines(source, node.end_byte)
        end_line = header_end
        if header_end > name_line:
            body = each.body
            if body is None:
                for field in body_fields:
                    if (body := node.child_by_field_id(field)) is not None:
                        break
            if body is not None:
                header_end, column_of_body = body.start_point
                if header_end > name_line:
                    line_start = body.start_byte - column_of_body
                    header_end = _header_end(
                        source, line_start, column_of_body, header_end, name_line, comment
                    )

        elif name_line > each.line:
            header_end = _name_behind(each, kind, start, name_line, body_fields)

        outer = each.outer
        while outer is not None and outer.number < 0:
            outer = outer.outer
        if outer is None:
            parent = -1
        else:
            parent = outer.number
            if kind == _ATTRIBUTE_OF_OBJECT:
                parent, kind = result[parent].parent, "field"
            elif result[parent].kind in _TYPE_LIKE:
                kind = _MEMBER_KINDS.get(kind, kind)
        if kind[0] == _WEAK:
            kind = kind[1:]
        if kind == "method":
            if name == constructor:
                kind = "constructor"
        elif kind in _VARIABLES and name.isupper() and (len(name) > 1 if kind == "variable" else "_" in name):
            kind = "constant"
        each.number = len(result)
        names.append(name_node)
        result.append(
            _definition((name, cast(Kind, kind), each.line, name_line, column, header_end, end_line, parent))
        )
    return Collected(result, opened, names)


def _name_behind(each: Open, kind: str, start: int, name_line: int, body_fields: Sequence[int]) -> int:
    """The last line of a header that ends on its name: `typedef struct {` when the name follows the body."""
    body = each.body
    for field in body_fields if body is None else ():
        if (body := each.node.child_by_field_id(field)) is not None:
            break
    if body is not None:
        line, end = body.start_point[0], body.end_byte
        return line if end <= start and line < name_line - 1 else name_line
    # The body of `typedef struct name { } other` belongs to the struct.
    first = each.node.start_point[0]
    return first if kind == _WEAK + "type" and name_line > first + 1 else name_line


def _in_its_place(each: Open, result: Sequence[Definition]) -> bool:
    """Whether what immediately encloses it is a method, or for a global anything but a function."""
    outer = each.outer
    while outer is not None and outer.number < 0:
        outer = outer.outer
    around = None if outer is None else result[outer.number].kind
    return around not in _FUNCTIONS if each.kind == _GLOBAL else around in _METHODS


def _definition(values: tuple[str, Kind, int, int, int, int, int, int]) -> Definition:
    # Twice as fast as the constructor of a named tuple.
    return tuple.__new__(Definition, values)  # pyright: ignore[reportUnknownMemberType]


def _opened(source: bytes, captures: Captures) -> list[Open]:
    """Every captured definition with its captured name, body, wrapper and enclosing definition."""
    opened: list[Open] = []
    stack: list[Open] = []
    wrapper_end = attribute_end = asked = -1
    wrapper_line = attribute_line = 0
    late = False
    for start, reach, kind, node in _events(captures):
        order = reach & 7
        while stack and stack[-1].end <= start:
            stack.pop()
        if order == _DEFINITION:
            end = -(reach >> 3)
            if stack and stack[-1].end == end and stack[-1].start == start and kind[0] == _WEAK:
                continue
            line: int = node.start_point[0]
            if end <= wrapper_end <= end + 1:
                # `end + 1`: an export may close with a semicolon of its own.
                line, wrapper_end = wrapper_line, -1
            if attribute_end >= 0:
                if line <= attribute_end + 1:
                    line = attribute_line
                attribute_end = -1
            stack.append(Open(node, kind, start, end, line, stack[-1] if stack else None))
            opened.append(stack[-1])
        elif order == _IS:
            if stack:
                text = source[start : node.end_byte].decode("utf-8", "replace")
                stack[-1].vetoes = vetoed(stack[-1].vetoes or set(), kind, text)
                asked = start
        elif order == _NAME:
            # The word that made the innermost one void may still name the next.
            owner = (
                stack[-2:][0]
                if start == asked and stack and stack[-1].vetoes
                else stack[-1]
                if stack
                else None
            )
            if owner is None or owner.vetoes:
                continue
            if owner.name is not None:
                # One statement that defines several names: each becomes a definition of its own.
                late = late or owner is not opened[-1]
                owner = Open(owner.node, owner.kind, owner.start, owner.end, owner.line, owner.outer)
                opened.append(owner)
            owner.name = node
        elif order == _BODY:
            if stack and stack[-1].body is None:
                stack[-1].body = node
        elif order == _OUTER:
            if -(reach >> 3) > wrapper_end:
                wrapper_end, wrapper_line = -(reach >> 3), node.start_point[0]
        else:
            line = node.start_point[0]
            if attribute_end < 0 or line > attribute_end + 1:
                attribute_line = line
            attribute_end = node.end_point[0]
    if late:
        opened.sort(key=lambda each: (each.start, -each.end))
    return opened


def _events(captures: Captures) -> list[_Event]:
    """What bears on definitions, in order of position: of two that start together the longer comes first.

    The second number is the end and, where ranges are equal, what goes first.
    """
    events: list[_Event] = []
    for capture, nodes in captures.items():
        if capture.startswith(_DEFINITION_CAPTURE):
            kind = capture[len(_DEFINITION_CAPTURE) :]
            kind = _WEAK + kind if kind in _WEAK_KINDS else kind
            order = _DEFINITION
        elif capture in _ORDER:
            kind, order = "", _ORDER[capture]
        elif capture.startswith("is."):
            kind, order = capture, _IS
        else:
            continue
        events += [(n.start_byte, -n.end_byte << 3 | order, kind, n) for n in nodes]
    try:
        events.sort()
    except TypeError:
        # Two nodes of one range under one capture: they cannot be told apart, nor need they be.
        events.sort(key=lambda event: event[:3])
    return events


def _header_end(source: bytes, line_start: int, column: int, line: int, least: int, comment: bytes) -> int:
    """The line a signature ends on, given where its body starts: not the body's if only blanks precede it.

    Blank lines and line comments between the two belong to the body.
    """
    if source[line_start : line_start + column].strip():
        return line
    while line > least:
        previous = source.rfind(b"\n", 0, line_start - 1) + 1
        text = source[previous:line_start].strip()
        line -= 1
        if text and not (comment and text.startswith(comment)):
            return line
        line_start = previous
    return line


def _blank_lines(source: bytes, end: int) -> int:
    """How many lines above `end`, where a line starts, are blank; that one included."""
    tail = source[max(0, end - 1000) : end]
    return tail.count(b"\n", len(tail.rstrip()))

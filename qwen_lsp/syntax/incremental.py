"""Facts after an edit from the facts before it, by asking the query only about the lines around the edit.

A match of a rooted pattern depends on nothing outside its root. Cut both texts into the lines before the
change, the lines of the change (one more on either side) and the lines after it: a root that does not
touch the middle part is the same in both trees, so what it gave stays, moved by the number of lines that
came or went; what the others gave is taken away as the old tree gives it and added as the new tree does.
Where the two cannot be told apart by what FileFacts keeps, the answer is None: extract everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tree_sitter

from qwen_lsp.syntax import collect, mentions
from qwen_lsp.syntax.collect import Collected
from qwen_lsp.syntax.facts import Definition, FileFacts, Import, Kind
from qwen_lsp.syntax.grammar import capture_names, fields, query
from qwen_lsp.syntax.parse import SyntaxTree
from qwen_lsp.text.positions import Span

_LARGEST_PART = 0.5
"""Of a file; above it one query over everything is cheaper than two over that much."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Whole lines around a change: bytes in both sources, rows, and what came or went with it."""

    start: int
    old_end: int
    new_end: int
    first_row: int
    old_end_row: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Part:
    """What the roots that touch the window give in one tree."""

    collected: Collected
    references: Mapping[str, int]
    imports: Sequence[Import]


def updated(
    before: SyntaxTree, facts: FileFacts, after: SyntaxTree, changed: Sequence[Span], lines: int
) -> FileFacts | None:
    """What `extract` gives for `after`, or None where that cannot be told from the change alone."""
    window = _window(before, after, changed)
    if window.new_end - window.start > len(after.source) * _LARGEST_PART:
        return None
    if _surroundings(before, window.start, window.old_end) != _surroundings(
        after, window.start, window.new_end
    ):
        return None
    old = _part(before, window.start, window.old_end)
    new = _part(after, window.start, window.new_end)
    references = _references(facts.references, old, new)
    imports = _imports(facts.imports, old, new, window)
    definitions = _definitions(facts.definitions, old, new, window)
    if references is None or imports is None or definitions is None:
        return None
    return FileFacts(facts.language, lines, definitions, references, imports, after.has_errors)


def _window(before: SyntaxTree, after: SyntaxTree, changed: Sequence[Span]) -> _Window:
    growth = len(after.source) - len(before.source)
    start = after.to_byte(min(span.start for span in changed))
    end = after.to_byte(max(span.end for span in changed))
    # One line more on either side: an attribute or a decorator belongs to the definition below it.
    for _ in range(2):
        start = after.source.rfind(b"\n", 0, max(start - 1, 0)) + 1
        end = after.source.find(b"\n", end) + 1 or len(after.source)
    if "attribute" in capture_names(after.language):
        # A stack of attributes belongs to the definition below it, and no blank line lies between.
        while start and after.source[after.source.rfind(b"\n", 0, start - 1) + 1 : start].strip():
            start = after.source.rfind(b"\n", 0, start - 1) + 1
    first_row = after.source.count(b"\n", 0, start)
    new_rows = after.source.count(b"\n", start, end)
    old_rows = before.source.count(b"\n", start, end - growth)
    return _Window(start, end - growth, end, first_row, first_row + old_rows, new_rows - old_rows)


def _surroundings(tree: SyntaxTree, start: int, end: int) -> tuple[int, int]:
    """How many nodes start before the window, and how many behind it.

    An ambiguous grammar may take the same text outside the change for something else this time, and the
    ranges said to have changed do not always tell; the number of nodes then mostly differs.
    """
    behind = tree.tree.root_node.descendant_count - _nodes_before(tree, end)
    return _nodes_before(tree, start), behind


def _nodes_before(tree: SyntaxTree, byte: int) -> int:
    cursor = tree.tree.walk()
    while cursor.goto_first_child_for_byte(byte) is not None:
        node = cursor.node
        if node is not None and node.start_byte >= byte:
            return cursor.descendant_index
    while not cursor.goto_next_sibling():
        if not cursor.goto_parent():
            return tree.tree.root_node.descendant_count
    return cursor.descendant_index


def _part(tree: SyntaxTree, start: int, end: int) -> _Part:
    captures: mentions.Captures = {}
    if start < end:
        cursor = tree_sitter.QueryCursor(query(tree.language))
        cursor.set_byte_range(start, end)
        captures = mentions.matched(cursor, tree.tree.root_node)
    collected = collect.definitions(tree, captures, fields(tree.language))
    imports = mentions.imports(tree, captures)
    return _Part(collected, mentions.references(tree, captures, collected.names, imports), imports)


def _references(counts: Mapping[str, int], old: _Part, new: _Part) -> dict[str, int] | None:
    result = dict(counts)
    for name, count in old.references.items():
        left = result.pop(name, 0) - count
        if left < 0:
            return None
        if left:
            result[name] = left
    for name, count in new.references.items():
        result[name] = result.get(name, 0) + count
    return result


def _imports(imports: Sequence[Import], old: _Part, new: _Part, window: _Window) -> tuple[Import, ...] | None:
    kept = list(imports)
    for each in old.imports:
        if each not in kept:
            return None
        kept.remove(each)
    moved = [
        each if each.line < window.first_row else each._replace(line=each.line + window.rows) for each in kept
    ]
    lines = {each.line for each in new.imports}
    for was, now in zip(kept, moved, strict=True):
        # Two on one line have no order that their lines could tell.
        if window.first_row <= was.line < window.old_end_row or now.line in lines:
            return None
    return tuple(sorted([*moved, *new.imports], key=lambda each: each.line))


def _definitions(
    definitions: Sequence[Definition], old: _Part, new: _Part, window: _Window
) -> tuple[Definition, ...] | None:
    was = _sorted_out(old.collected, window.start, window.old_end, 0)
    now = _sorted_out(new.collected, window.start, window.new_end, -window.rows)
    # What reaches out of the window encloses what is kept, so it must be there as before; and so must
    # what lies outside but comes from a pattern whose root is all around, such as the whole file.
    if list(was.across.values()) != list(now.across.values()) or was.outside != now.outside:
        return None
    successor = dict(zip(was.across, now.across, strict=True))

    given = old.collected.definitions
    parts = {(d.name_line, d.column): n for n, d in enumerate(given) if n not in was.elsewhere}
    if len(parts) != len(given) - len(was.elsewhere):
        return None
    head: list[_Place] = []
    tail: list[_Place] = []
    replaced: dict[int, int] = {}
    news = list(new.collected.definitions)
    for number, each in enumerate(definitions):
        inside = parts.get((each.name_line, each.column))
        if inside is not None:
            replaced[number] = inside
            unseen = given[inside].line - each.line
            if inside in was.across and was.across[inside][1] is not None:
                # Attributes above it may lie outside the window: there as much as now.
                at = successor[inside]
                news[at] = news[at]._replace(line=news[at].line - unseen)
                head.append((True, at))
            elif unseen:
                return None
        elif each.end_line < window.first_row:
            head.append((False, number))
        elif each.line >= window.old_end_row:
            tail.append((False, number))
        else:
            return None
    if len(replaced) != len(parts):
        return None
    placed = set(head)
    middle = [(True, n) for n in range(len(news)) if (True, n) not in placed and n not in now.elsewhere]
    places = [*head, *middle, *tail]
    position = {place: at for at, place in enumerate(places)}
    result: list[Definition] = []
    for at, (is_new, number) in enumerate(places):
        if is_new:
            each = news[number]
            result.append(each._replace(parent=position.get((True, each.parent), -1)))
            continue
        each = definitions[number]
        parent = each.parent
        if parent >= 0:
            enclosing = replaced.get(parent)
            if enclosing is not None and enclosing not in successor:
                return None
            parent = position[(False, parent) if enclosing is None else (True, successor[enclosing])]
        rows = window.rows if at >= len(head) else 0
        result.append(_moved(each, rows, parent) if rows or parent != each.parent else each)
    return tuple(result)


_Place = tuple[bool, int]
"""Whether it is a definition of the new part, and its number there or in the facts before."""


def _moved(each: Definition, rows: int, parent: int) -> Definition:
    name, kind, line, name_line, column, header_end, end_line, _ = each
    return Definition(
        name, kind, line + rows, name_line + rows, column, header_end + rows, end_line + rows, parent
    )


_Reach = tuple[str, int | None, int | None]
"""Kind, first byte if before the window, and how far the end lies behind it."""


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Definitions of a part by where they lie; the rest are inside the window."""

    across: dict[int, _Reach]
    elsewhere: set[int]
    outside: list[tuple[str, Kind, int, int, int, int, int]]


def _sorted_out(part: Collected, start: int, end: int, rows: int) -> _Sorted:
    """`rows` moves what lies behind the window to where it is in the other tree."""
    result = _Sorted({}, set(), [])
    for each in part.opened:
        if each.number < 0 or (each.start >= start and each.end <= end):
            continue
        definition = part.definitions[each.number]
        if each.end <= start or each.start >= end:
            result.elsewhere.add(each.number)
            result.outside.append(_moved(definition, rows if each.start >= end else 0, 0)[:7])
        else:
            result.across[each.number] = (
                definition.kind,
                each.start if each.start < start else None,
                each.end - end if each.end > end else None,
            )
    return result

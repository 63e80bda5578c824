"""Captured nodes to imports and references, put together by position.

`@by.require` asks that the node reads `require`, or else the modules after it in the same statement do
not count. A predicate does it too, but reads the text back through the parser's callback each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter

import tree_sitter

from qwen_lsp.syntax.facts import Import
from qwen_lsp.syntax.parse import SyntaxTree

Captures = Mapping[str, Collection[tree_sitter.Node]]

_BY, _MODULE, _IMPORTED = range(3)
_START = attrgetter("start_byte")


def matched(cursor: tree_sitter.QueryCursor, root: tree_sitter.Node) -> dict[str, set[tree_sitter.Node]]:
    """What `cursor.captures` gives, by way of the matches."""
    captures: dict[str, set[tree_sitter.Node]] = {}
    for _, match in cursor.matches(root):
        for capture, nodes in match.items():
            captures.setdefault(capture, set()).update(nodes)
    return captures


def imports(tree: SyntaxTree, captures: Captures) -> list[Import]:
    """The import statements in order; one that names several modules gives one each."""
    statements = sorted(captures.get("import", ()), key=_START)
    if not statements:
        return []
    source = tree.source
    parts = [(n.start_byte, _MODULE, n.end_byte, "") for n in captures.get("module", ())]
    parts += [(n.start_byte, _IMPORTED, n.end_byte, "") for n in captures.get("imported", ())]
    for capture, nodes in captures.items():
        if capture.startswith("by."):
            parts += [(n.start_byte, _BY, n.end_byte, capture) for n in nodes]
    parts.sort()
    result: list[Import] = []
    at, last = 0, -1
    for statement in statements:
        if statement.start_byte < last:
            continue
        last = statement.end_byte
        modules: list[str] = []
        names: list[str] = []
        vetoes: set[str] = set()
        module_end = -1
        while at < len(parts) and parts[at][0] < last:
            start, order, end, capture = parts[at]
            at += 1
            text = source[start:end].decode("utf-8", "replace")
            if order == _BY:
                vetoes = vetoed(vetoes, capture, text)
            elif vetoes:
                continue
            elif order == _IMPORTED:
                names.append("*" if text == "_" else text)
            elif source[module_end:start] == b".":
                # A grammar without a node for the whole dotted name gives it piece by piece.
                modules[-1] += f".{text}"
                module_end = end
            else:
                modules.append(text.strip("\"'"))
                module_end = end
        if modules:
            line: int = statement.start_point[0]
            if len(modules) == 1:
                result.append(Import(modules[0], tuple(names), line))
            else:
                result += [Import(module, (), line) for module in modules]
    return result


def references(
    tree: SyntaxTree, captures: Captures, own_names: Iterable[tree_sitter.Node], imported: Iterable[Import]
) -> dict[str, int]:
    """How often each name is used; an imported name is a use as well."""
    source = tree.source
    counts = Counter([source[n.start_byte : n.end_byte] for n in captures.get("reference", ())])
    if types := captures.get("type"):
        own = set(own_names)
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


def vetoed(vetoes: set[str], capture: str, text: str) -> set[str]:
    """The captures that object, after one more of them was compared with its words."""
    word = "dot" if text == "." else text.lstrip("@")
    return vetoes - {capture} if word in capture.split(".") else vetoes | {capture}

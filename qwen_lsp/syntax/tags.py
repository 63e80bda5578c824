"""Definitions, references and imports of one file, from its tree and the query of its language."""

from __future__ import annotations

import re
from collections.abc import Sequence

import tree_sitter

from qwen_lsp.syntax import collect, incremental, mentions
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.grammar import fields, query
from qwen_lsp.syntax.parse import STRING_NODES, SyntaxTree
from qwen_lsp.text.positions import Span

_MOST_OCCURRENCES = 5000
_WORD = rb"[0-9A-Za-z_\x80-\xff]"


def extract(tree: SyntaxTree) -> FileFacts:
    """The facts of one file."""
    captures = _captures(tree)
    collected = collect.definitions(tree, captures, fields(tree.language))
    imports = mentions.imports(tree, captures)
    return FileFacts(
        tree.language.id,
        line_count(tree.text),
        tuple(collected.definitions),
        mentions.references(tree, captures, collected.names, imports),
        tuple(imports),
        tree.has_errors,
    )


def _captures(tree: SyntaxTree) -> mentions.Captures:
    """What the query of the language captures.

    Asking for captures is cheapest for code. It holds them back until every pattern begun before them is
    decided, though, which is quadratic in long pages of markup and data; asking for matches never is.
    """
    cursor = tree_sitter.QueryCursor(query(tree.language))
    if tree.language.is_code:
        return cursor.captures(tree.tree.root_node)
    return mentions.matched(cursor, tree.tree.root_node)


def update(
    tree_before: SyntaxTree, facts_before: FileFacts, tree_after: SyntaxTree, changed: Sequence[Span]
) -> FileFacts:
    """What `extract(tree_after)` gives, at the price of the lines that changed.

    `tree_after` and `changed` are what `reparse` made of `tree_before`, whose facts are `facts_before`.
    """
    if not changed:
        return facts_before if tree_before.text == tree_after.text else extract(tree_after)
    lines = line_count(tree_after.text)
    return incremental.updated(tree_before, facts_before, tree_after, changed, lines) or extract(tree_after)


def occurrences(tree: SyntaxTree, name: str) -> list[Span]:
    """Where the file says `name` as a name: definitions, references, locals; never comments or strings."""
    if not name:
        return []
    word = re.escape(name.encode("utf-8", "replace"))
    root, source, code = tree.tree.root_node, tree.source, tree.language.is_code
    spans: list[Span] = []
    seen_byte = seen = 0
    for match in re.finditer(rb"(?<!%s)%s(?!%s)" % (_WORD, word, _WORD), source):
        start, end = match.span()
        node = root.descendant_for_byte_range(start, end)
        if node is None or not node.is_named or (node.start_byte, node.end_byte) != (start, end):
            continue
        kind = node.type
        if "comment" in kind or (code and ("string" in kind or kind in STRING_NODES)):
            continue
        seen += start - seen_byte if tree.ascii else len(source[seen_byte:start].decode("utf-8", "replace"))
        seen_byte = start
        spans.append(Span(seen, seen + len(name)))
        if len(spans) == _MOST_OCCURRENCES:
            break
    return spans


def line_count(text: str) -> int:
    """How many lines a text has; a last one without a terminator counts, an empty one does not."""
    breaks = text.count("\n")
    if "\r" in text:
        breaks += text.count("\r") - text.count("\r\n")
    return breaks + (text != "" and not text.endswith(("\n", "\r")))

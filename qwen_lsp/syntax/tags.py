"""Definitions, references and imports of one file, from its tree and the query of its language."""

from __future__ import annotations

from collections.abc import Sequence

import tree_sitter

from qwen_lsp.syntax import collect, incremental
from qwen_lsp.syntax.facts import Definition, FileFacts
from qwen_lsp.syntax.grammar import fields, query
from qwen_lsp.syntax.parse import SyntaxTree
from qwen_lsp.text.positions import Span


def extract(tree: SyntaxTree) -> FileFacts:
    """The facts of one file."""
    captures = tree_sitter.QueryCursor(query(tree.language)).captures(tree.tree.root_node)
    collected = collect.definitions(tree, captures, fields(tree.language))
    imports = collect.imports(tree, captures)
    return FileFacts(
        tree.language.id,
        line_count(tree.text),
        tuple(collected.definitions),
        collect.references(tree, captures, collected.names, imports),
        tuple(imports),
        tree.has_errors,
    )


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


def line_count(text: str) -> int:
    """How many lines a text has; a last one without a terminator counts, an empty one does not."""
    breaks = text.count("\n")
    if "\r" in text:
        breaks += text.count("\r") - text.count("\r\n")
    return breaks + (text != "" and not text.endswith(("\n", "\r")))

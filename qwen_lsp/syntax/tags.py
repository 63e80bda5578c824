"""Definitions, references and imports of one file, from its tree and the query of its language."""

from __future__ import annotations

from collections.abc import Sequence

import tree_sitter

from qwen_lsp.syntax import collect
from qwen_lsp.syntax.collect import Found
from qwen_lsp.syntax.facts import Definition, FileFacts
from qwen_lsp.syntax.grammar import query
from qwen_lsp.syntax.parse import SyntaxTree
from qwen_lsp.text.positions import Span


def extract(tree: SyntaxTree) -> FileFacts:
    """The facts of one file."""
    captures = tree_sitter.QueryCursor(query(tree.language)).captures(tree.tree.root_node)
    imports = collect.imports(tree, captures)
    return FileFacts(
        tree.language.id,
        line_count(tree.text),
        tuple(found.definition for found in collect.definitions(tree, captures)),
        collect.references(tree, captures, imports),
        tuple(imports),
        tree.has_errors,
    )


def line_count(text: str) -> int:
    """How many lines a text has; a last one without a terminator counts, an empty one does not."""
    breaks = text.count("\n")
    if "\r" in text:
        breaks += text.count("\r") - text.count("\r\n")
    return breaks + (text != "" and not text.endswith(("\n", "\r")))

"""Whether a place stands in a comment or a string, told from a bounded piece of code before it.

While a string is being written it has no end, and a grammar takes what follows for code. So each end that it
may have is tried: where the parser then sees one whole string up to that end, the place is inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

import tree_sitter

from qwen_lsp.syntax.languages import Language, available
from qwen_lsp.syntax.parse import STRING_NODES, SyntaxTree, in_comment_or_string, parse

Inside = Literal["comment", "string", None]

_STRINGS = {
    '"': '"', "'": "'", "`": "`", '"""': '"""', "'''": "'''", '#"': '"#', 'R"(': ')"', "[[": "]]",
}  # fmt: skip
_COMMENTS = {"/*": "*/", "<!--": "-->", "--[[": "]]", "=begin": "\n=end\n"}
"""How texts begin that end with a sign of their own, and that sign."""
_OWN_LINE = frozenset({"elixir", "swift"})
"""Languages whose long strings end on a line of their own."""
_HEREDOC = re.compile(r"<<[-~<]?[ \t]*(['\"]?)(\w+)\1")
_DEFINES = re.compile(
    r"^(?:@|#\[|(?:export |public |pub |async |static |local |abstract |final )*"
    r"(?:def|class|func|fn|function|impl|struct|interface|trait|enum|module|namespace|type)\b)",
    re.MULTILINE,
)
_NO_STRINGS = frozenset({"string_scalar", "string_start", "regex"})
"""Texts without quotes, marks of a beginning, and what is code to whoever writes it."""


def text_around(language: Language, text: str, offset: int, reach: int) -> Inside:
    """What the cursor stands in. At most `reach` characters before it are looked at.

    None for code, for what stands in an interpolation, and where the grammar is not installed.
    """
    if not available(language):
        return None
    start = 0
    if offset > reach:
        # A text that is cut in its middle would turn everything around: begin where a definition does.
        found = _DEFINES.search(text, offset - reach, offset)
        start = found.start() if found else text.find("\n", offset - reach, offset) + 1 or offset - reach
    return _at_end(language, text[start:offset])


@lru_cache(maxsize=16)
def _at_end(language: Language, head: str) -> Inside:
    """What more text at the end of a piece of code would belong to."""
    if language.id == "php" and "<?" not in head:
        head = "<?php\n" + head
    found: list[tuple[int, Inside]] = []
    for kind, end in _ends(language, head):
        if (began := _begins(parse(head + end, language), len(head), kind, end)) is not None:
            found.append((began, kind))
    tree = parse(head, language)
    if in_comment_or_string(tree, len(head)) == "comment":
        at = tree.to_byte(len(head))
        began = [node.start_byte for node in _around(tree, at) if _kind(tree, node) == "comment"]
        found.append((min(began, default=at), "comment"))
    # A quote in a comment is no string, and what looks like a comment in a string is none.
    return min(found, key=lambda text: text[0])[1] if found else None


def _ends(language: Language, head: str) -> list[tuple[Inside, str]]:
    """The ends of texts that may be open, as far as one of their kind was begun."""
    found: list[tuple[Inside, str]] = []
    for begin, end in _STRINGS.items():
        if begin in head:
            found.append(("string", f"\n{end}" if len(begin) == 3 and language.id in _OWN_LINE else end))
    heredocs = [match[2] for match in _HEREDOC.finditer(head)]
    if heredocs and language.id in ("shellscript", "ruby", "php"):
        found.append(("string", f"\n{heredocs[-1]}{';' if language.id == 'php' else ''}\n"))
    comments = [end for begin, end in _COMMENTS.items() if begin in head]
    return [*found, *(("comment", end) for end in comments)]


def _begins(tree: SyntaxTree, offset: int, kind: Inside, end: str) -> int | None:
    """Where a text of a kind begins that goes on at `offset` and is over with the end put there, in bytes."""
    at = tree.to_byte(offset)
    for node in _around(tree, at):
        if node.start_byte < at and _kind(tree, node) == kind and not (node.has_error or node.is_missing):
            behind = node.end_byte - at
            if node.type.startswith("heredoc") or 0 < behind <= len(end.encode()):
                return node.start_byte
    return None


def _around(tree: SyntaxTree, at: int) -> Iterator[tree_sitter.Node]:
    """The nodes around the byte before `at`, the innermost first."""
    node = tree.tree.root_node.descendant_for_byte_range(at - 1, at) if at else None
    while node is not None:
        yield node
        node = node.parent


def _kind(tree: SyntaxTree, node: tree_sitter.Node) -> Inside:
    kind = node.type
    if not node.is_named or kind in _NO_STRINGS:
        return None
    if "comment" in kind:
        return "comment"
    if kind == "literal":
        return "string" if tree.source.startswith(b"'", node.start_byte) else None
    return "string" if "string" in kind or kind in STRING_NODES or kind == "quoted_attribute_value" else None

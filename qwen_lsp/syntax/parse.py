"""Text to syntax tree and what is where in it: incremental, never failing, offsets in code points.

Before parsing a lone CR becomes an LF and a lone surrogate a question mark. Both keep the number of
characters, so offsets into the tree are offsets into the text, and rows are the lines of `LineIndex`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import tree_sitter

from qwen_lsp.syntax.guard import attempt, blank, hazards, parse_source
from qwen_lsp.syntax.languages import Language
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span

_LONE_CR = re.compile(r"\r(?!\n)")
# fmt: off
STRING_NODES = frozenset((
    "char_literal", "character_literal", "rune_literal", "heredoc_body", "regex", "line_str_text",
    "multi_line_str_text", "double_quote_scalar", "single_quote_scalar",
))
"""Nodes of strings besides those with `string` in their type."""
# fmt: on
_TEXT_OF_STRING = re.compile(r"(content|fragment|start|text|characters|_body)$")
_INTERPOLATION = re.compile(r"interpolat|substitution|expansion")


@dataclass(frozen=True, slots=True)
class SyntaxTree:
    """One parsed text. `source` is what the parser saw; `ascii` says that bytes are code points.

    `blanked` are byte ranges of lines that the grammar could not get over; the parser saw spaces there.
    """

    language: Language
    text: str = field(repr=False)
    source: bytes = field(repr=False)
    ascii: bool
    tree: tree_sitter.Tree = field(repr=False)
    blanked: tuple[tuple[int, int], ...] = ()

    @property
    def has_errors(self) -> bool:
        return self.tree.root_node.has_error or bool(self.blanked)

    def to_byte(self, offset: int) -> int:
        """The byte of a code point offset."""
        offset = max(0, min(offset, len(self.text)))
        return offset if self.ascii else len(_encode(self.text[:offset]))

    def to_offset(self, byte: int) -> int:
        """The code point offset of a byte."""
        return byte if self.ascii else len(self.source[:byte].decode("utf-8", "ignore"))

    def span(self, node: tree_sitter.Node) -> Span:
        return Span(self.to_offset(node.start_byte), self.to_offset(node.end_byte))


def parse(text: str, language: Language, *, guarded: bool = True) -> SyntaxTree:
    """The tree of a text; bad syntax becomes ERROR nodes. The grammar must be installed.

    Unguarded it may take for ever (see `guard`).
    """
    source = _source(text)
    tree, seen, blanked = parse_source(language, source, guarded=guarded)
    return SyntaxTree(language, text, seen, len(source) == len(text), tree, blanked)


def reparse(tree: SyntaxTree, edits: Sequence[TextEdit], text: str) -> tuple[SyntaxTree, tuple[Span, ...]]:
    """The tree of `text`, which is `tree.text` after `edits`, and the ranges of `text` that changed.

    The ranges cover both the edited text and everything whose place in the tree is another now.
    """
    source = _source(text)
    byte_edits = list(_byte_edits(tree, edits))
    blanked = _moved(tree.blanked, byte_edits)
    if blanked is None or not set(hazards(tree.language, source)) <= set(blanked):
        return parse(text, tree.language), (Span(0, len(text)),)
    source = blank(source, blanked)
    old = tree.tree.copy()
    changed: list[tuple[int, int]] = []
    shift = 0
    for start, end, length in byte_edits:
        # Front to back: each edit is told in the coordinates that the ones before it left behind, in
        # which everything up to its end of the new text is final.
        at, new_end = start + shift, start + shift + length
        point = _point(source, at)
        old.edit(
            at,
            end + shift,
            new_end,
            point,
            _advanced(point, tree.source[start:end]),
            _advanced(point, source[at:new_end]),
        )
        changed.append((at, new_end))
        shift += length - (end - start)
    new, _ = attempt(tree.language, source, old)
    if new is None:
        return parse(text, tree.language), (Span(0, len(text)),)
    changed += [(r.start_byte, r.end_byte) for r in old.changed_ranges(new)]
    result = SyntaxTree(tree.language, text, source, len(source) == len(text), new, tuple(blanked))
    return result, tuple(Span(result.to_offset(a), result.to_offset(b)) for a, b in _merged(changed))


def errors(tree: SyntaxTree) -> tuple[Span, ...]:
    """The outermost ERROR and MISSING nodes, in order."""
    spans: list[Span] = []
    pending = [tree.tree.root_node] if tree.has_errors else []
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            spans.append(tree.span(node))
        elif node.has_error:
            pending += reversed(node.children)
    return tuple(spans)


def in_comment_or_string(tree: SyntaxTree, offset: int) -> Literal["comment", "string", None]:
    """What typing at `offset` would extend. Code inside an interpolation counts as code."""
    at = tree.to_byte(offset)
    for node in reversed(_chain(tree, max(at - 1, 0), at)):
        kind = node.type
        inside = node.start_byte < at < node.end_byte
        if inside and _INTERPOLATION.search(kind):
            return None
        if "comment" in kind and node.is_named:
            return "comment" if inside or (at == node.end_byte and not _is_closed(tree, node)) else None
        if "string" in kind or kind in STRING_NODES:
            if inside:
                return "string"
            if node.start_byte < at and node.child_count == 0 and _TEXT_OF_STRING.search(kind):
                return "string"
    return None


def _is_closed(tree: SyntaxTree, comment: tree_sitter.Node) -> bool:
    """Whether more text at the end of a comment would no longer belong to it."""
    text = tree.source[comment.start_byte : comment.end_byte]
    delimiters = tree.language.block_comment
    if text.endswith(b"\n"):
        return True
    return (
        delimiters is not None
        and text.startswith(delimiters[0].encode())
        and text.endswith(delimiters[1].encode())
    )


def _chain(tree: SyntaxTree, start: int, end: int) -> list[tree_sitter.Node]:
    """The nodes that cover both bytes, outermost first."""
    cursor = tree.tree.walk()
    chain: list[tree_sitter.Node] = []
    while (node := cursor.node) is not None and node.start_byte <= start and end <= node.end_byte:
        chain.append(node)
        if cursor.goto_first_child_for_byte(start) is None:
            break
    return chain


def _source(text: str) -> bytes:
    """What the parser is given: as many characters as the text, each of as many bytes as in UTF-8."""
    return _encode(_LONE_CR.sub("\n", text) if "\r" in text else text)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _byte_edits(tree: SyntaxTree, edits: Sequence[TextEdit]) -> Iterator[tuple[int, int, int]]:
    """Start and end in the old source and the length of what replaces it, in order of position."""
    last = 0
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end)):
        start, end, length = (
            tree.to_byte(edit.span.start),
            tree.to_byte(edit.span.end),
            len(_encode(edit.text)),
        )
        if start > last and tree.text[edit.span.start - 1] == "\r":
            # Whether that CR stands alone, and so what the parser sees of it, may change.
            start, length = start - 1, length + 1
        yield start, end, length
        last = end


def _moved(
    blanked: Sequence[tuple[int, int]], edits: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int]] | None:
    """Blanked ranges in the new source; None when one was edited and so deserves another try."""
    moved: list[tuple[int, int]] = []
    for start, end in blanked:
        if any(a <= end and start <= b for a, b, _ in edits):
            return None
        shift = sum(length - (b - a) for a, b, length in edits if b < start)
        moved.append((start + shift, end + shift))
    return moved


def _point(source: bytes, byte: int) -> tuple[int, int]:
    return source.count(b"\n", 0, byte), byte - (source.rfind(b"\n", 0, byte) + 1)


def _advanced(point: tuple[int, int], text: bytes) -> tuple[int, int]:
    rows = text.count(b"\n")
    return (point[0] + rows, len(text) - text.rfind(b"\n") - 1) if rows else (point[0], point[1] + len(text))


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged

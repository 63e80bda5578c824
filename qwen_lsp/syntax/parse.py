"""Text to syntax tree: incremental, never failing; offsets are code points, bytes stay inside.

Before parsing a lone CR becomes an LF and a lone surrogate a question mark. Both keep the number of
characters, so offsets into the tree are offsets into the text, and rows are the lines of `LineIndex`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import tree_sitter

from qwen_lsp.syntax.grammar import grammar
from qwen_lsp.syntax.languages import Language
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span

_LONE_CR = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class SyntaxTree:
    """One parsed text. `source` is what the parser saw; `ascii` says that bytes are code points."""

    language: Language
    text: str = field(repr=False)
    source: bytes = field(repr=False)
    ascii: bool
    tree: tree_sitter.Tree = field(repr=False)

    @property
    def has_errors(self) -> bool:
        return self.tree.root_node.has_error

    def to_byte(self, offset: int) -> int:
        """The byte of a code point offset."""
        offset = max(0, min(offset, len(self.text)))
        return offset if self.ascii else len(_encode(self.text[:offset]))

    def to_offset(self, byte: int) -> int:
        """The code point offset of a byte."""
        return byte if self.ascii else len(self.source[:byte].decode("utf-8", "ignore"))

    def span(self, node: tree_sitter.Node) -> Span:
        return Span(self.to_offset(node.start_byte), self.to_offset(node.end_byte))


def parse(text: str, language: Language) -> SyntaxTree:
    """The tree of a text; bad syntax becomes ERROR nodes. The grammar must be installed."""
    source = _encode(_LONE_CR.sub("\n", text) if "\r" in text else text)
    tree = tree_sitter.Parser(grammar(language)).parse(source)
    return SyntaxTree(language, text, source, len(source) == len(text), tree)


def reparse(
    tree: SyntaxTree, edits: Sequence[TextEdit], text: str
) -> tuple[SyntaxTree, tuple[Span, ...]]:
    """The tree of `text`, which is `tree.text` after `edits`, and the ranges of `text` that changed.

    The ranges cover both the edited text and everything whose place in the tree is another now.
    """
    source = _encode(_LONE_CR.sub("\n", text) if "\r" in text else text)
    old = tree.tree.copy()
    changed: list[tuple[int, int]] = []
    shift = 0
    for start, end, length in _byte_edits(tree, edits):
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
    new = tree_sitter.Parser(grammar(tree.language)).parse(source, old)
    changed += [(r.start_byte, r.end_byte) for r in old.changed_ranges(new)]
    result = SyntaxTree(tree.language, text, source, len(source) == len(text), new)
    return result, tuple(Span(result.to_offset(a), result.to_offset(b)) for a, b in _merged(changed))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _byte_edits(tree: SyntaxTree, edits: Sequence[TextEdit]) -> Iterator[tuple[int, int, int]]:
    """Start and end in the old source and the length of what replaces it, in order of position."""
    last = 0
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end)):
        start, end, length = tree.to_byte(edit.span.start), tree.to_byte(edit.span.end), len(_encode(edit.text))
        if start > last and tree.text[edit.span.start - 1] == "\r":
            # Whether that CR stands alone, and so what the parser sees of it, may change.
            start, length = start - 1, length + 1
        yield start, end, length
        last = end


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

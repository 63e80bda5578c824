"""Wire types to the core's and back; beyond this module nobody counts in code units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from qwen_lsp.text.positions import LineIndex, Position, PositionEncoding, Span

if TYPE_CHECKING:
    from qwen_lsp.syntax.facts import Kind

ENCODINGS: tuple[PositionEncoding, ...] = ("utf-8", "utf-16", "utf-32")

SYMBOL_KINDS: Mapping[Kind, lsp.SymbolKind] = {
    "function": lsp.SymbolKind.Function,
    "method": lsp.SymbolKind.Method,
    "constructor": lsp.SymbolKind.Constructor,
    "class": lsp.SymbolKind.Class,
    "interface": lsp.SymbolKind.Interface,
    "trait": lsp.SymbolKind.Interface,
    "struct": lsp.SymbolKind.Struct,
    "enum": lsp.SymbolKind.Enum,
    "member": lsp.SymbolKind.EnumMember,
    "type": lsp.SymbolKind.TypeParameter,
    "constant": lsp.SymbolKind.Constant,
    "variable": lsp.SymbolKind.Variable,
    "field": lsp.SymbolKind.Field,
    "property": lsp.SymbolKind.Property,
    "module": lsp.SymbolKind.Module,
    "macro": lsp.SymbolKind.Function,
    "section": lsp.SymbolKind.String,
    "key": lsp.SymbolKind.Key,
    "element": lsp.SymbolKind.Object,
    "rule": lsp.SymbolKind.Object,
    "table": lsp.SymbolKind.Struct,
    "impl": lsp.SymbolKind.Object,
}


def choose_encoding(client: lsp.ClientCapabilities) -> PositionEncoding:
    """The first encoding of the client's list that we speak; UTF-16 when it names none."""
    offered = (client.general.position_encodings if client.general else None) or []
    for name in offered:
        for encoding in ENCODINGS:
            if name == encoding:
                return encoding
    return "utf-16"


def offset(lines: LineIndex, position: lsp.Position, encoding: PositionEncoding) -> int:
    return lines.offset(Position(position.line, position.character), encoding)


def span(lines: LineIndex, where: lsp.Range, encoding: PositionEncoding) -> Span:
    start, end = where.start, where.end
    return lines.span(Position(start.line, start.character), Position(end.line, end.character), encoding)


def position_at(lines: LineIndex, at: int, encoding: PositionEncoding) -> lsp.Position:
    found = lines.position(at, encoding)
    return lsp.Position(line=found.line, character=found.character)


def range_of(lines: LineIndex, where: Span, encoding: PositionEncoding) -> lsp.Range:
    return lsp.Range(
        start=position_at(lines, where.start, encoding), end=position_at(lines, where.end, encoding)
    )

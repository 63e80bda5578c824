"""Wire types to the core's and back; beyond this module nobody counts in code units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from qwen_lsp.errors import UserError
from qwen_lsp.text.edits import FileEdit, diff
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


@dataclass(frozen=True, slots=True)
class EditSupport:
    """What the client can do with a workspace edit.

    Some clients apply `documentChanges` without announcing it, so either of the newer capabilities
    counts as the announcement too.
    """

    document_changes: bool = False
    operations: frozenset[str] = frozenset()
    annotations: bool = False

    @classmethod
    def of(cls, client: lsp.ClientCapabilities) -> EditSupport:
        edit = client.workspace.workspace_edit if client.workspace else None
        if edit is None:
            return cls()
        operations = frozenset(str(getattr(o, "value", o)) for o in edit.resource_operations or ())
        annotations = edit.change_annotation_support is not None
        return cls(bool(edit.document_changes) or bool(operations) or annotations, operations, annotations)


@dataclass(frozen=True, slots=True)
class Target:
    """How a file of an edit is known to the client: its URI, and its version where it is open."""

    uri: str
    version: int | None


def workspace_edit(
    edits: Sequence[FileEdit],
    *,
    target: Callable[[str], Target],
    encoding: PositionEncoding,
    support: EditSupport,
    label: str,
    description: str = "",
    confirm: bool = False,
) -> lsp.WorkspaceEdit:
    """One edit for all files, versioned and annotated as far as the client can take it.

    Raises UserError where the client cannot create, rename or delete files and the edit needs it.
    """
    needed = {o for edit in edits for o in _operations(edit)}
    if lacking := sorted(needed - support.operations):
        raise UserError(f"this editor cannot {' or '.join(lacking)} files on a server's request")
    if not support.document_changes:
        return lsp.WorkspaceEdit(changes={target(e.path).uri: text_edits(e, encoding) for e in edits})
    note = "qwen" if support.annotations else None
    steps: list[lsp.TextDocumentEdit | lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile] = []
    for edit in edits:
        uri, version = target(edit.path).uri, target(edit.path).version
        if edit.after is None:
            steps.append(lsp.DeleteFile(uri=uri, annotation_id=note))
            continue
        if edit.moved_from is not None:
            old = target(edit.moved_from).uri
            steps.append(lsp.RenameFile(old_uri=old, new_uri=uri, annotation_id=note))
            version = None
        elif edit.before is None:
            steps.append(lsp.CreateFile(uri=uri, annotation_id=note))
            version = None
        if (edit.before or "") != edit.after:
            document = lsp.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
            changes = [_annotated(change, note) for change in text_edits(edit, encoding)]
            steps.append(lsp.TextDocumentEdit(text_document=document, edits=changes))
    annotations = {
        "qwen": lsp.ChangeAnnotation(label=label, description=description or None, needs_confirmation=confirm)
    }
    return lsp.WorkspaceEdit(document_changes=steps, change_annotations=annotations if note else None)


def _operations(edit: FileEdit) -> list[str]:
    if edit.after is None:
        return ["delete"]
    if edit.moved_from is not None:
        return ["rename"]
    return ["create"] if edit.before is None else []


def text_edits(edit: FileEdit, encoding: PositionEncoding) -> list[lsp.TextEdit]:
    """Whole-line edits of one file, against its text before."""
    before = edit.before or ""
    lines = LineIndex(before)
    return [
        lsp.TextEdit(range=range_of(lines, change.span, encoding), new_text=change.text)
        for change in diff(before, edit.after or "")
    ]


def _annotated(edit: lsp.TextEdit, note: str | None) -> lsp.TextEdit | lsp.AnnotatedTextEdit:
    if note is None:
        return edit
    return lsp.AnnotatedTextEdit(annotation_id=note, range=edit.range, new_text=edit.new_text)

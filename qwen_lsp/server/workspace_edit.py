"""Edits of files as one LSP workspace edit, as far as a client can take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lsprotocol import types as lsp

from qwen_lsp.errors import UserError
from qwen_lsp.server.convert import range_of
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.narrow import by_words
from qwen_lsp.text.positions import LineIndex, PositionEncoding

Step = lsp.TextDocumentEdit | lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile


@dataclass(frozen=True, slots=True)
class EditSupport:
    """What the client can do with a workspace edit.

    Some clients apply `documentChanges` without announcing it, so either of the newer capabilities
    counts as the announcement too.
    """

    document_changes: bool = False
    operations: frozenset[str] = frozenset()
    annotations: bool = False
    on_request: bool = True
    """Whether a server may send an edit of its own accord (`workspace/applyEdit`)."""
    previews: bool = False
    """Whether a person sees the whole edit before any of it happens. Annotations alone are not that: Neovim,
    which has them without `documentChanges`, asks for each text and deletes files unasked."""

    @property
    def tells(self) -> bool:
        """Whether the server hears of every text that the client opens to change it.

        Helix and Emacs open a closed file, leave it unsaved, and tell only the servers of its language, so
        that nobody here could see what became of it; neither has annotations. Helix keeps a deleted file
        open, too.
        """
        return self.annotations

    @classmethod
    def of(cls, client: lsp.ClientCapabilities) -> EditSupport:
        on_request = bool(client.workspace and client.workspace.apply_edit)
        edit = client.workspace.workspace_edit if client.workspace else None
        if edit is None:
            return cls(on_request=on_request)
        operations = frozenset(str(getattr(o, "value", o)) for o in edit.resource_operations or ())
        annotations = edit.change_annotation_support is not None
        document_changes = bool(edit.document_changes) or bool(operations) or annotations
        previews = bool(edit.document_changes) and annotations
        return cls(document_changes, operations, annotations, on_request, previews)


@dataclass(frozen=True, slots=True)
class Target:
    """How a file of an edit is known to the client: its URI, and its version where it is open."""

    uri: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Label:
    """What a person reads beside the changes that may be ticked one by one."""

    label: str
    description: str = ""
    confirm: bool = False
    each: bool = False
    """Whether every file has a tick of its own, with its name and the reason of its change."""


def workspace_edit(
    edits: Sequence[FileEdit],
    *,
    target: Callable[[str], Target],
    encoding: PositionEncoding,
    support: EditSupport,
    label: Label,
) -> lsp.WorkspaceEdit:
    """One edit for all files, versioned and annotated as far as the client can take it.

    Raises UserError where the client cannot create, rename or delete files and the edit needs it.
    """
    edits = [part for edit in edits for part in _able(edit, support)]
    needed = {o for edit in edits for o in _operations(edit)}
    if lacking := sorted(needed - support.operations):
        raise UserError(f"this editor cannot {' or '.join(lacking)} files on a server's request")
    if not support.document_changes:
        return lsp.WorkspaceEdit(changes={target(e.path).uri: text_edits(e, encoding) for e in edits})
    steps: list[Step] = []
    notes: dict[str, lsp.ChangeAnnotation] = {}
    for number, edit in enumerate(edits, 1):
        note = None
        if support.annotations:
            note = f"qwen:{number}" if label.each else "qwen"
            notes[note] = _annotation(edit, label)
        steps += _steps(edit, target, encoding, note)
    return lsp.WorkspaceEdit(document_changes=steps, change_annotations=notes or None)


def takes(edit: FileEdit, support: EditSupport) -> bool:
    """Whether the client can make this change on a server's request. None can change rights alone."""
    if edit.before == edit.after and edit.moved_from is None:
        return False
    needed = {o for part in _able(edit, support) for o in _operations(part)}
    return support.on_request and needed <= support.operations


def _steps(
    edit: FileEdit, target: Callable[[str], Target], encoding: PositionEncoding, note: str | None
) -> list[Step]:
    uri, version = target(edit.path).uri, target(edit.path).version
    if edit.after is None:
        return [lsp.DeleteFile(uri=uri, annotation_id=note)]
    steps: list[Step] = []
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
    return steps


def _able(edit: FileEdit, support: EditSupport) -> list[FileEdit]:
    """The edit, or a move as a deletion and a creation where the client knows only those."""
    if edit.moved_from is None or "rename" in support.operations:
        return [edit]
    return [
        replace(edit, path=edit.moved_from, after=None, moved_from=None),
        replace(edit, before=None, moved_from=None),
    ]


def _operations(edit: FileEdit) -> list[str]:
    if edit.after is None:
        return ["delete"]
    if edit.moved_from is not None:
        return ["rename"]
    return ["create"] if edit.before is None else []


def _annotation(edit: FileEdit, label: Label) -> lsp.ChangeAnnotation:
    if not label.each:
        title, description = label.label, label.description
    else:
        title, description = f"{label.label}: {doing(edit)}", edit.why or label.description
    return lsp.ChangeAnnotation(
        label=title, description=description or None, needs_confirmation=label.confirm
    )


def doing(edit: FileEdit) -> str:
    """What happens to a file, as `change shop/cart.py`."""
    if edit.before == edit.after and edit.moved_from is None:
        return f"make {edit.path} {'' if edit.executable else 'not '}executable"
    if edit.after is None:
        return f"delete {edit.path}"
    if edit.moved_from is not None:
        return f"move {edit.moved_from} to {edit.path}"
    return f"{'create' if edit.before is None else 'change'} {edit.path}"


def text_edits(edit: FileEdit, encoding: PositionEncoding) -> list[lsp.TextEdit]:
    """Edits of one file, against its text before."""
    before = edit.before or ""
    lines = LineIndex(before)
    return [
        lsp.TextEdit(range=range_of(lines, change.span, encoding), new_text=change.text)
        for change in by_words(before, edit.after or "")
    ]


def _annotated(edit: lsp.TextEdit, note: str | None) -> lsp.TextEdit | lsp.AnnotatedTextEdit:
    if note is None:
        return edit
    return lsp.AnnotatedTextEdit(annotation_id=note, range=edit.range, new_text=edit.new_text)

"""Wire types and back: encodings, symbol kinds, and workspace edits for what each client can take."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from qwen_lsp.errors import UserError
from qwen_lsp.server.convert import (
    SYMBOL_KINDS,
    EditSupport,
    Target,
    choose_encoding,
    position_at,
    range_of,
    span,
    workspace_edit,
)
from qwen_lsp.syntax.facts import KINDS
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.positions import LineIndex, PositionEncoding, Span

FULL = EditSupport(True, frozenset({"create", "rename", "delete"}), True)


def target(path: str) -> Target:
    return Target(f"file:///w/{path}", 7 if path == "open.py" else None)


def edit(*edits: FileEdit, support: EditSupport = FULL, confirm: bool = False) -> lsp.WorkspaceEdit:
    return workspace_edit(
        edits, target=target, encoding="utf-16", support=support, label="Qwen", confirm=confirm
    )


def test_every_kind_of_definition_has_a_symbol_kind() -> None:
    assert set(SYMBOL_KINDS) == set(KINDS)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "utf-16"),
        ([], "utf-16"),
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-32"], "utf-32"),
        (["utf-7", "utf-8"], "utf-8"),
        (["utf-7"], "utf-16"),
    ],
)
def test_the_clients_first_encoding_that_we_speak_is_chosen(offered: list[str] | None, chosen: str) -> None:
    general = lsp.GeneralClientCapabilities(position_encodings=offered)
    assert choose_encoding(lsp.ClientCapabilities(general=general)) == chosen
    assert choose_encoding(lsp.ClientCapabilities()) == "utf-16"


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_positions_count_in_the_units_agreed_on(encoding: PositionEncoding, character: int) -> None:
    lines = LineIndex("a\nx😀y\n")
    assert position_at(lines, 4, encoding) == lsp.Position(1, character)
    where = range_of(lines, Span(2, 4), encoding)
    assert span(lines, where, encoding) == Span(2, 4)


def test_an_edit_of_an_open_file_is_versioned_and_annotated() -> None:
    found = edit(FileEdit("open.py", "a\nb\n", "a\nc\n"), confirm=True)
    assert found.changes is None
    assert found.change_annotations == {"qwen": lsp.ChangeAnnotation(label="Qwen", needs_confirmation=True)}
    (step,) = list(found.document_changes or ())
    assert isinstance(step, lsp.TextDocumentEdit)
    assert step.text_document.version == 7
    (change,) = step.edits
    assert isinstance(change, lsp.AnnotatedTextEdit)
    assert (change.range, change.new_text) == (
        lsp.Range(lsp.Position(1, 0), lsp.Position(2, 0)),
        "c\n",
    )


def test_creations_renames_and_deletions_come_before_their_text() -> None:
    found = edit(
        FileEdit("new.py", None, "x\n"),
        FileEdit("empty.py", None, ""),
        FileEdit("moved.py", "a\n", "b\n", moved_from="open.py"),
        FileEdit("gone.py", "a\n", None),
    )
    steps = [(type(step).__name__, getattr(step, "uri", None)) for step in found.document_changes or ()]
    assert steps == [
        ("CreateFile", "file:///w/new.py"),
        ("TextDocumentEdit", None),
        ("CreateFile", "file:///w/empty.py"),
        ("RenameFile", None),
        ("TextDocumentEdit", None),
        ("DeleteFile", "file:///w/gone.py"),
    ]


def test_an_older_client_gets_plain_changes() -> None:
    found = edit(FileEdit("open.py", "a\n", "b\n"), support=EditSupport())
    assert found.document_changes is None
    assert found.change_annotations is None
    assert list(found.changes or ()) == ["file:///w/open.py"]


def test_what_a_client_cannot_do_is_said() -> None:
    with pytest.raises(UserError, match="cannot create or delete files"):
        edit(FileEdit("a.py", None, "x"), FileEdit("b.py", "x", None), support=EditSupport(True))


def test_a_newer_capability_stands_for_document_changes() -> None:
    workspace = lsp.WorkspaceClientCapabilities(
        workspace_edit=lsp.WorkspaceEditClientCapabilities(
            resource_operations=[lsp.ResourceOperationKind.Create]
        )
    )
    found = EditSupport.of(lsp.ClientCapabilities(workspace=workspace))
    assert found == EditSupport(True, frozenset({"create"}), False)
    assert EditSupport.of(lsp.ClientCapabilities()) == EditSupport()

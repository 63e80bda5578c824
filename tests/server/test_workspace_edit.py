"""Edits of files as a workspace edit, for what each client can take."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from qwen_lsp.errors import UserError
from qwen_lsp.server.workspace_edit import EditSupport, Label, Target, takes, workspace_edit
from qwen_lsp.text.edits import FileEdit

FULL = EditSupport(True, frozenset({"create", "rename", "delete"}), True)


def target(path: str) -> Target:
    return Target(f"file:///w/{path}", 7 if path == "open.py" else None)


def edit(*edits: FileEdit, support: EditSupport = FULL, label: Label | None = None) -> lsp.WorkspaceEdit:
    return workspace_edit(
        edits, target=target, encoding="utf-16", support=support, label=label or Label("Qwen")
    )


def test_an_edit_of_an_open_file_is_versioned_and_annotated() -> None:
    found = edit(FileEdit("open.py", "a\nb\n", "a\nc\n"), label=Label("Qwen", confirm=True))
    assert found.changes is None
    assert found.change_annotations == {"qwen": lsp.ChangeAnnotation(label="Qwen", needs_confirmation=True)}
    (step,) = list(found.document_changes or ())
    assert isinstance(step, lsp.TextDocumentEdit)
    assert step.text_document.version == 7
    (change,) = step.edits
    assert isinstance(change, lsp.AnnotatedTextEdit)
    assert (change.range, change.new_text) == (
        lsp.Range(lsp.Position(1, 0), lsp.Position(1, 1)),
        "c",
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
    assert found == EditSupport(True, frozenset({"create"}), False, on_request=False)
    assert EditSupport.of(lsp.ClientCapabilities()) == EditSupport(on_request=False)

    whole = lsp.WorkspaceEditClientCapabilities(
        document_changes=True, change_annotation_support=lsp.ChangeAnnotationsSupportOptions()
    )
    annotated = lsp.WorkspaceEditClientCapabilities(
        change_annotation_support=lsp.ChangeAnnotationsSupportOptions()
    )
    for edit_support, previews in ((whole, True), (annotated, False)):
        workspace = lsp.WorkspaceClientCapabilities(workspace_edit=edit_support)
        assert EditSupport.of(lsp.ClientCapabilities(workspace=workspace)).previews is previews
    asked = lsp.WorkspaceClientCapabilities(apply_edit=True)
    assert EditSupport.of(lsp.ClientCapabilities(workspace=asked)).on_request


def test_every_file_can_have_a_tick_of_its_own() -> None:
    found = edit(
        FileEdit("open.py", "a\n", "b\n", why="The name is shorter."),
        FileEdit("new.py", None, "x\n"),
        FileEdit("moved.py", "a\n", "a\n", moved_from="old.py"),
        FileEdit("gone.py", "a\n", None),
        label=Label("Qwen", "Tidy up.", confirm=True, each=True),
    )
    notes = {name: (note.label, note.description) for name, note in (found.change_annotations or {}).items()}
    assert notes == {
        "qwen:1": ("Qwen: change open.py", "The name is shorter."),
        "qwen:2": ("Qwen: create new.py", "Tidy up."),
        "qwen:3": ("Qwen: move old.py to moved.py", "Tidy up."),
        "qwen:4": ("Qwen: delete gone.py", "Tidy up."),
    }
    assert all(note.needs_confirmation for note in (found.change_annotations or {}).values())


def test_a_move_is_a_deletion_and_a_creation_for_a_client_that_knows_only_those() -> None:
    moved = FileEdit("moved.py", "a\n", "b\n", moved_from="old.py")
    some = EditSupport(True, frozenset({"create", "delete"}))
    steps = [type(step).__name__ for step in edit(moved, support=some).document_changes or ()]
    assert steps == ["DeleteFile", "CreateFile", "TextDocumentEdit"]
    assert takes(moved, some)
    assert not takes(moved, EditSupport(True, frozenset({"create"})))
    assert not takes(FileEdit("open.py", "a\n", "b\n"), EditSupport(True, on_request=False))

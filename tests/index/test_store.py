"""The one mutable cell: each change is a new snapshot, and old ones stay as they are."""

from __future__ import annotations

import pytest

from qwen_lsp.errors import ConflictError
from qwen_lsp.index.packed import FileEntry
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import workspace

A, B = RelPath("a.py"), RelPath("b.py")


def test_a_change_leaves_the_snapshot_before_it_alone() -> None:
    w = workspace("#- a.py\ndef f(): pass\n")
    w.store.open(A, "def f(): pass\n", 1)
    before = w.snapshot
    w.store.change(A, [TextEdit(Span(4, 5), "renamed")], 2)

    assert before.text(A) == "def f(): pass\n"
    assert w.snapshot.text(A) == "def renamed(): pass\n"
    assert w.snapshot.version > before.version
    assert (before.buffers[A].version, w.snapshot.buffers[A].version) == (1, 2)
    assert [s.definition.name for s in before.definitions("f")] == ["f"]
    assert before.definitions("renamed") == []


def test_several_edits_all_refer_to_the_text_before_them() -> None:
    w = workspace("#- a.py\n")
    w.store.open(A, "abc", 1)
    w.store.change(A, [TextEdit(Span(2, 3), "C"), TextEdit(Span(0, 1), "A")], 2)
    assert w.snapshot.text(A) == "AbC"


def test_a_change_that_cannot_be_made_changes_nothing() -> None:
    w = workspace("#- a.py\n")
    w.store.open(A, "abc", 1)
    before = w.snapshot
    with pytest.raises(ConflictError):
        w.store.change(A, [TextEdit(Span(0, 2), ""), TextEdit(Span(1, 3), "")], 2)
    with pytest.raises(KeyError):
        w.store.change(B, [TextEdit(Span(0, 0), "x")], 2)
    assert w.snapshot is before


def test_listeners_hear_of_each_snapshot_until_they_end_it() -> None:
    w = workspace("#- a.py\n")
    heard: list[Snapshot] = []
    end = w.store.subscribe(heard.append)
    w.store.open(A, "x", 1)
    w.store.close(A)
    w.store.close(A)
    end()
    end()
    w.store.open(A, "y", 1)
    assert [s.version for s in heard] == sorted({s.version for s in heard})
    assert len(heard) == 2


def test_the_disk_is_taken_in_as_files_reasons_and_losses() -> None:
    w = workspace("#- a.py\n")
    entry = FileEntry("", 3, 4, "python")
    w.store.apply_disk({A: entry, B: "binary"})
    assert (w.snapshot.files, w.snapshot.skipped) == ({A: entry}, {B: "binary"})
    w.store.apply_disk({A: "too large", B: None}, complete=True)
    assert (w.snapshot.files, w.snapshot.skipped) == ({}, {A: "too large"})
    assert w.snapshot.complete


def test_nothing_new_makes_no_new_snapshot() -> None:
    w = workspace("#- a.py\n")
    before = w.snapshot
    w.store.apply_disk({})
    w.store.apply_disk({}, complete=before.complete)
    assert w.snapshot is before


def test_a_text_that_becomes_a_script_gets_its_language() -> None:
    path = RelPath("tool")
    w = workspace("#- a.py\n")
    w.store.open(path, "print(1)\n", 1)
    assert w.snapshot.language(path) is None
    w.store.change(path, [TextEdit(Span(0, 0), "#!/usr/bin/env python3\n")], 2)
    language = w.snapshot.language(path)
    assert language is not None
    assert language.id == "python"

"""Deleted and created files that are one moved file."""

from __future__ import annotations

import pytest

from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.moves import with_moves

BODY = "".join(f"a line of its own, number {n}\n" for n in range(10))
OTHER = "".join(f"something else, number {n}\n" for n in range(10))


def gone(path: str, text: str = BODY) -> FileEdit:
    return FileEdit(path, text, None)


def come(path: str, text: str = BODY) -> FileEdit:
    return FileEdit(path, None, text)


def moves(*edits: FileEdit) -> dict[str, str | None]:
    """What each edit is told to come from, by its path."""
    return {edit.path: edit.moved_from for edit in with_moves(edits)}


def test_an_equal_file_under_another_name_was_moved() -> None:
    assert with_moves([gone("a.py"), FileEdit("b.py", "x\n", "y\n"), come("c/a.py")]) == [
        FileEdit("b.py", "x\n", "y\n"),
        FileEdit("c/a.py", BODY, BODY, moved_from="a.py"),
    ]


def test_an_edited_file_is_still_the_same_file() -> None:
    edited = BODY.replace("number 3", "number three") + "and one more\n"
    (edit,) = with_moves([gone("a.py"), come("b.py", edited)])
    assert edit == FileEdit("b.py", BODY, edited, moved_from="a.py")


def test_the_rights_of_the_new_file_come_along() -> None:
    (edit,) = with_moves([gone("a.py"), FileEdit("b.py", None, BODY, executable=True)])
    assert edit == FileEdit("b.py", BODY, BODY, moved_from="a.py", executable=True)


@pytest.mark.parametrize(
    "edits",
    [
        (gone("a.py"), come("b.py", OTHER)),
        (gone("a.py"), come("b.py"), come("c.py")),
        (gone("a.py"), gone("b.py"), come("c.py")),
        (gone("a.py", ""), come("b.py", "")),
        (gone("a.py", "\n\n"), come("b.py", "\n\n\n")),
        (gone("a.py", "}\n"), come("b.py", BODY + "}\n")),
    ],
    ids=["other text", "two copies", "two sources", "empty", "blank", "too little in common"],
)
def test_where_it_is_not_clear_nothing_was_moved(edits: tuple[FileEdit, ...]) -> None:
    assert with_moves(edits) == list(edits)


def test_equal_files_are_told_apart_by_their_names() -> None:
    edits = (gone("old/a.py"), gone("old/b.py"), come("new/a.py"), come("new/b.py"))
    assert moves(*edits) == {"new/a.py": "old/a.py", "new/b.py": "old/b.py"}


def test_each_goes_to_what_it_is_most_like() -> None:
    edits = (
        gone("a.py"), gone("b.py", OTHER), come("c.py", OTHER + "more\n"), come("d.py", BODY + "more\n"),
    )  # fmt: skip
    assert moves(*edits) == {"c.py": "b.py", "d.py": "a.py"}


def test_an_edited_file_is_no_source_of_another() -> None:
    edits = [FileEdit("a.py", BODY, OTHER), come("b.py")]
    assert with_moves(edits) == edits

"""Edits onto what the workspace is by now: kept, merged, followed to a new name, or refused as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.errors import ConflictError
from qwen_lsp.index.landing import landed
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import indexed_workspace, workspace

TEXT, EDITED = "one\ntwo\nthree\nfour\n", "one\n2\nthree\nfour\n"
EDIT = FileEdit("a.py", TEXT, EDITED)
CREATE = FileEdit("new.py", None, "x = 1\n")
DELETE = FileEdit("a.py", TEXT, None)
MOVE = FileEdit("b.py", TEXT, TEXT, moved_from="a.py")
MOVE_AND_EDIT = FileEdit("b.py", TEXT, EDITED, moved_from="a.py")
RUNNABLE = FileEdit("a.py", TEXT, TEXT, executable=True)

UNTOUCHED = f"#- a.py\n{TEXT}"
APPENDED = f"#- a.py\n{TEXT}five\n"
ELSEWHERE = "#- c.py\nother\n"


@pytest.mark.parametrize("edit", [EDIT, CREATE, DELETE, MOVE, MOVE_AND_EDIT, RUNNABLE])
def test_what_nobody_touched_lands_as_it_is(edit: FileEdit) -> None:
    assert landed([edit], workspace(UNTOUCHED).snapshot) == [edit]


@pytest.mark.parametrize(
    ("edit", "now", "before", "after"),
    [
        (EDIT, APPENDED, f"{TEXT}five\n", f"{EDITED}five\n"),
        (MOVE, APPENDED, f"{TEXT}five\n", f"{TEXT}five\n"),
        (MOVE_AND_EDIT, APPENDED, f"{TEXT}five\n", f"{EDITED}five\n"),
        (RUNNABLE, APPENDED, f"{TEXT}five\n", f"{TEXT}five\n"),
    ],
)
def test_what_the_user_changed_elsewhere_in_a_file_is_kept(
    edit: FileEdit, now: str, before: str, after: str
) -> None:
    (fitted,) = landed([edit], workspace(now).snapshot)
    assert (fitted.path, fitted.before, fitted.after) == (edit.path, before, after)
    assert (fitted.moved_from, fitted.executable) == (edit.moved_from, edit.executable)


@pytest.mark.parametrize(
    ("edit", "now"),
    [
        (EDIT, f"#- a.py\n{EDITED}"),
        (CREATE, f"{UNTOUCHED}#- new.py\nx = 1\n"),
        (DELETE, ELSEWHERE),
        (MOVE, f"#- b.py\n{TEXT}"),
        (MOVE_AND_EDIT, f"#- b.py\n{EDITED}"),
    ],
)
def test_what_is_there_already_is_left_out(edit: FileEdit, now: str) -> None:
    assert landed([edit], workspace(now).snapshot) == []


def test_a_move_that_the_user_made_as_well_is_an_edit_of_the_moved_file() -> None:
    (fitted,) = landed([MOVE_AND_EDIT], workspace(f"#- b.py\n{TEXT}five\n").snapshot)
    assert fitted == FileEdit("b.py", f"{TEXT}five\n", f"{EDITED}five\n")


@pytest.mark.parametrize(
    ("edit", "now", "said"),
    [
        (EDIT, "#- a.py\none\nzwei\nthree\nfour\n", "a.py: both sides changed line 2"),
        (EDIT, ELSEWHERE, "a.py: it was to be changed, and was deleted meanwhile"),
        (DELETE, APPENDED, "a.py: it was to be deleted, and was changed meanwhile"),
        (CREATE, f"{UNTOUCHED}#- new.py\ny = 2\n", "new.py: it was to be created, and is there by now"),
        (MOVE, ELSEWHERE, "b.py: a.py was to be moved there, and was deleted meanwhile"),
        (MOVE, f"{UNTOUCHED}#- b.py\nmine\n", "b.py: a.py was to be moved there, and something is there"),
        (MOVE_AND_EDIT, "#- a.py\none\nzwei\nthree\nfour\n", "b.py: both sides changed line 2"),
        (RUNNABLE, ELSEWHERE, "a.py: it was to be changed, and was deleted meanwhile"),
    ],
)
def test_two_wishes_for_one_place_are_refused_in_words(edit: FileEdit, now: str, said: str) -> None:
    with pytest.raises(ConflictError) as refused:
        landed([edit, FileEdit("fine.py", None, "fine\n")], workspace(now).snapshot)
    assert said in str(refused.value)
    assert "fine.py" not in str(refused.value)


def test_every_file_that_does_not_fit_is_named() -> None:
    edits = [EDIT, CREATE]
    with pytest.raises(ConflictError, match=r"a\.py: .*; new\.py: "):
        landed(edits, workspace("#- a.py\none\nzwei\nthree\nfour\n#- new.py\ny = 2\n").snapshot)


def test_files_that_change_places_make_room_for_each_other() -> None:
    edits = [
        FileEdit("a.py", "b\n", "b\n", moved_from="b.py"),
        FileEdit("b.py", TEXT, EDITED, moved_from="a.py"),
    ]
    first, second = landed(edits, workspace(f"{APPENDED}#- b.py\nb\n").snapshot)
    assert first == edits[0]
    assert second == FileEdit("b.py", f"{TEXT}five\n", f"{EDITED}five\n", moved_from="a.py")


async def test_the_disk_is_asked_for_what_the_index_leaves_out(tmp_path: Path) -> None:
    w = await indexed_workspace("#- a.py\nx\n#- .gitignore\nlocal/\n", tmp_path / "w")
    local = w.root / "local" / "notes.txt"
    local.parent.mkdir()
    local.write_text("mine\n", encoding="utf-8")
    picture = w.root / "picture.py"
    picture.write_bytes(b"\0\1\2")

    edit = FileEdit("local/notes.txt", "mine\n", "ours\n")
    assert not w.snapshot.has(RelPath(edit.path))
    assert landed([edit], w.snapshot) == [edit]
    with pytest.raises(ConflictError, match=r"picture\.py: it was to be created, and is there by now"):
        landed([FileEdit("picture.py", None, "x\n")], w.snapshot)
    with pytest.raises(ConflictError, match=r"picture\.py: binary"):
        landed([FileEdit("picture.py", "x\n", "y\n")], w.snapshot)

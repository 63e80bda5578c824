"""The tools that change the fork: what is kept of a file, what is told, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import EditRejected, ToolRefused
from qwen_lsp.features.agent.toolbox import Desk, Outcome, call, digest
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace

A = RelPath("a.py")


def desk_of(files: Mapping[str, str], seen: Mapping[str, str] | None = None) -> Desk:
    """A desk over these files; of those in `seen` the model knows that text."""
    snapshot = workspace("").snapshot
    for path, text in files.items():
        snapshot = snapshot.edited(RelPath(path), text)
    known = {RelPath(path): digest(text) for path, text in (seen or {}).items()}
    return Desk(snapshot, Gate(None), known)


def run(desk: Desk, tool: str, **arguments: Any) -> Outcome:
    return asyncio.run(call(TOOLS, desk, ToolCall(tool, arguments)))


def edit(desk: Desk, old: str, new: str, path: str = "a.py", **more: Any) -> Outcome:
    return run(desk, "edit", file_path=path, old_string=old, new_string=new, **more)


# -- edit -----------------------------------------------------------------------------------------------


def test_an_edit_says_where_it_was_made_and_what_was_overlooked() -> None:
    desk = desk_of({"a.py": "def f():\n    x = 1\n    return x\n"})
    assert edit(desk, "x = 1", "x = 2").text == "Edited a.py (line 2)."
    assert "indented" in edit(desk, "  x = 1\n  return x", "  x = 2\n  return x").text
    assert edit(desk, "x", "y", replace_all=True).text == "Edited a.py (2 places)."


def test_a_file_that_changed_since_it_was_read_is_named_as_such() -> None:
    desk = desk_of({"a.py": "x = 2\n"}, {"a.py": "x = 1\n"})
    with pytest.raises(EditRejected, match=r"^a.py changed since you read it; read it again\."):
        edit(desk, "x = 1", "x = 3")
    with pytest.raises(EditRejected) as fresh:
        edit(desk_of({"a.py": "x = 2\n"}, {"a.py": "x = 2\n"}), "x = 1", "x = 3")
    assert "changed since" not in str(fresh.value)


def test_an_edit_of_a_changed_file_that_still_fits_is_made() -> None:
    desk = desk_of({"a.py": "x = 1\ny = 2\n"}, {"a.py": "x = 1\n"})
    assert edit(desk, "x = 1", "x = 3").snapshot.text(A) == "x = 3\ny = 2\n"


@pytest.mark.parametrize("tool", ["write_file", "delete_file"])
def test_no_file_goes_whole_that_the_model_has_not_seen_as_it_is(tool: str) -> None:
    desk = desk_of({"a.py": "x = 1\n# mine\n"}, {"a.py": "x = 1\n"})
    whole = {"content": "x = 2\n"} if tool == "write_file" else {}
    with pytest.raises(ToolRefused, match=r"^a.py changed since you read it"):
        run(desk, tool, file_path="a.py", **whole)
    # An edit beside it shows no more of it.
    edited = edit(desk, "x = 1", "x = 2")
    assert edited.shown == ()
    desk = replace(desk, snapshot=edited.snapshot, seen={A: digest("x = 2\n# mine\n")})
    assert run(desk, tool, file_path="a.py", **whole).snapshot.changes_since(edited.snapshot)


def test_an_empty_old_string_creates_or_fills_but_replaces_nothing() -> None:
    desk = desk_of({"empty.py": "", "full.py": "x = 1\n"})
    assert edit(desk, "", "y = 1\n", "new.py").snapshot.text(RelPath("new.py")) == "y = 1\n"
    assert edit(desk, "", "y = 1\n", "empty.py").snapshot.text(RelPath("empty.py")) == "y = 1\n"
    with pytest.raises(EditRejected, match="old_string is empty"):
        edit(desk, "", "y = 1\n", "full.py")


def test_an_ignored_file_may_be_edited_as_far_as_the_gate_admits_it(tmp_path: Any) -> None:
    (tmp_path / "notes.log").write_text("one\n")
    desk = Desk(replace(workspace("").snapshot, root=tmp_path), Gate(tmp_path))
    outcome = edit(desk, "one", "two", "notes.log")
    assert outcome.snapshot.text(RelPath("notes.log")) == "two\n"
    assert (tmp_path / "notes.log").read_text() == "one\n"


# -- many edits -----------------------------------------------------------------------------------------


def edits(*listed: tuple[str, str, str]) -> list[dict[str, str]]:
    return [{"file_path": path, "old_string": old, "new_string": new} for path, old, new in listed]


def test_edits_in_one_call_see_each_other() -> None:
    desk = desk_of({"a.py": "x = 1\n", "b.py": "y = 1\n"})
    outcome = run(
        desk,
        "edit_files",
        edits=edits(("a.py", "x = 1", "x = two"), ("b.py", "1", "2"), ("a.py", "two", "3")),
    )
    assert outcome.snapshot.text(A) == "x = 3\n"
    assert outcome.shown == ("a.py", "b.py")


def test_every_edit_that_fails_is_told_and_none_is_made() -> None:
    desk = desk_of({"a.py": "x = 1\n", "b.py": "y = 1\ny = 1\n"})
    listed = edits(("a.py", "x = 1", "x = 2"), ("b.py", "y = 1", "y = 2"), ("c.py", "z", "w"))
    with pytest.raises(EditRejected) as refused:
        run(desk, "edit_files", edits=listed)
    said = str(refused.value)
    assert said.startswith(
        "No edit was made. Edit 2 of 3 (b.py) failed: old_string occurs 2 times, at lines 1, 2"
    )
    assert "Edit 3 of 3 (c.py) failed: c.py cannot be read" in said
    assert desk.snapshot.text(A) == "x = 1\n"


def test_a_new_file_and_edits_of_it_in_one_call() -> None:
    listed = edits(("new.py", "", "a = 1\n"), ("new.py", "1", "2"))
    assert run(desk_of({}), "edit_files", edits=listed).snapshot.text(RelPath("new.py")) == "a = 2\n"


# -- whole files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "content", "after"),
    [
        ("a\r\nb\r\n", "a\nc\n", "a\r\nc\r\n"),
        ("a\r\nb\nc\r\n", "a\nb\nx\nc\n", "a\r\nb\nx\nc\r\n"),
        ("a\n", "b", "b\n"),
        ("a", "b", "b"),
        ("a\n", "b\r\nc\r\n", "b\nc\n"),
        ("a\n", "\ufeffb\n", "b\n"),
        ("a\n", "", ""),
    ],
)
def test_a_file_written_anew_keeps_its_line_ends(before: str, content: str, after: str) -> None:
    outcome = run(desk_of({"a.txt": before}), "write_file", file_path="a.txt", content=content)
    assert outcome.snapshot.text(RelPath("a.txt")) == after


def test_a_new_file_ends_its_lines_as_those_beside_it() -> None:
    desk = desk_of({"src/a.cs": "a\r\nb\r\n", "src/b.cs": "c\r\n", "src/c.py": "d\n"})
    for path, ended in (("src/d.cs", "x\r\ny\r\n"), ("src/e.py", "x\ny\n"), ("f.cs", "x\ny\n")):
        outcome = run(desk, "write_file", file_path=path, content="x\ny\n")
        assert outcome.snapshot.text(RelPath(path)) == ended


def test_a_whole_file_with_code_left_out_is_refused() -> None:
    desk = desk_of({"a.py": "def f():\n    return 1\n", "guide.md": "# Guide\n"})
    with pytest.raises(EditRejected, match="stands for code that was left out"):
        run(desk, "write_file", file_path="a.py", content="def g():\n    return 2\n# ... rest of the code\n")
    guide = "# Guide\n\nNever write\n\n```python\n# ... existing code ...\n```\n"
    assert run(desk, "write_file", file_path="guide.md", content=guide).text == "Wrote guide.md."


def test_lines_that_a_whole_file_loses_are_told() -> None:
    desk = desk_of({"a.txt": "line\n" * 100})
    assert "It had 100 lines and has 2." in run(desk, "write_file", file_path="a.txt", content="a\nb\n").text


# -- move and delete ------------------------------------------------------------------------------------


def test_a_folder_moves_with_all_its_files() -> None:
    desk = desk_of({"old/a.py": "a", "old/sub/b.py": "b", "older/c.py": "c"})
    outcome = run(desk, "move_file", source_path="old", target_path="new")
    assert outcome.snapshot.paths() == ["new/a.py", "new/sub/b.py", "older/c.py"]
    assert outcome.text == "Moved old to new with 2 files."


def test_a_file_moves_into_a_folder_that_there_is() -> None:
    desk = desk_of({"a.py": "a", "pkg/b.py": "b"}, {"a.py": "a"})
    outcome = run(desk, "move_file", source_path="a.py", target_path="pkg")
    assert outcome.snapshot.paths() == ["pkg/a.py", "pkg/b.py"]
    assert outcome.shown == ("pkg/a.py",)
    with pytest.raises(ToolRefused, match="exists already"):
        run(desk, "move_file", source_path="a.py", target_path="pkg/b.py")


@pytest.mark.parametrize("target", ["old/inner", "old", ".git/hooks", "../out"])
def test_a_folder_does_not_move_into_itself_or_where_nothing_may_be_written(target: str) -> None:
    with pytest.raises(ToolRefused):
        run(desk_of({"old/a.py": "a"}), "move_file", source_path="old", target_path=target)


def test_a_folder_is_not_deleted_at_once() -> None:
    with pytest.raises(ToolRefused, match="is a folder with 2 files; delete its files one by one"):
        run(desk_of({"d/a.py": "", "d/b.py": ""}), "delete_file", file_path="d")


# -- syntax ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "before", "old", "new", "told"),
    [
        ("a.py", "def f():\n    return 1\n", "return 1", "return (1", "line 2: 'return (1'"),
        ("a.py", "def f():\n    a()\n    b()\n", "    b()", "      b()", "line 3: 'b()' (unexpected indent)"),
        ("a.ts", "function f() {\n  go();\n}\n", "  go();\n", "  if (x) {\n", "syntax error near line"),
        ("a.json", '{\n  "a": 1\n}\n', "1", "1,", "line 3: '}'"),
        ("a.toml", "a = 1\nb = 2\n", "b = 2", "b = ", "line 2: 'b ='"),
        ("a.go", "package a\n\nfunc f() {\n}\n", "{\n}", "{\n\tx := [\n}", "syntax error near line"),
    ],
)
def test_a_new_syntax_error_is_told_with_its_line(
    path: str, before: str, old: str, new: str, told: str
) -> None:
    said = edit(desk_of({path: before}), old, new, path).text
    assert "WARNING: this adds a syntax error" in said
    assert told in said


@pytest.mark.parametrize(
    ("path", "before", "old", "new"),
    [
        ("a.py", "def f(:\n    pass\n\n\ndef g():\n    return 1\n", "return 1", "return 2"),
        ("a.py", "x = (1\ny = 2\n", "x = (1\n", "x = (1)\n"),
        ("a.py", "print 'old'\n\n\ndef g():\n    return 1\n", "return 1", "return [2]"),
        ("a.py", "x = 1\n", "x = 1", "type X = int"),
        ("a.json", '{\n  // why\n  "a": 1\n}\n', "1", "2"),
        ("a.txt", "(", "(", "(("),
    ],
)
def test_errors_that_were_there_before_are_not_told(path: str, before: str, old: str, new: str) -> None:
    assert "WARNING" not in edit(desk_of({path: before}), old, new, path).text


def test_an_error_beside_one_that_was_there_is_told() -> None:
    before = "def f(:\n    pass\n\n\ndef g():\n    return 1\n\n\ndef h():\n    return 2\n"
    assert "near line 6" in edit(desk_of({"a.py": before}), "return 1", "return 1 +").text


def test_only_what_a_reader_can_see_is_said_to_differ() -> None:
    desk = desk_of({"a.txt": "a\r\nb\r\nit’s c\r\n"})
    assert edit(desk, "a\nb\n", "a\nB\n", "a.txt").text == "Edited a.txt (line 1)."
    assert "differed in punctuation" in edit(desk, "b\nit's c\n", "b\nit's d\n", "a.txt").text


def test_a_page_may_show_code_that_is_left_out_but_not_lose_lines_to_it() -> None:
    desk = desk_of({"guide.md": "# Use\n\n    run()\n    stop()\n", "a.py": "run()\n"})
    shown = "    run()\n    ...\n    stop()\n"
    outcome = edit(desk, "    run()\n    stop()\n", shown, "guide.md")
    assert outcome.snapshot.text(RelPath("guide.md")) == f"# Use\n\n{shown}"
    for path, old, new in (("a.py", "run()", "run()\n...\n"), ("guide.md", "    run()\n    stop()", "...")):
        with pytest.raises(EditRejected, match="stands for code"):
            edit(desk, old, new, path)


def test_a_character_that_the_file_cannot_hold_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("caf\xe9\n".encode("latin-1"))
    desk = Desk(replace(workspace("").snapshot, root=tmp_path), Gate(tmp_path))
    assert edit(desk, "café", "cafés", "old.txt").snapshot.text(RelPath("old.txt")) == "cafés\n"
    with pytest.raises(ToolRefused, match=r"^old.txt cannot hold this text: the file is in cp1252"):
        edit(desk, "café", "日本", "old.txt")
    with pytest.raises(ToolRefused, match="utf-8, which has no"):
        run(desk, "write_file", file_path="new.txt", content="\ud83d\n")


def test_nothing_is_made_below_a_file_or_a_link(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "link").symlink_to("pkg")
    desk = Desk(replace(workspace("").snapshot, root=tmp_path), Gate(tmp_path))
    with pytest.raises(ToolRefused, match=r"pkg/a\.py is a file"):
        run(desk, "write_file", file_path="pkg/a.py/b.py", content="x = 1\n")
    with pytest.raises(ToolRefused, match="link is a link"):
        run(desk, "write_file", file_path="link/b.py", content="x = 1\n")
    with pytest.raises(ToolRefused, match="link is a link"):
        run(desk, "move_file", source_path="pkg/a.py", target_path="link/b.py")
    gone = run(desk, "delete_file", file_path="pkg/a.py")
    below = replace(desk, snapshot=gone.snapshot)
    assert run(below, "write_file", file_path="pkg/a.py/b.py", content="x = 1\n").ok

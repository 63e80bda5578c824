"""The tools that look: how much is shown, how it is shared, and what is said about the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.toolbox import Desk, Outcome, call
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace


def desk_of(files: Mapping[str, str]) -> Desk:
    snapshot = workspace("").snapshot
    for path, text in files.items():
        snapshot = snapshot.edited(RelPath(path), text)
    return Desk(snapshot, Gate(None))


def run(desk: Desk, tool: str, **arguments: Any) -> Outcome:
    return asyncio.run(call(TOOLS, desk, ToolCall(tool, arguments)))


def test_many_files_are_read_in_the_order_asked_for() -> None:
    desk = desk_of({"a.py": "x = 1\n", "b/c.py": "y = 2"})
    outcome = run(desk, "read_many_files", paths=["b/c.py", "a.py"])
    assert outcome.text == "=== b/c.py\ny = 2\n=== a.py\nx = 1"
    assert outcome.shown == ("b/c.py", "a.py")


def test_lines_and_patterns_are_understood_among_the_paths() -> None:
    desk = desk_of({"a.py": "".join(f"{n}\n" for n in range(1, 9)), "b.py": "x\n", "c.txt": "y\n"})
    said = run(desk, "read_many_files", paths=["a.py:3-4", "b.*", "a.py:7"]).text
    assert said.split("\n") == [
        "=== a.py", "[lines 3 to 4 of 8; go on with offset=4]", "3", "4",
        "=== b.py", "x",
        "=== a.py", "[lines 7 to 8 of 8]", "7", "8",
    ]  # fmt: skip


def test_what_cannot_be_read_does_not_keep_the_rest_back() -> None:
    desk = desk_of({"a.py": "x = 1\n", ".env": "TOKEN=1\n"})
    said = run(desk, "read_many_files", paths=["a.py", "missing.py", "../out", ".env"]).text
    assert said.startswith("=== a.py\nx = 1\n[")
    assert "missing.py cannot be read" in said
    assert "TOKEN" not in said
    with pytest.raises(ToolRefused, match=r"missing.py cannot be read: .*\. \.env is withheld"):
        run(desk, "read_many_files", paths=["missing.py", ".env"])


def test_room_is_shared_fairly() -> None:
    files = {"small.txt": "s\n" * 100, "big.txt": "b" * 99 + "\n", "huge.txt": "h" * 99 + "\n"}
    files["big.txt"] *= 1_000
    files["huge.txt"] *= 9_000
    said = run(desk_of(files), "read_many_files", paths=list(files)).text
    small, big, huge = said.split("=== ")[1:]
    assert small.count("s\n") == 100
    assert abs(big.count("\n") - huge.count("\n")) <= 1
    assert "go on with offset=" in big
    assert len(said) < 81_000


def test_a_file_is_shown_with_lf_whatever_it_has() -> None:
    assert run(desk_of({"a.txt": "a\r\nb\r\n"}), "read_file", file_path="a.txt").text == "a\nb\n"


def test_a_folder_names_what_does_not_count_as_source(tmp_path: Path) -> None:
    for name in ("a.py", "logo.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "build").mkdir()
    (tmp_path / "out").symlink_to("/etc")
    desk = Desk(replace(desk_of({"a.py": "x", "pkg/b.py": "y"}).snapshot, root=tmp_path), Gate(tmp_path))
    assert run(desk, "list_directory", path=".").text.splitlines() == [
        "pkg/", "a.py", "[ignored, linked or not text: build/, logo.png, out]",
    ]  # fmt: skip
    with pytest.raises(ToolRefused, match="no folder"):
        run(desk, "list_directory", path="out")


def test_a_search_looks_below_a_folder_at_any_depth_and_stops_at_its_limit() -> None:
    desk = desk_of({"src/deep/a.py": "hit\nhit\nHIT\n", "src/b.txt": "hit\n", "c.py": "hit\n"})
    assert run(desk, "grep_search", pattern="hit", path="src", glob="*.py").text.splitlines() == [
        "src/deep/a.py:1: hit",
        "src/deep/a.py:2: hit",
    ]
    assert len(run(desk, "grep_search", pattern="(?i)hit").text.splitlines()) == 5
    said = run(desk, "grep_search", pattern="hit", limit=1).text
    assert said.splitlines() == ["c.py:1: hit", "[more than 1 rows: ask more narrowly]"]


def test_a_file_may_be_named_as_the_folder_of_a_search() -> None:
    desk = desk_of({"src/a.py": "hit\n", "src/b.py": "hit\n"})
    assert run(desk, "grep_search", pattern="hit", path="src/a.py").text == "src/a.py:1: hit"


def test_a_path_that_is_no_file_to_read_is_answered_with_what_may_be_meant(tmp_path: Path) -> None:
    made = workspace("#- pkg/use.py\nx = 1\n#- .env\nKEY=1\n", tmp_path)
    (tmp_path / "link.py").symlink_to("pkg/use.py")
    (tmp_path / "secret").symlink_to(".env")
    desk = Desk(made.snapshot, Gate(tmp_path))
    for path, said in (
        ("use.py", "missing. There is pkg/use.py."),
        ("pkg", "It is a folder: list_directory shows what is in it."),
        ("link.py", "It is a link to pkg/use.py: use that path."),
        ("nope.py", "nope.py cannot be read: missing."),
    ):
        with pytest.raises(ToolRefused) as refusal:
            run(desk, "read_file", file_path=path)
        assert str(refusal.value).endswith(said)
    with pytest.raises(ToolRefused, match="is a file: read it"):
        run(desk, "list_directory", path="pkg/use.py")


def test_a_search_where_nothing_is_searched_says_so(tmp_path: Path) -> None:
    made = workspace("#- pkg/use.py\nx = 1\n#- .gitignore\nbuild/\n", tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "out.py").write_text("x = 1\n", encoding="utf-8")
    desk = Desk(made.snapshot, Gate(tmp_path))
    for tool, pattern in (("grep_search", "x"), ("glob", "*.py")):
        with pytest.raises(ToolRefused, match="Nothing below 'build' is searched"):
            run(desk, tool, pattern=pattern, path="build")
    assert run(desk, "glob", pattern=f"{tmp_path}/pkg/*.py").text == "pkg/use.py"


def test_a_qualified_name_is_referred_to_by_its_last_part() -> None:
    desk = Desk(workspace("#- a.py\nclass A:\n    def go(self): ...\n\nA().go()\n").snapshot, Gate(None))
    assert "a.py:4: A().go()" in run(desk, "find_references", name="A.go").text

"""Places as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.cli.places import Place, parse, workspace, workspace_of
from qwen_lsp.errors import UserError
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace.paths import RelPath


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src dir").mkdir()
    (tmp_path / "src dir" / "ünï.py").write_text("a = 1\n", encoding="utf-8")
    (tmp_path / "a:3.py").write_text("", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path.resolve()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("src dir/ünï.py", (None, None, None)),
        ("src dir/ünï.py:7", (6, 6, None)),
        ("src dir/ünï.py:7:3", (6, 6, 2)),
        ("src dir/ünï.py:7-9", (6, 8, None)),
        ("src dir/ünï.py:9-7", (6, 8, None)),
    ],
)
def test_a_place(folder: Path, text: str, place: tuple[int | None, ...]) -> None:
    found = parse(text)
    assert (found.root, found.path) == (folder, "src dir/ünï.py")
    assert (found.first, found.last, found.column) == place


def test_a_colon_in_a_name(folder: Path) -> None:
    assert parse("a:3.py").path == "a:3.py"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing.py", "no such file"),
        ("src dir", "is a folder"),
        ("src dir/ünï.py:0", "count from 1"),
        ("src dir/ünï.py:3:0", "count from 1"),
    ],
)
def test_what_is_wrong_with_a_place(folder: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse(text)


def test_a_file_outside_the_named_workspace(folder: Path) -> None:
    with pytest.raises(UserError, match="not in the workspace"):
        parse(str(folder / "a:3.py"), folder / "src dir")


def test_a_line_past_the_end_is_told(folder: Path) -> None:
    with pytest.raises(UserError, match="ends at line 2"):
        parse("src dir/ünï.py:3").lines_in(LineIndex("a = 1\n"))
    assert parse("src dir/ünï.py:1-99").lines_in(LineIndex("a = 1\n")) == (0, 1)


def test_the_repository_is_the_workspace_even_within_a_project(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / "src dir" / "package.json").write_text("{}", encoding="utf-8")
    assert workspace_of(folder / "src dir" / "ünï.py") == folder


def test_without_a_repository_the_nearest_project(folder: Path) -> None:
    (folder / "src dir" / "package.json").write_text("{}", encoding="utf-8")
    assert workspace_of(folder / "src dir" / "ünï.py") == folder / "src dir"


def test_a_home_folder_is_nobodys_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert workspace_of(folder / "src dir" / "ünï.py") == folder / "src dir"


def test_a_link_to_a_workspace_is_the_workspace(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "src dir")
    assert workspace("link") == folder / "src dir"
    assert parse("ünï.py", Path("link")) == Place(folder / "src dir", RelPath("ünï.py"))
    assert parse("link/ünï.py", Path("link")) == parse("ünï.py", Path("link"))


@pytest.mark.parametrize(("text", "said"), [("nowhere", "no such folder"), ("a:3.py", "is a file")])
def test_what_is_no_workspace(folder: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        workspace(text)

"""What a workspace's own disk says that nothing may write."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from qwen_lsp.errors import ProtectedPath
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.guard import guarded
from qwen_lsp.workspace.transaction import commit


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_an_ordinary_workspace_guards_nothing_more(tmp_path: Path) -> None:
    assert guarded(tmp_path) == ()
    git(tmp_path, "init", "-q")
    assert guarded(tmp_path) == ()


def test_a_repository_beside_its_worktree_is_guarded(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "store"), "work")
    (tmp_path / ".git").write_text("gitdir: ./store\n", encoding="utf-8")
    assert guarded(tmp_path) == ("store",)
    (tmp_path / ".git").write_text(f"gitdir: {tmp_path}/sub/../store\n", encoding="utf-8")
    assert guarded(tmp_path) == ("store",)


def test_a_real_worktree_below_its_repository_is_guarded(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare")
    inside = tmp_path / "tree"
    inside.mkdir()
    (inside / ".git").write_text(f"gitdir: {tmp_path}/bare/worktrees/tree\n", encoding="utf-8")
    assert guarded(inside) == (), "the repository is outside: nothing of the workspace is it"
    (tmp_path / ".git").write_text("gitdir: bare/worktrees/tree\n", encoding="utf-8")
    assert guarded(tmp_path) == ("bare", "bare/worktrees/tree")


@pytest.mark.parametrize("written", ["tools/hooks", "./tools/hooks/", '"tools/hooks"'])
def test_where_git_takes_its_hooks_from_is_guarded(tmp_path: Path, written: str) -> None:
    git(tmp_path, "init", "-q")
    config = tmp_path / ".git" / "config"
    config.write_text(config.read_text(encoding="utf-8") + f"\thooksPath = {written}\n", encoding="utf-8")
    assert guarded(tmp_path) == ("tools/hooks",)


@pytest.mark.parametrize("place", ["on one line", "in an included file", "of the user", "of a folder above"])
def test_wherever_the_setting_stands(tmp_path: Path, own_user_folders: Path, place: str) -> None:
    """Git itself is asked, and a relative path begins where the repository does."""
    root = tmp_path / "w"
    root.mkdir()
    git(root, "init", "-q")
    written = "[core] hooksPath = tools/hooks\n"
    if place == "of the user":
        (own_user_folders / ".gitconfig").write_text(written, encoding="utf-8")
    elif place == "in an included file":
        (root / "settings").write_text(written, encoding="utf-8")
        git(root, "config", "include.path", "../settings")
    else:
        config = root / ".git" / "config"
        config.write_text(config.read_text(encoding="utf-8") + written, encoding="utf-8")
    if place == "of a folder above":
        (root / "tools").mkdir()
        assert guarded(root / "tools") == ("hooks",)
    else:
        assert guarded(root) == ("tools/hooks",)


def test_this_programs_own_folders_are_guarded_in_a_workspace_that_holds_them(own_user_folders: Path) -> None:
    assert guarded(own_user_folders) == ("cache/qwen-lsp", "config/qwen-lsp", "state/qwen-lsp")


@pytest.mark.parametrize("said", ["", "nonsense", "gitdir:", "gitdir: /elsewhere", "gitdir: ../..", "\0"])
def test_a_git_file_that_points_nowhere_guards_nothing(tmp_path: Path, said: str) -> None:
    (tmp_path / ".git").write_text(said, encoding="utf-8")
    assert guarded(tmp_path) == ()


def test_what_is_guarded_is_never_written(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    (root / "store").mkdir(parents=True)
    (root / ".git").write_text("gitdir: store\n", encoding="utf-8")
    (root / "a.py").write_text("a = 1\n", encoding="utf-8")
    for edit in (
        FileEdit("store/config", None, "owned\n"),
        FileEdit("STORE/config", None, "owned\n"),
        FileEdit("store/a.py", "a = 1\n", "a = 1\n", moved_from="a.py"),
    ):
        with pytest.raises(ProtectedPath):
            commit(root, [edit], tmp_path / "journal")
    assert sorted(path.name for path in root.rglob("*")) == [".git", "a.py", "store"]

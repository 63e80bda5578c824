"""A commit of what has landed and of nothing else, in a real repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qwen_lsp.errors import UserError
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.committing import Commit, commit, look, subjects
from tests.workspace.repositories import git, repository, user, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]
FILES = {
    "a.py": "a = 1\n",
    "b.py": "b = 1\n",
    "gone.py": "gone\n",
    "old/m.py": "moved\n" * 5,
    ".gitignore": "*.log\n",
}
EDIT = FileEdit("a.py", "a = 1\n", "a = 2\n")
EDITS = [
    EDIT,
    FileEdit("gone.py", "gone\n", None),
    FileEdit("new/c.py", None, "c = 1\n"),
    FileEdit("new/m.py", "moved\n" * 5, "moved\n" * 6, moved_from="old/m.py"),
]


@pytest.fixture
def root(tmp_path: Path, own_user_folders: Path) -> Path:
    user(own_user_folders)
    return repository(tmp_path / "w", FILES)


def land(root: Path, *edits: FileEdit) -> None:
    for edit in edits:
        if edit.moved_from is not None:
            (root / edit.moved_from).unlink()
        if edit.after is None:
            (root / edit.path).unlink()
        else:
            write(root, {edit.path: edit.after})


def changed(root: Path) -> list[str]:
    """What the last commit changed."""
    return git(root, "show", "--format=", "--name-status", "--no-renames", "HEAD").split("\n")


async def refused(root: Path, *edits: FileEdit) -> str:
    with pytest.raises(UserError) as error:
        await look(root, edits)
    return str(error.value)


async def test_what_landed_is_committed(root: Path) -> None:
    land(root, *EDITS)
    proposed = await look(root, EDITS)
    assert proposed.paths == ("a.py", "gone.py", "new/c.py", "new/m.py", "old/m.py")
    assert (proposed.branch, proposed.left_out, proposed.mixed, proposed.hooks) == ("work", (), (), ())

    made = await commit(proposed, "Tidy up\n\nBecause it was untidy.\n# not a comment\n")
    assert made.subject == "Tidy up"
    assert git(root, "rev-parse", "--short", "HEAD") == made.id
    assert git(root, "show", "-s", "--format=%an <%ae>%n%B").rstrip() == (
        "Ada <ada@example.org>\nTidy up\n\nBecause it was untidy.\n# not a comment"
    )
    assert changed(root) == ["M\ta.py", "D\tgone.py", "A\tnew/c.py", "A\tnew/m.py", "D\told/m.py"]
    assert git(root, "status", "--porcelain") == ""


async def test_what_the_user_changed_or_staged_elsewhere_stays_as_it_is(root: Path) -> None:
    write(root, {"b.py": "b = 2\n", "staged.py": "s\n"})
    git(root, "add", "b.py", "staged.py")
    write(root, {"b.py": "b = 3\n", "untracked.py": "u\n"})
    before = git(root, "status", "--porcelain")
    land(root, EDIT, FileEdit("new/c.py", None, "c = 1\n"))
    await commit(await look(root, [EDIT, FileEdit("new/c.py", None, "c = 1\n")]), "Two")

    assert changed(root) == ["M\ta.py", "A\tnew/c.py"]
    assert git(root, "status", "--porcelain") == before
    assert git(root, "show", ":b.py") == "b = 2"


async def test_a_workspace_may_be_a_folder_of_a_repository(root: Path) -> None:
    folder = root / "old"
    edit = FileEdit("m.py", "moved\n" * 5, "other\n")
    write(root, {"a.py": "mine\n"})
    land(folder, edit)
    await commit(await look(folder, [edit]), "Below")
    assert changed(root) == ["M\told/m.py"]
    assert git(root, "status", "--porcelain") == " M a.py"


@pytest.mark.parametrize("when", ["before", "since", "staged"])
async def test_the_users_own_changes_in_a_landed_file_go_only_with_their_leave(root: Path, when: str) -> None:
    edit = EDIT
    if when == "before":
        edit = FileEdit("a.py", "mine\na = 1\n", "mine\na = 2\n")
    land(root, edit)
    if when == "since":
        write(root, {"a.py": "a = 2\nmine\n"})
    elif when == "staged":
        git(root, "add", "a.py")
    proposed = await look(root, [edit])
    assert proposed.mixed == ("a.py",)
    head = git(root, "rev-parse", "HEAD")
    with pytest.raises(UserError, match=r"a\.py: also changed by you"):
        await commit(proposed, "All")
    assert git(root, "rev-parse", "HEAD") == head
    await commit(proposed, "All", with_own=True)
    assert git(root, "show", "HEAD:a.py") == (root / "a.py").read_text().rstrip("\n")


async def test_line_ends_that_git_converts_are_no_change_of_the_users(
    root: Path, own_user_folders: Path
) -> None:
    user(own_user_folders, "[core]\n\tautocrlf = true\n")
    edit = FileEdit("a.py", "a = 1\r\n", "a = 2\r\n")
    land(root, edit)
    proposed = await look(root, [edit])
    assert proposed.mixed == ()
    await commit(proposed, "Ends")
    assert git(root, "cat-file", "-p", "HEAD:a.py") == "a = 2"
    assert git(root, "cat-file", "-s", "HEAD:a.py") == str(len("a = 2\n"))


async def test_files_that_cannot_go_with_it_are_named(root: Path) -> None:
    repository(root / "inner", {"x.py": "x\n"})
    inner = FileEdit("inner/x.py", "x\n", "y\n")
    log, same = FileEdit("run.log", None, "log\n"), FileEdit("b.py", "b = 0\n", "b = 1\n")
    land(root, EDIT, inner, log, same)
    proposed = await look(root, [EDIT, inner, log, same])
    assert proposed.paths == ("a.py",)
    assert dict(proposed.left_out) == {
        "b.py": "is as in the last commit",
        "inner/x.py": "belongs to another repository",
        "run.log": "is ignored by git",
    }
    said = await refused(root, log, same)
    assert said.startswith("There is nothing to commit: b.py is as in the last commit; run.log is ignored")


async def test_the_first_commit_of_a_repository(tmp_path: Path, own_user_folders: Path) -> None:
    user(own_user_folders)
    root = tmp_path / "w"
    root.mkdir()
    git(root, "init", "-q", "-b", "work")
    edit = FileEdit("a.py", None, "a\n")
    land(root, edit, FileEdit("b.py", None, "b\n"))
    await commit(await look(root, [edit]), "First")
    assert git(root, "status", "--porcelain") == "?? b.py"
    assert await subjects(root) == ["First"]


async def test_where_no_commit_can_be_made_it_is_said_why(root: Path, tmp_path: Path) -> None:
    land(root, EDIT)
    assert "in no git repository" in await refused(tmp_path, EDIT)
    git(root, "checkout", "-q", "--detach")
    assert "HEAD is detached" in await refused(root, EDIT)
    git(root, "checkout", "-q", "work")

    git(root, "stash", "-q")
    git(root, "checkout", "-q", "-b", "other")
    write(root, {"b.py": "other\n"})
    git(root, "commit", "-q", "-a", "-m", "Other")
    git(root, "checkout", "-q", "work")
    write(root, {"b.py": "ours\n"})
    git(root, "commit", "-q", "-a", "-m", "Ours")
    with pytest.raises(Exception, match="merge"):
        git(root, "merge", "other")
    assert "a merge under way" in await refused(root, EDIT)
    (root / ".git" / "MERGE_HEAD").unlink()
    assert "unresolved conflicts" in await refused(root, EDIT)


async def test_nothing_but_what_was_looked_at_is_committed(root: Path) -> None:
    land(root, EDIT)
    proposed = await look(root, [EDIT])
    write(root, {"a.py": "a = 2\nand more\n"})
    with pytest.raises(UserError, match="changed since you were asked"):
        await commit(proposed, "Late")
    land(root, EDIT)
    git(root, "commit", "-q", "--allow-empty", "-m", "Between")
    with pytest.raises(UserError, match="changed since you were asked"):
        await commit(proposed, "Late")
    with pytest.raises(UserError, match="needs a message"):
        await commit(await look(root, [EDIT]), " \n")


async def test_a_commit_that_fails_leaves_the_index_as_it_was(root: Path, own_user_folders: Path) -> None:
    new = FileEdit("new/c.py", None, "c = 1\n")
    land(root, new)
    proposed = await look(root, [new])
    (own_user_folders / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    with pytest.raises(UserError, match="git does not know who you are"):
        await commit(proposed, "Nobody")
    assert git(root, "status", "--porcelain") == "?? new/"


async def test_hooks_do_not_run_and_are_named(root: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for name in ("pre-commit", "commit-msg", "post-commit", "pre-push"):
        hook = root / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> {marker}\n")
        hook.chmod(0o755)
    land(root, EDIT)
    proposed = await look(root, [EDIT])
    assert proposed.hooks == ("pre-commit", "commit-msg", "post-commit")
    made = await commit(proposed, "Quietly")
    assert made.hooks == proposed.hooks
    assert not marker.exists()


async def test_names_that_mean_more_to_git_are_only_names(root: Path) -> None:
    odd = FileEdit(":(glob)*", None, "odd\n")
    dashed = FileEdit("-f", None, "dashed\n")
    land(root, odd, dashed)
    write(root, {"b.py": "mine\n"})
    proposed: Commit = await look(root, [odd, dashed])
    await commit(proposed, "-m odd")
    assert changed(root) == ["A\t-f", "A\t:(glob)*"]
    assert git(root, "status", "--porcelain") == " M b.py"

"""Listing and reading: nothing outside the root, nothing that hangs, every byte kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qwen_lsp.errors import FileUnreadable, OutsideWorkspace, WorkspaceError
from qwen_lsp.workspace import beneath, disk, encodings, git
from qwen_lsp.workspace.paths import RelPath
from tests.workspace.trees import git as run_git
from tests.workspace.trees import write_tree

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
BIG = 1 << 20


def names(root: Path) -> set[str]:
    return set(disk.list_files(root, max_bytes=BIG).files)


# -- listing -------------------------------------------------------------------------------------------


def test_a_root_that_is_gone_has_no_files(tmp_path: Path) -> None:
    assert disk.list_files(tmp_path / "gone", max_bytes=BIG) == disk.Listing({}, {})


def test_odd_files_are_skipped_with_a_reason(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": "1", "big.txt": "x" * 2000, "logo.png": b"\x89PNG", "yarn.lock": ""})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "in.py").symlink_to("a.py")
    (tmp_path / "out.py").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "broken").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.path.relpath(tmp_path / "sock"))
        listing = disk.list_files(tmp_path, max_bytes=1000)
    found = (tmp_path / "a.py").stat()
    assert listing.files == {"a.py": disk.Stat.of(found)}
    assert listing.skipped == {
        "big.txt": "too large",
        "logo.png": "binary",
        "yarn.lock": "lock file",
        "pipe": "not a regular file",
        "sock": "not a regular file",
        "in.py": "link",
        "out.py": "link",
        "loop": "link",
        "broken": "link",
    }


@pytest.mark.slow
def test_a_very_deep_tree_ends(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    depth = 2500  # beyond what a path can name, and beyond Python's stack
    for _ in range(depth):
        os.mkdir("dd", dir_fd=here)
        inner = os.open("dd", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("a.py", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    (tmp_path / "b.py").touch()
    try:
        assert names(tmp_path) == {"b.py"}
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path)], check=True)  # shutil.rmtree is recursive


@needs_git
@pytest.mark.slow
def test_git_knows_what_is_tracked_ignored_deleted_and_in_conflict(tmp_path: Path) -> None:
    write_tree(
        tmp_path, {".gitignore": "*.log\nout/\n", "a.py": "1", "kept.log": "", "x.log": "", "gone.py": ""}
    )
    write_tree(tmp_path, {"out/a.py": "", "node_modules/m/index.js": "", "vendor/node_modules/v.js": ""})
    run_git(tmp_path, "init", "-q")
    run_git(tmp_path, "add", "-f", "a.py", "kept.log", "gone.py", "vendor/node_modules/v.js", ".gitignore")
    run_git(tmp_path, "commit", "-qm", "one")
    run_git(tmp_path, "checkout", "-qb", "other")
    (tmp_path / "a.py").write_text("2", encoding="utf-8")
    run_git(tmp_path, "commit", "-qam", "two")
    run_git(tmp_path, "checkout", "-q", "main")
    (tmp_path / "a.py").write_text("3", encoding="utf-8")
    run_git(tmp_path, "commit", "-qam", "three")
    with pytest.raises(Exception, match="merge"):
        run_git(tmp_path, "merge", "other")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "new.py").touch()
    expected = {".gitignore", "a.py", "kept.log", "new.py", "vendor/node_modules/v.js"}
    assert names(tmp_path) == expected


@needs_git
@pytest.mark.slow
def test_submodules_and_nested_repositories_belong_to_the_workspace(tmp_path: Path) -> None:
    library, root = tmp_path / "library", tmp_path / "root"
    write_tree(library, {"lib.py": "", "lib.log": "", ".gitignore": "*.log\n"})
    run_git(library, "init", "-q")
    run_git(library, "add", ".")
    run_git(library, "commit", "-qm", "one")
    write_tree(
        root, {"a.py": "", ".gitignore": "*.tmp\n", "nested/n.py": "", "nested/n.tmp": "", "absent/x": ""}
    )
    run_git(root, "init", "-q")
    run_git(root, "submodule", "add", "-q", str(library), "sub")
    run_git(root / "nested", "init", "-q")
    (root / "sub" / "new.py").touch()
    (root / "sub" / "new.log").touch()
    expected = {".gitignore", ".gitmodules", "a.py", "sub/lib.py", "sub/new.py", "sub/.gitignore", "absent/x"}
    expected |= {"nested/n.py", "nested/n.tmp"}
    assert names(root) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(git, "executable", lambda: None)
        assert names(root) == expected


@needs_git
@pytest.mark.slow
def test_a_folder_its_repository_ignores_is_listed_when_it_is_the_root(tmp_path: Path) -> None:
    write_tree(tmp_path, {".gitignore": "/scratch\n", "scratch/a.py": "", "scratch/b.log": ""})
    write_tree(tmp_path, {"scratch/.gitignore": "*.log\n"})
    run_git(tmp_path, "init", "-q")
    assert names(tmp_path / "scratch") == {"a.py", ".gitignore"}


@needs_git
@pytest.mark.slow
def test_the_workspaces_own_rules_hide_what_git_tracks(tmp_path: Path) -> None:
    write_tree(tmp_path, {".qwenignore": "data/\n*.sql\n!keep.sql\n", "data/deep/a.py": "", "a.sql": ""})
    write_tree(tmp_path, {"keep.sql": "", "a.py": "", "b.py": ""})
    run_git(tmp_path, "init", "-q")
    run_git(tmp_path, "add", ".")
    listing = disk.list_files(tmp_path, exclude=["b.py"], max_bytes=BIG)
    assert set(listing.files) == {".qwenignore", "keep.sql", "a.py"}
    assert listing.skipped == {}


@needs_git
@pytest.mark.slow
def test_a_link_in_place_of_a_tracked_folder_is_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    write_tree(outside, {"a.py": "secret"})
    write_tree(root, {"pkg/a.py": "", "b.py": ""})
    run_git(root, "init", "-q")
    run_git(root, "add", ".")
    shutil.rmtree(root / "pkg")
    (root / "pkg").symlink_to(outside)
    assert names(root) == {"b.py"}


@needs_git
@pytest.mark.slow
def test_a_repository_cannot_run_a_program_when_it_is_listed(tmp_path: Path) -> None:
    root, mark = tmp_path / "root", tmp_path / "mark"
    write_tree(root, {"a.py": "", ".gitattributes": "* filter=evil diff=evil\n"})
    run_git(root, "init", "-q")
    script = root / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "filter.evil.clean", "core.editor",
                "diff.evil.textconv", "alias.ls-files"):  # fmt: skip
        run_git(root, "config", key, str(script) if key != "alias.ls-files" else f"!{script}")
    run_git(root, "config", "core.hooksPath", str(root / "hooks"))
    write_tree(root, {f"hooks/{hook}": f"#!/bin/sh\ntouch {mark}\n" for hook in ("post-index-change",)})
    (root / "hooks/post-index-change").chmod(0o755)
    assert "a.py" in names(root)
    assert not mark.exists()


@needs_git
@pytest.mark.slow
def test_the_users_own_ignore_file_is_honoured(tmp_path: Path, own_user_folders: Path) -> None:
    write_tree(own_user_folders, {".gitconfig": "[core]\n\texcludesFile = ~/mine\n", "mine": "*.swp\n"})
    git.forget_user()
    write_tree(tmp_path, {"a.py": "", "a.swp": "", "sub/b.swp": ""})
    run_git(tmp_path, "init", "-q")
    assert names(tmp_path) == {"a.py"}
    with pytest.MonkeyPatch.context() as patch:
        found = git.global_excludes()
        patch.setattr(git, "executable", lambda: None)
        patch.setattr(git, "global_excludes", lambda: found)
        assert names(tmp_path) == {"a.py"}


# -- reading -------------------------------------------------------------------------------------------

DATA = [
    b"",
    b"a\r\nb\nc\rd",
    "é\n".encode(),
    b"\xef\xbb\xbfa\n",
    "\ufeff".encode() + "日本".encode(),
    b"\xff\xfe" + "日本 a\r\n".encode("utf-16-le"),
    b"\xfe\xff" + "𝒳\n".encode("utf-16-be"),
    "naïve café – “x”\n".encode("cp1252"),
    b"\x81\x8d caf\xe9 \n",
    "# 计算平均值\nx = 1\n".encode("gb18030"),
]


@pytest.mark.parametrize("data", DATA)
def test_text_is_written_back_byte_for_byte(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    file = disk.read(tmp_path, RelPath("a.txt"))
    assert disk.encode(file.text, file) == data
    assert file.digest == disk.digest(data)
    assert not file.text.startswith("\ufeff") or data.count(b"\xef\xbb\xbf") == 2


def test_encodings_are_told_apart() -> None:
    found = {name: encodings.decode(data) for name, data in zip("abcdefghij", DATA, strict=True)}
    assert [f[1] if f else None for f in found.values()] == [
        "utf-8", "utf-8", "utf-8", "utf-8", "utf-8", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "gb18030",
    ]  # fmt: skip
    assert found["j"] is not None
    assert found["j"][0] == "# 计算平均值\nx = 1\n"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=40).map(lambda s: s.encode("utf-16")))
@example(b"\xff\xfe\x00\x00a\x00\x00\x00")
@example(b"\xff\xfea")
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    decoded = encodings.decode(data)
    if decoded is not None:
        text, encoding, bom = decoded
        like = disk.TextFile(text, encoding, bom, "", disk.Stat(0, 0))
        assert disk.encode(text, like) == data


def test_a_character_the_encoding_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("café".encode("cp1252"))
    file = disk.read(tmp_path, RelPath("a.txt"))
    with pytest.raises(WorkspaceError, match="cp1252"):
        disk.encode(file.text + "日", file)
    assert disk.encode("日", None) == "日".encode()


def test_what_is_not_text_is_refused_with_a_reason(tmp_path: Path) -> None:
    write_tree(tmp_path, {"nul": b"a\0b", "control": b"\xff\x01\x02", "big": b"x" * 100, "dir/a": b""})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("big")
    (tmp_path / "linked").symlink_to("dir")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.path.relpath(tmp_path / "sock"))
    reasons = {"nul": "binary", "control": "binary", "big": "too large", "dir": "not a regular file"}
    reasons |= {"pipe": "not a regular file", "link": "link", "loop": "link", "linked/a": "link"}
    reasons |= {"gone": "missing", "dir/gone": "missing", "gone/a": "missing", "big/a": "missing"}
    reasons |= {"a\0b": "name is not a file name", "x" * 300: "missing", "sock": "not a regular file"}
    for path, reason in reasons.items():
        with pytest.raises(FileUnreadable) as caught:
            disk.read(tmp_path, RelPath(path), 50)
        assert caught.value.reason == reason, path


def test_a_link_out_of_the_root_is_outside(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    write_tree(outside, {"a.py": "secret"})
    write_tree(root, {"b.py": ""})
    (root / "file.py").symlink_to(outside / "a.py")
    (root / "folder").symlink_to(outside)
    for path in ("file.py", "folder/a.py"):
        with pytest.raises(OutsideWorkspace):
            disk.read(root, RelPath(path))


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    write_tree(tmp_path / "real", {"a.py": "x"})
    (tmp_path / "root").symlink_to("real")
    assert names(tmp_path / "root") == {"a.py"}
    assert disk.read(tmp_path / "root", RelPath("a.py")).text == "x"


def test_reading_without_relative_opens_is_as_strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beneath, "RELATIVE", False)
    test_a_link_out_of_the_root_is_outside(tmp_path)
    (tmp_path / "root" / "inner.py").symlink_to("b.py")
    assert disk.read(tmp_path / "root", RelPath("b.py")).text == ""
    with pytest.raises(FileUnreadable, match="link"):
        disk.read(tmp_path / "root", RelPath("inner.py"))


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    write_tree(tmp_path, {"d/a.py": "x"})
    (tmp_path / "l").symlink_to("d")
    before = open_descriptors()
    for path in ("d/a.py", "d/gone", "l/a.py", "d", "gone/x"):
        with contextlib.suppress(FileUnreadable):
            disk.read(tmp_path, RelPath(path))
    assert open_descriptors() == before


def test_kernel_files_below_the_root_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def mounts(root: Path) -> list[str]:
        return [f"{root.name and 'proc'}/"]

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tree(root, {"proc/version": "", "a.py": ""})
        monkeypatch.setattr(disk, "pseudo_mounts", mounts)
        assert names(root) == {"a.py"}
    monkeypatch.undo()
    assert "proc/" in list(disk.pseudo_mounts(Path("/")))

"""Ignore rules against git itself, and the marks of files that no person wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.workspace import disk, git
from qwen_lsp.workspace.ignore import IgnoreRules, content_reason, reason_to_skip
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.patterns import Patterns
from tests.workspace.trees import git as run_git
from tests.workspace.trees import write_tree

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

NAMES = [
    "a",
    "b",
    "ab",
    "a.py",
    "b.py",
    "x.log",
    "doc",
    "build",
    "a b",
    "[x]",
    "é.py",
    "-n",
    "!n",
    "#n",
    "a*",
]
name = st.sampled_from(NAMES)
PATH = st.lists(name, min_size=1, max_size=4)
piece = st.sampled_from(
    ["a", "b", "ab", "*", "**", "?", "*.py", "a*", "*b", "[ab]", "[!a]", "[a-c]*", "x.log", "doc", "build",
     "\\!n", "\\#n", "[[:alpha:]]", "a\\*", "[x]", "\\[x\\]", "é.*", "a b", "***", "a**", "*?", "-n", "[]a]",
     "[^b]*", "\\a", "[", "a[", "[z-a]", "[\\]x]*", "a\\ b"]
)  # fmt: skip


@st.composite
def pattern(draw: st.DrawFn) -> str:
    body = "/".join(draw(st.lists(piece, min_size=1, max_size=3)))
    start = draw(st.sampled_from(["", "", "", "!", "/", "!/", "#"]))
    end = draw(st.sampled_from(["", "", "", "/", " ", "\r"]))
    return start + body + end


@st.composite
def tree(draw: st.DrawFn) -> tuple[dict[str, str], list[str]]:
    files = {
        "/".join(path): "" for path in draw(st.lists(st.lists(name, min_size=1, max_size=4), max_size=14))
    }
    # A name is a folder or a file: the longer one wins.
    kept = {f: "" for f in files if not any(other.startswith(f + "/") for other in files)}
    folders = sorted({f.rpartition("/")[0] for f in kept} | {""})
    for folder in draw(st.lists(st.sampled_from(folders), max_size=3, unique=True)):
        lines = draw(st.lists(pattern(), max_size=5))
        kept[f"{folder}/.gitignore".lstrip("/")] = "\n".join(lines) + draw(st.sampled_from(["", "\n"]))
    return kept, draw(st.lists(pattern(), max_size=2))


@needs_git
@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(tree())
def test_the_walk_without_git_lists_what_git_lists(case: tuple[dict[str, str], list[str]]) -> None:
    files, excluded = case
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tree(root, files)
        run_git(root, "init", "-q")
        (root / ".git/info/exclude").write_text("\n".join(excluded) + "\n", encoding="utf-8")
        listed = disk.list_files(root, max_bytes=1000)
        rules = IgnoreRules.load(root)
        for path in files:
            assert rules.ignores(RelPath(path)) == (path not in listed.files), path
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(git, "executable", lambda: None)
            walked = disk.list_files(root, max_bytes=1000)
        assert walked == listed


@needs_git
@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(tree(), st.data())
def test_a_folder_inside_a_repository_lists_what_git_lists(
    case: tuple[dict[str, str], list[str]], data: st.DataObject
) -> None:
    files, _ = case
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        write_tree(top, files)
        run_git(top, "init", "-q")
        folders = sorted({parent for f in files for parent in Path(f).parents if parent != Path()})
        root = top / data.draw(st.sampled_from(folders)) if folders else top
        listed = disk.list_files(root, max_bytes=1000)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(git, "executable", lambda: None)
            walked = disk.list_files(root, max_bytes=1000)
        assert walked == listed


@needs_git
@settings(max_examples=60, deadline=None)
@given(
    st.lists(pattern(), min_size=1, max_size=40),
    st.lists(st.lists(name, min_size=1, max_size=4), max_size=30),
)
@pytest.mark.slow
def test_patterns_agree_with_check_ignore(lines: list[str], paths: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run_git(root, "init", "-q")
        (root / ".gitignore").write_text("\n".join(lines) + "\n", encoding="utf-8")
        names = ["/".join(path) for path in paths]
        done = subprocess.run(
            ["git", "check-ignore", "--stdin", "-z", "--no-index"],
            cwd=root,
            input="\0".join(names).encode(),
            capture_output=True,
            check=False,
        )
        ignored = set(done.stdout.decode().split("\0")) - {""}
        rules = IgnoreRules.load(root)
        assert {n for n in names if rules.ignores(RelPath(n))} == ignored


def test_hostile_patterns_end() -> None:
    patterns = Patterns.compile(["*a" * 40 + "b", "**/a" * 20 + "/b", "[a-z]*" * 40 + "!"])
    began = time.process_time()
    assert patterns.match("a" * 250) is None
    assert patterns.match("/".join("a" * 1000)) is None
    assert time.process_time() - began < 1.0


def test_the_last_match_decides() -> None:
    patterns = Patterns.compile(["*.log", "!keep.log", "/keep.log/"])
    assert patterns.match("a/x.log") is True
    assert patterns.match("keep.log") is False
    assert patterns.match("keep.log", is_dir=True) is True
    assert patterns.match("a.py") is None


def test_own_rules_hide_what_git_tracks(tmp_path: Path) -> None:
    write_tree(tmp_path, {".qwenignore": "data/\n!data/keep\n", "data/a.py": "", "a.py": "", "b.sql": ""})
    rules = IgnoreRules.load(tmp_path, ["*.sql"])
    assert rules.ignores(RelPath("data/a.py"))
    assert rules.hides("data/a.py")
    assert rules.ignores(RelPath("b.sql"))
    assert not rules.ignores(RelPath("a.py"))


def test_dependency_folders_are_left_out_unless_taken_back(tmp_path: Path) -> None:
    write_tree(tmp_path, {"node_modules/x/a.js": "", "venv/a.py": "", "src/a.py": ""})
    assert set(disk.list_files(tmp_path, max_bytes=1000).files) == {"src/a.py"}
    kept = disk.list_files(tmp_path, exclude=["!venv/"], max_bytes=1000)
    assert set(kept.files) == {"src/a.py", "venv/a.py"}


def test_an_ignore_file_that_is_a_fifo_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / "a.py").touch()
    listing = disk.list_files(tmp_path, max_bytes=1000)
    assert listing.files.keys() == {"a.py"}
    assert listing.skipped == {".gitignore": "not a regular file"}


@pytest.mark.parametrize(
    ("path", "size", "reason"),
    [
        ("a.py", 10, None),
        ("a.py", 2000, "too large"),
        ("x/package-lock.json", 10, "lock file"),
        ("Cargo.lock", 10, "lock file"),
        ("app.min.js", 10, "minified"),
        ("app.js.map", 10, "source map"),
        ("api_pb2.py", 10, "generated"),
        ("api.pb.go", 10, "generated"),
        ("logo.PNG", 10, "binary"),
        ("Makefile", 10, None),
        ("min.js", 10, None),
        ("map", 10, None),
    ],
)
def test_reasons_by_name_and_size(path: str, size: int, reason: str | None) -> None:
    assert reason_to_skip(RelPath(path), size, 1000) == reason


@pytest.mark.parametrize(
    ("path", "head", "reason"),
    [
        ("a.py", b"x = 1\n", None),
        ("a.py", b"x\0y", "binary"),
        ("a.go", b"// Code generated by stringer. DO NOT EDIT.\npackage x\n", "generated"),
        ("a.ts", b"/* @" + b"generated */\n", "generated"),
        ("a.py", b"# This file was automatically generated; do not edit\n", "generated"),
        ("a.py", b"# how to tell generated files: we do not edit them\n", None),
        ("a.js", b"x" * 6_000, "minified"),
        ("a.py", b"x" * 6_000, None),
        ("a.py", b"x" * 16_000, "minified"),
        ("a.js", b"let a = 1;\n" * 1_400, None),
    ],
)
def test_reasons_by_content(path: str, head: bytes, reason: str | None) -> None:
    assert content_reason(RelPath(path), head, len(head)) == reason

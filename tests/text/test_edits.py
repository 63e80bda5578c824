"""Edits against simple models, and against git: `git apply` for diffs, `git merge-file` for merges."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qwen_lsp.errors import ConflictError
from qwen_lsp.text.edits import FileEdit, TextEdit, apply, common_ends, diff, rebase, unified
from qwen_lsp.text.positions import Span

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
pieces = st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "d\re", "é\n", "\x0c", "x\u2028y\n", "z"])
texts = st.lists(pieces, max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(texts, texts)
def test_a_diff_turns_one_text_into_the_other(before: str, after: str) -> None:
    edits = diff(before, after)
    assert apply(before, edits) == after
    assert not edits or before != after
    for first, second in pairwise(edits):
        assert first.span.end < second.span.start  # apart, so there is something equal between them
    for edit in edits:
        start = edit.span.start
        assert start == 0 or before[start - 1] == "\n" or start == len(before)


@settings(max_examples=200, deadline=None)
@given(st.text("abc", max_size=12), st.data())
def test_edits_apply_as_if_from_the_last_to_the_first(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    spans = [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    edits = [TextEdit(span, data.draw(st.text("XY", max_size=3))) for span in spans]
    expected = text
    for edit in reversed(edits):
        expected = expected[: edit.span.start] + edit.text + expected[edit.span.end :]
    assert apply(text, data.draw(st.permutations(edits))) == expected


def test_insertions_at_one_place_keep_their_order() -> None:
    edits = [TextEdit(Span(1, 1), "1"), TextEdit(Span(1, 1), "2"), TextEdit(Span(1, 2), "3")]
    assert apply("abc", edits) == "a123c"


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(ConflictError, match="overlap"):
        apply("abcdef", [TextEdit(Span(0, 3), ""), TextEdit(Span(2, 4), "")])


def test_an_edit_of_nothing_is_no_edit() -> None:
    with pytest.raises(ValueError, match="must leave or take something"):
        FileEdit("a.py", None, None)


@needs_git
@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.none() | texts, st.none() | texts)
def test_git_applies_what_is_shown(before: str | None, after: str | None) -> None:
    # Git's patches say nothing of an empty file that comes or goes, unless their header does.
    assume((before and after is not None) or after)
    assume(before or before is None)
    shown = unified(FileEdit("dir/a.txt", before, after))
    if before == after:
        assert shown == ""
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dir", "a.txt")
        path.parent.mkdir()
        if before is not None:
            path.write_bytes(before.encode())
        subprocess.run(
            ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"],
            cwd=folder, input=shown.encode(), check=True, capture_output=True,
        )  # fmt: skip
        now = path.read_bytes().decode() if path.exists() else None
    assert now == after


def test_a_rename_is_shown() -> None:
    header = "diff --git a/a.py b/b.py\nrename from a.py\nrename to b.py\n"
    assert unified(FileEdit("b.py", "x\n", "x\n", moved_from="a.py")) == header
    shown = unified(FileEdit("b.py", "x\n", "y\n", moved_from="a.py"))
    assert shown == header + "--- a/a.py\n+++ b/b.py\n@@ -1 +1 @@\n-x\n+y\n"


LINES = [f"line {n}\n" for n in range(12)]


@st.composite
def changed(draw: st.DrawFn) -> str:
    """The twelve lines with some removed, replaced, or with others before them, all of them distinct."""
    out: list[str] = []
    for line in LINES:
        what = draw(st.sampled_from(["keep"] * 8 + ["drop", "replace", "insert"]))
        if what in ("insert", "replace"):
            out.append(f"new {draw(st.integers(0, 10**6))}\n")
        if what in ("insert", "keep"):
            out.append(line)
    return "".join(out)


@settings(max_examples=200, deadline=None)
@given(changed(), changed())
def test_a_merge_keeps_both_sides_or_refuses(fork: str, current: str) -> None:
    base = "".join(LINES)
    assert rebase(base, fork, base) == fork
    assert rebase(base, base, current) == current
    assert rebase(base, fork, fork) == fork
    try:
        merged = rebase(base, fork, current)
    except ConflictError:
        return
    assert rebase(base, current, fork) == merged
    for line in {*fork.splitlines(), *current.splitlines()} - {line.rstrip() for line in LINES}:
        assert line in merged.splitlines()
    for line in LINES:
        kept = line in fork and line in current
        assert (line in merged.splitlines(keepends=True)) is kept


@needs_git
@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(changed(), changed())
def test_a_merge_without_conflict_is_gits_merge(fork: str, current: str) -> None:
    base = "".join(LINES)
    try:
        merged = rebase(base, fork, current)
    except ConflictError:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("base", base), ("fork", fork), ("current", current)):
            Path(folder, name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["git", "merge-file", "-p", "fork", "base", "current"],
            cwd=folder, check=True, capture_output=True, text=True,
        )  # fmt: skip
    assert merged == done.stdout


def test_a_conflict_names_the_line() -> None:
    with pytest.raises(ConflictError, match="line 2"):
        rebase("a\nb\nc\n", "a\nB\nc\n", "a\nX\nc\n")
    assert rebase("a\nb\nc\n", "a\nB\nc\n", "a\nB\nc\nd\n") == "a\nB\nc\nd\n"


def test_a_small_change_of_a_large_file_is_quick() -> None:
    lines = ["\n", "}\n", "x = 1\n"] * 10_000
    after = [*lines[:15_000], "new\n", *lines[15_001:]]
    began = time.process_time()
    edits = diff("".join(lines), "".join(after))
    assert time.process_time() - began < 0.5
    assert len(edits) == 1


@given(st.text("ab\n", max_size=12), st.text("ab\n", max_size=12))
def test_what_two_texts_have_in_common_at_their_ends(one: str, other: str) -> None:
    head, tail = common_ends(one, other)
    shorter = min(len(one), len(other))
    assert one[:head] == other[:head]
    assert head == shorter or one[head] != other[head]
    assert one[len(one) - tail :] == other[len(other) - tail :]
    assert head + tail == shorter or one[-tail - 1] != other[-tail - 1]

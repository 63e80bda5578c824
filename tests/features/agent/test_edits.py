"""The edit ladder: cases as text (data/edits), what it must never touch, and what it costs."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.agent.edits import replace
from qwen_lsp.features.agent.edits.canonical import loose
from tests.support import drift
from tests.support.edit_cases import Case, read_cases

CASES = list(read_cases())


def test_there_are_cases_enough() -> None:
    assert len(CASES) >= 200
    assert len({case.title for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_case(case: Case) -> None:
    if case.result is not None:
        assert replace(case.file, case.old, case.new, replace_all=case.everywhere) == case.result
        return
    with pytest.raises(EditRejected) as refusal:
        replace(case.file, case.old, case.new, replace_all=case.everywhere)
    for words in case.refused:
        assert words in str(refusal.value)
    assert case.refused


LINE = st.text("ab “'.{}\t", max_size=6)
END = st.sampled_from(("\n", "\n", "\r\n", "\r"))
FILE = st.lists(st.tuples(LINE, END), max_size=12).map(lambda lines: "".join(a + b for a, b in lines))


@settings(max_examples=400, deadline=None)
@given(FILE, st.data())
def test_an_exact_place_is_what_str_replace_does(text: str, data: st.DataObject) -> None:
    text = text.replace("\r", "")
    start = data.draw(st.integers(0, len(text)))
    old = text[start : data.draw(st.integers(start, len(text)))]
    new = data.draw(st.text("ab \nxyz", max_size=8))
    assume(old and old != new)
    # Behind the indentation of a line further lines, and further indentation, are not taken literally.
    plain = old[0] not in " \t" and new[:1] not in ("", " ", "\t") and "\n" not in new
    behind = re.search(rf"^[ \t]+{re.escape(old)}", text, re.MULTILINE)
    assume(plain or not behind or not old.strip())
    overlapping = text.find(old, text.find(old) + 1) >= 0
    if overlapping:
        with pytest.raises(EditRejected):
            replace(text, old, new)
    else:
        assert replace(text, old, new) == text.replace(old, new)
    assert replace(text, old, new, replace_all=True) == text.replace(old, new)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.integers(0, 20_000))  # the examples of bench/edits.py, which has them all
def test_a_drifted_edit_is_the_edit_that_was_meant_or_refused(seed: int) -> None:
    edit = drift.made(seed)
    assume(edit is not None)
    assert edit is not None
    try:
        result = replace(edit.text, edit.old, edit.new)
    except EditRejected:
        return
    assert drift.right(edit, result)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 20_000))
def test_an_edit_that_was_made_is_not_made_again(seed: int) -> None:
    """Repeated as it was: refused, unless what it quotes is still there, be it at another indentation."""
    edit = drift.made(seed)
    assume(edit is not None and re.search("added|changed|new_line", edit.new) and "\n..." not in edit.new)
    assert edit is not None
    try:
        once = replace(edit.text, edit.old, edit.new)
    except EditRejected:
        return
    quoted, made, left = _words(edit.old), _words(edit.new), _words(once)
    if quoted in made:
        left = left.replace(made, "", 1)
    assume(quoted not in left)
    with pytest.raises(EditRejected):
        replace(once, edit.old, edit.new)


def _words(text: str) -> str:
    """A text without what an edit overlooks: blanks, ends of lines, typographic characters."""
    return " ".join(loose(text).text.split())


def lines_of(letters: str) -> st.SearchStrategy[str]:
    line = st.text(letters, max_size=6)
    return st.lists(st.tuples(line, END), max_size=8).map(lambda all_: "".join(a + b for a, b in all_))


@settings(max_examples=300, deadline=None)
@given(lines_of("xyz .\t"), lines_of("ab “'.{\t"), lines_of("xyz .\t"), st.text("abq\n", max_size=8))
def test_nothing_outside_changes(before: str, place: str, after: str, new: str) -> None:
    """Quoted with other line ends, quotes and blanks: what stands around the place stays, byte for byte."""
    assume(re.search("[ab]", place) and not before.endswith("\r"))
    quoted = re.sub(r"[ \t]*(\r\n|\r|\n)", "\n", place).replace("“", '"')
    assume(quoted != new)
    try:
        result = replace(before + place + after, quoted, new)
    except EditRejected:
        return
    assert result.startswith(before.rstrip())
    assert result.endswith(after.lstrip())


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=6),
    st.integers(1, 3),
    st.sampled_from(("\t", "  ", "    ")),
)
def test_reindented_lines_keep_their_levels(levels: list[int], deeper: int, unit: str) -> None:
    """Quoted without the file's outer levels, edited in one line: every line is back at its level."""
    names = [f"line_{number}()" for number in range(len(levels))]
    inner = [unit * (deeper + level) + name for level, name in zip(levels, names, strict=True)]
    text = "\n".join(["top:", *inner, "end", ""])
    said = "\n".join(unit * level + name for level, name in zip(levels, names, strict=True))
    changed = said.replace("line_0()", "other()")
    assert replace(text, said, changed) == text.replace("line_0()", "other()")


@settings(max_examples=300, deadline=None)
@given(FILE, st.text(max_size=20), st.text(max_size=20), st.booleans())
def test_any_edit_is_done_or_refused_in_words(text: str, old: str, new: str, everywhere: bool) -> None:
    try:
        assert replace(text, old, new, replace_all=everywhere) != text
    except EditRejected as refusal:
        assert len(str(refusal)) > 20


def test_a_message_is_bounded_whatever_the_file() -> None:
    text = "\n".join(f"value_{number} = compute({number}, {'x' * 3000})" for number in range(3000))
    with pytest.raises(EditRejected) as refusal:
        replace(text, "\n".join(f"value_{n} = compute({n}, y)" for n in range(100, 300)), "z")
    assert len(str(refusal.value)) < 8000


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("a" * 500_000, "aa"),
        ("x = 1\n" * 100_000, "x = 1\ny = 2\n"),
        ("    a = b + c\n" * 60_000, "a = b + c\n" * 50 + "d"),
        ("\n" * 300_000, "\n\nq\n\n"),
        (" " * 500_000 + "x", "  y"),
        ("a\n" * 50_000, "a\n...\na\n...\na"),
        ("word " * 100_000, "word words"),
        ("a\r\n\r\n" * 3_000, "a\n\n" * 3_000 + "c"),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_large_files_are_refused_in_bounded_time(text: str, old: str) -> None:
    with pytest.raises(EditRejected):
        replace(text, old, "new text for it")

"""The one name of a file: what is refused, and what is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.errors import OutsideWorkspace
from qwen_lsp.workspace.paths import RelPath, from_uri, inside, rel_path, to_uri, uri_of, within

ROOT = Path("/home/u/ws")
parts = st.lists(st.sampled_from(["a", "b.py", "..", ".", "", "é", " x", "..."]), max_size=6)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.py", "a.py"),
        ("./a//b/../c.py", "a/c.py"),
        ("a\\b.py", "a/b.py"),
        ("...", "..."),
        ("a/..b", "a/..b"),
    ],
)
def test_a_relative_path_has_one_form(text: str, path: str) -> None:
    assert rel_path(text) == path


@pytest.mark.parametrize(
    "text",
    ["", ".", "/", "/etc/passwd", "..", "../a", "a/../../b", "a/../..", "C:\\a", "C:a", "\\\\host\\a", "a\0b",
     "..\\a", "\\a", "//a", "a/.."],
)  # fmt: skip
def test_what_is_not_inside_is_refused(text: str) -> None:
    with pytest.raises(OutsideWorkspace):
        rel_path(text)


@settings(max_examples=300, deadline=None)
@given(parts)
def test_a_path_that_is_taken_stays_inside(names: list[str]) -> None:
    text = "/".join(names)
    try:
        path = rel_path(text)
    except OutsideWorkspace:
        return
    resolved = Path("/r", *Path(path).parts)
    assert resolved.is_relative_to("/r")
    assert ".." not in path.split("/")
    assert rel_path(path) == path
    assert within(Path("/r"), Path("/r") / path) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [("a.py", "a.py"), ("/home/u/ws/a/b.py", "a/b.py"), ("/home/u/ws/./a.py", "a.py")],
)
def test_an_absolute_path_may_be_inside(text: str, path: str) -> None:
    assert inside(ROOT, text) == path


@pytest.mark.parametrize(
    "text",
    ["/home/u/ws_evil/a.py", "/home/u/ws", "/home/u/ws/../x", "/home/u/ws/a/../../x", "/etc/passwd", "../a",
     "C:\\x", "/home/u/ws/a\0b"],
)  # fmt: skip
def test_neighbours_are_not_inside(text: str) -> None:
    with pytest.raises(OutsideWorkspace):
        inside(ROOT, text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="/\0\\", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_uris_are_taken_back(name: str) -> None:
    if name in (".", ".."):
        return
    assert from_uri(to_uri(ROOT, RelPath(name))) == ROOT / name
    assert from_uri(uri_of(ROOT / name)) == ROOT / name


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b%20c.py", "/a/b c.py"),
        ("file:///a/b%2Fc.py", "/a/b/c.py"),
        ("file://localhost/a.py", "/a.py"),
        ("file:///c%3A/x.py", "c:/x.py"),
        ("file:///C:/x.py", "C:/x.py"),
        ("untitled:Untitled-1", None),
        ("https://example.org/a.py", None),
        ("vscode-notebook-cell:/a.ipynb#x", None),
        ("file:///a/b.py?x#y", "/a/b.py"),
        ("file://[bad/a.py", None),
        ("file:///a%00b", None),
    ],
)
def test_uris_of_files_and_of_other_things(uri: str, path: str | None) -> None:
    assert from_uri(uri) == (None if path is None else Path(path))

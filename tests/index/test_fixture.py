"""The text fixture itself: files, marks, both kinds of workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.text.positions import Position, Span
from tests.support.fixture import indexed_workspace, parse_marked, workspace

TEXT = """
    #- a.py
    def f():
        return <START>g<CURSOR>()<END>
    #- pkg/b.py
    def g(): ...
    """


def test_marks_are_places_in_the_text_without_them() -> None:
    w = workspace(TEXT)
    assert w.texts == {"a.py": "def f():\n    return g()\n", "pkg/b.py": "def g(): ...\n"}
    assert (w.path, w.before[-3:], w.after) == ("a.py", "n g", "()\n")
    assert w.selection == Span(20, 23)
    assert w.position == Position(1, 12)


async def test_both_kinds_of_workspace_know_the_same(tmp_path: Path) -> None:
    memory, disk = workspace(TEXT), await indexed_workspace(TEXT, tmp_path / "w")
    for w in (memory, disk):
        assert list(w.snapshot.paths()) == ["a.py", "pkg/b.py"]
        assert [s.path for s in w.snapshot.definitions("g")] == ["pkg/b.py"]
        assert w.snapshot.using("g") == ["a.py"]
        assert w.snapshot.text(w.path) == w.texts[w.path]


def test_two_cursors_are_a_mistake() -> None:
    with pytest.raises(AssertionError, match="several"):
        parse_marked("#- a.py\n<CURSOR>x<CURSOR>")

"""Commits of this project: one change made, the next place asked for, and what the commit did there.

Each file of `data/` has the files before the commit, cut to the functions that matter; `=== made` is the
change that somebody begins with and `=== then` each other change of the commit within what is shown. What is
offered has to be one of these, and what is computed has to stand in what the commit put there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from qwen_lsp.features.next_edit.places import next_places
from qwen_lsp.workspace.paths import RelPath
from tests.features.next_edit.editing import edited
from tests.support.fixture import workspace

DATA = sorted((Path(__file__).parent / "data").glob("*.txt"))
COMPUTED = {"call", "exception", "function", "method", "parameter", "words"}
"""Those that no model is needed for."""
IN_TWO_WAYS = {"parameter", "words"}
"""Those whose commit changed the next line in another way as well."""


@dataclass(frozen=True)
class Change:
    """Lines of a file, and those that took their place."""

    path: RelPath
    old: list[str]
    new: list[str]


def read(path: Path) -> tuple[str, list[Change]]:
    """The files before a commit, and its changes, the one that was made first."""
    head, *blocks = path.read_text(encoding="utf-8").split("\n=== ")
    changes: list[Change] = []
    for block in blocks:
        first, *lines = block.splitlines()
        old, new = ([line[1:] for line in lines if line[:1] == sign] for sign in "-+")
        changes.append(Change(RelPath(first.split(" ", 1)[1]), old, new))
    return head.split("\n", 1)[1] + "\n", changes


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.stem)
def test_the_next_place_is_one_that_the_commit_changed(path: Path) -> None:
    files, (made, *others) = read(path)
    step = (made.path, "\n".join(made.old) + "\n", "\n".join(made.new) + "\n")
    snapshot, edits = edited(workspace(files).snapshot, step)
    places = next_places(snapshot, edits)
    assert places
    for place in places:
        index = snapshot.lines(place.path)
        line = index.line_text(place.line)
        there = [change for change in others if change.path == place.path and line in change.old]
        assert there, f"{place.path}: the commit left {line!r} as it was"
        assert (place.text is not None) == (path.stem in COMPUTED)
        if place.text is not None:
            start, end = index.start_of(place.line), index.end_of(place.line)
            new = index.text[start : place.span.start] + place.text + index.text[place.span.end : end]
            assert any(place.text in "\n".join(change.new) for change in there)
            assert any(new in change.new for change in there) == (path.stem not in IN_TWO_WAYS)

"""What a name in an event comes to."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from qwen_lsp.workspace.hints import MOST_PATHS, is_silent, merged, told
from qwen_lsp.workspace.paths import RelPath

A, B = RelPath("a.py"), RelPath("b.py")
MANY = {RelPath(f"{n}.py") for n in range(MOST_PATHS + 1)}


CASES: list[tuple[Iterable[str], set[str] | None]] = [
    (["a.py", "b.py", "a.py"], {A, B}),
    (["node_modules/x/i.js", ".git/objects/ab/cd", ".git/index.lock", "pkg/.git/HEAD"], set()),
    ([".git/index"], {".git/index"}),
    (["a.py", ".git/HEAD"], None),
    ([".git/info/exclude"], None),
    ([".cargo/config.toml"], {".cargo/config.toml"}),
    (MANY, None),
    ([""], set()),
]


@pytest.mark.parametrize(("paths", "hints"), CASES)
def test_what_names_hint_at(paths: Iterable[str], hints: set[str] | None) -> None:
    assert told(paths) == hints


def test_hints_are_merged() -> None:
    assert merged({A}, {B}) == {A, B}
    assert merged(set(), None) is None
    assert merged(None, {A}) is None
    assert merged({A}, MANY) is None


def test_folders_that_need_no_watch() -> None:
    assert [f for f in ("src", ".git", ".git/info", ".cargo") if is_silent(f)] == []
    silent = ("node_modules", "a/node_modules/b", ".git/objects", "sub/.git", ".venv", ".hg")
    assert [f for f in silent if not is_silent(f)] == []

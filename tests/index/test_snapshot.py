"""A snapshot never changes; buffers hide what the index says of their paths; forks tell what they did."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.errors import FileUnreadable
from qwen_lsp.index.build import build
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.text.edits import FileEdit, TextEdit, apply
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import Workspace, indexed_workspace, workspace, write_files

A, B, NEW = RelPath("a.py"), RelPath("b.py"), RelPath("new.py")
TWO_FILES = """
    #- a.py
    from b import g
    def f(): return g()
    #- b.py
    def g(): ...
    def h(): ...
    """


async def test_an_open_document_hides_its_file(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    before = w.snapshot
    w.store.open(B, "def renamed(): ...\n", 1)

    assert [s.path for s in before.definitions("g")] == [B]
    assert w.snapshot.definitions("g") == []
    assert [s.path for s in w.snapshot.definitions("renamed")] == [B]
    w.store.close(B)
    assert [s.path for s in w.snapshot.definitions("g")] == [B]


async def test_a_deleted_file_is_nowhere(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    fork = w.snapshot.edited(B, None)

    assert not fork.has(B)
    assert list(fork.paths()) == [A]
    assert fork.definitions("g") == []
    assert fork.facts(B) is None
    with pytest.raises(FileUnreadable, match="deleted"):
        fork.text(B)
    with pytest.raises(FileUnreadable, match="deleted"):
        fork.tokens(B, len)


async def test_a_fork_tells_what_it_changed(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    base = w.snapshot
    fork = base.edited(A, "x = 1\n").edited(A, "x = 2\n").edited(B, None).edited(NEW, "y = 3\n")

    assert fork.changes_since(base) == [
        FileEdit(A, w.texts[A], "x = 2\n"),
        FileEdit(B, w.texts[B], None),
        FileEdit(NEW, None, "y = 3\n"),
    ]
    assert base.changes_since(base) == []
    assert fork.edited(A, w.texts[A]).edited(B, w.texts[B]).edited(NEW, None).changes_since(base) == []


async def test_a_fork_tells_which_file_it_moved(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    text = w.texts[B]
    moved = w.snapshot.edited(B, None).edited(NEW, text)
    assert moved.changes_since(w.snapshot) == [FileEdit(NEW, text, text, moved_from=B)]
    assert moved.edited(NEW, text + "x = 1\n").changes_since(w.snapshot) == [
        FileEdit(NEW, text, text + "x = 1\n", moved_from=B)
    ]


async def test_a_fork_tells_which_file_may_be_run(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    base, text = w.snapshot, w.texts[A]
    (w.root / B).chmod(0o755)
    fork = base.moded(A, executable=True).edited(NEW, "x = 1\n").moded(NEW, executable=True)

    assert [fork.executable(path) for path in (A, B, NEW)] == [True, True, True]
    assert [base.executable(path) for path in (A, B, NEW)] == [False, True, False]
    assert fork.changes_since(base) == [
        FileEdit(A, text, text, executable=True),
        FileEdit(NEW, None, "x = 1\n", executable=True),
    ]
    assert fork.moded(B, executable=False).changes_since(fork) == [
        FileEdit(B, w.texts[B], w.texts[B], executable=False)
    ]
    back = fork.moded(A, executable=False)
    assert back.modes == {NEW: True}
    assert back.changes_since(fork) == [FileEdit(A, text, text, executable=False)]


async def test_a_file_that_is_deleted_and_made_anew_has_the_rights_of_a_new_one(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    fork = w.snapshot.edited(NEW, "x\n").moded(NEW, executable=True).edited(NEW, None)
    assert fork.modes == {}
    assert fork.changes_since(w.snapshot) == []
    assert not fork.edited(NEW, "y\n").executable(NEW)


async def test_rights_that_are_as_asked_for_are_no_change(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    assert w.snapshot.moded(A, executable=False) is w.snapshot


async def test_a_fork_remembers_what_the_disk_held_when_it_took_the_file(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    fork = w.snapshot.edited(A, "mine\n")
    (w.root / A).write_text("theirs\n", encoding="utf-8")

    assert fork.changes_since(w.snapshot) == [FileEdit(A, w.texts[A], "mine\n")]


async def test_a_fork_of_an_open_document_starts_from_its_text(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    w.store.open(A, "unsaved\n", 1)
    base = w.snapshot
    assert base.edited(A, "edited\n").changes_since(base) == [FileEdit(A, "unsaved\n", "edited\n")]


async def test_tokens_are_counted_once_for_a_content(tmp_path: Path) -> None:
    w = await indexed_workspace(TWO_FILES, tmp_path / "w")
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text)

    assert [w.snapshot.tokens(A, count) for _ in range(2)] == [len(w.texts[A])] * 2
    w.store.open(B, "xyz", 1)
    assert [w.snapshot.tokens(B, count) for _ in range(2)] == [3, 3]
    assert counted == [w.texts[A], "xyz"]


def test_a_tree_is_kept_with_a_buffer() -> None:
    w = workspace("#- a.py\nx = 1\n")
    assert w.snapshot.tree(A) is not None
    assert w.snapshot.tree(A) is w.snapshot.tree(A)


def test_plain_text_has_no_facts() -> None:
    w = workspace("#- notes.txt\nhello\n")
    path = RelPath("notes.txt")
    assert (w.snapshot.facts(path), w.snapshot.tree(path), w.snapshot.language(path)) == (None, None, None)
    assert w.snapshot.text(path) == "hello\n"


_WORDS = st.sampled_from(["f", "g", "h", "Kls"])
_PIECES = st.one_of(
    st.builds("def {}(): return {}()\n".format, _WORDS, _WORDS),
    st.builds("class {}:\n    def {}(self): pass\n".format, _WORDS, _WORDS),
    st.builds("{} = {}(1)\n".format, _WORDS, _WORDS),
    st.builds("from {} import {}\n".format, _WORDS, _WORDS),
    st.sampled_from(["    ", '"""', "(", "é = '\U0001f600'\n", "\r\n", "#"]),
)
_TEXTS = st.lists(_PIECES, max_size=5).map("".join)
_PATHS = st.sampled_from([A, B, NEW])
_CHANGES = st.tuples(st.integers(0, 200), st.integers(0, 30), _PIECES)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), _PATHS, _TEXTS),
        st.tuples(
            st.just("change"),
            _PATHS,
            st.tuples(st.integers(0, 200), st.integers(0, 30), _PIECES),
        ),
        st.tuples(st.just("read"), _PATHS, st.none()),
        st.tuples(st.just("delete"), _PATHS, st.none()),
    ),
    max_size=8,
)


def _do(store: Store, step: tuple[str, RelPath, Any]) -> None:
    verb, path, value = step
    buffer = store.current.buffers.get(path)
    if verb == "open":
        store.open(path, value, 1)
    elif verb == "change" and buffer is not None and buffer.text is not None:
        start = min(value[0], len(buffer.text))
        edit = TextEdit(Span(start, min(start + value[1], len(buffer.text))), value[2])
        after = apply(buffer.text, [edit])
        store.change(path, [edit], 2)
        assert store.current.text(path) == after
        assert store.current.lines(path).text == after
    elif verb == "read":
        store.current.facts(path)
    elif verb == "delete":
        store.current = store.current.edited(path, None)


def _answers(snapshot: Snapshot) -> list[Any]:
    paths = list(snapshot.paths())
    words = ("f", "g", "h", "Kls")
    return [
        paths,
        [snapshot.facts(path) for path in paths],
        [snapshot.definitions(word) for word in words],
        [snapshot.using(word) for word in words],
    ]


@given(_TEXTS, _TEXTS, _STEPS)
@settings(deadline=None, max_examples=25)
async def test_buffers_over_an_index_equal_an_index_of_their_texts(
    tmp_path_factory: pytest.TempPathFactory, a: str, b: str, steps: list[tuple[str, RelPath, Any]]
) -> None:
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    write_files(first, {A: a, B: b})
    store = Store(first, Cache(None))
    await build(store)
    for step in steps:
        _do(store, step)

    write_files(second, {path: store.current.text(path) for path in store.current.paths()})
    fresh = Store(second, Cache(None))
    await build(fresh)

    assert _answers(store.current) == _answers(fresh.current)


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 9), st.text(string.printable, max_size=5)), max_size=6
    )
)
@settings(deadline=None, max_examples=25)
def test_unread_changes_come_to_the_same_as_read_ones(changes: list[tuple[int, int, str]]) -> None:
    text = "class A:\n    def f(self):\n        return g(1)\n\n" * 3
    read, unread = (workspace("#- a.py\n") for _ in range(2))
    for w in (read, unread):
        w.store.open(A, text, 1)
        w.snapshot.facts(A)
    for start, length, inserted in changes:
        for w in (read, unread):
            _change(w, start, length, inserted)
        read.snapshot.facts(A)
    assert read.snapshot.facts(A) == unread.snapshot.facts(A)


def _change(w: Workspace, start: int, length: int, inserted: str) -> None:
    text = w.snapshot.text(A)
    start = min(start, len(text))
    w.store.change(A, [TextEdit(Span(start, min(start + length, len(text))), inserted)])

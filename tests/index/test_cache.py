"""The index on disk: private, replaced when damaged, and never a reason to crash."""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.index import tables
from qwen_lsp.index.build import build, refresh
from qwen_lsp.index.cache import Cache, default_folder
from qwen_lsp.index.store import Store
from qwen_lsp.index.tables import Scanned
from qwen_lsp.settings import IndexSettings
from qwen_lsp.syntax.facts import Definition, FileFacts, Import
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import write_files

A, B = RelPath("a.py"), RelPath("b.py")
FACTS = FileFacts(
    "python", 3, (Definition("f", "function", 0, 0, 4, 0, 1),), {"g": 2}, (Import("x.y", ("z",), 2),)
)


def scanned(path: RelPath = A, digest: str = "d1", facts: FileFacts = FACTS) -> Scanned:
    return Scanned(path, 10, 20, digest, "python", None, len(facts.definitions), 2, facts)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache.open(tmp_path / "root", tmp_path / "cache")


def test_what_was_written_is_found_by_content_and_by_name(cache: Cache) -> None:
    cache.write([scanned()])
    again = Cache(cache.database)
    assert again.facts("d1", "python") == FACTS
    assert again.definitions("f") == [("d1", "python", 0, FACTS.definitions[0])]
    assert again.using("g") == ([("d1", "python")], True)
    assert again.importing(["y"]) == again.importing(["z", "y"]) == [("d1", "python")]
    assert again.names("F", "begin", 9) == ["f"]
    assert again.known("d1", "python") == (1, 2)
    assert again.manifest()[A].digest == "d1"
    assert again.facts("d2", "python") is None


def test_the_same_content_is_kept_once(cache: Cache) -> None:
    cache.write([scanned(), scanned(B)])
    assert len(cache.definitions("f")) == 1
    assert set(cache.manifest()) == {A, B}


def test_only_the_user_may_read_it(cache: Cache) -> None:
    assert cache.database is not None
    assert stat.S_IMODE(cache.database.parent.stat().st_mode) == 0o700


def test_it_lies_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    found = Cache.open(tmp_path / "root")
    assert found.database is not None
    assert found.database.is_relative_to(tmp_path / "elsewhere" / "qwen-lsp")
    assert default_folder({"XDG_CACHE_HOME": "relative/is/ignored"}) == Path.home() / ".cache" / "qwen-lsp"


def test_token_counts_reach_the_disk_when_flushed(cache: Cache) -> None:
    cache.write([scanned()])
    cache.keep_tokens("d1", 42)
    assert cache.tokens("d1") == 42
    cache.close()
    assert Cache(cache.database).tokens("d1") == 42


@pytest.mark.parametrize("damage", [b"no database" * 500, b"", b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_damaged_index_is_made_again(tmp_path: Path, damage: bytes) -> None:
    root, settings = tmp_path / "root", IndexSettings(cache_dir=str(tmp_path / "cache"))
    write_files(root, {A: "def f(): pass\n"})
    store = Store.at(root, settings)
    await build(store)
    store.release()
    database = store.cache.database
    assert database is not None
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.write_bytes(damage)

    store = Store.at(root, settings)
    await build(store)

    assert [s.path for s in store.current.definitions("f")] == [A]
    assert not store.cache.broken
    assert store.cache.database == database
    store.release()


async def test_damage_while_running_is_healed_by_the_next_refresh(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_files(root, {A: "def f(): pass\n"})
    store = Store.at(root, IndexSettings(cache_dir=str(tmp_path / "cache")))
    await build(store)
    assert store.cache.database is not None
    with sqlite3.connect(store.cache.database) as other:
        other.execute("drop table definitions")
    other.close()

    assert store.current.definitions("f") == []
    assert store.cache.broken
    await refresh(store, {A})
    assert [s.path for s in store.current.definitions("f")] == [A]
    store.release()


@pytest.mark.parametrize("place", ["a file", "unwritable"])
async def test_without_a_usable_folder_the_index_is_in_memory(tmp_path: Path, place: str) -> None:
    blocked = tmp_path / "blocked"
    if place == "a file":
        blocked.write_text("x", encoding="utf-8")
    else:
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere")
        blocked.mkdir(mode=0o500)
    root = tmp_path / "root"
    write_files(root, {A: "def f(): pass\n"})
    store = Store.at(root, IndexSettings(cache_dir=str(blocked / "cache")))
    await build(store)
    assert store.cache.database is None
    assert [s.path for s in store.current.definitions("f")] == [A]
    store.release()


async def test_a_full_disk_leaves_an_index_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(database: Path | None) -> sqlite3.Connection:
        connection = original(database)
        if database is not None:  # as on a full disk: the pages there are stay readable, no more come
            pages = connection.execute("pragma page_count").fetchone()[0]
            connection.execute(f"pragma max_page_count = {pages}")
        return connection

    original = tables.connect
    monkeypatch.setattr(tables, "connect", connect)
    root = tmp_path / "root"
    texts = {RelPath(f"m{i}.py"): "".join(f"def f{i}_{j}(): pass\n" for j in range(300)) for i in range(4)}
    write_files(root, texts)
    store = Store.at(root, IndexSettings(cache_dir=str(tmp_path / "cache")))
    await build(store)
    assert store.cache.database is None
    assert all(store.current.definitions(f"f{i}_299") for i in range(4))
    store.release()


def test_a_closed_cache_answers_with_nothing(cache: Cache) -> None:
    cache.write([scanned()])
    cache.close()
    cache.close()
    assert (cache.definitions("f"), cache.manifest(), cache.tokens("d1")) == ([], {}, None)
    cache.write([scanned(B)])
    assert not cache.broken


def test_facts_of_no_file_are_dropped_oldest_first(cache: Cache) -> None:
    for i in range(6):
        facts = FileFacts("python", 1, (Definition(f"f{i}", "function", 0, 0, 4, 0, 0),))
        cache.write([scanned(A, f"d{i}", facts)])
    assert cache.database is not None
    connection = tables.connect(cache.database)
    assert tables.collect_garbage(connection, spare=2) == 3
    connection.close()
    assert [i for i in range(6) if cache.definitions(f"f{i}")] == [3, 4, 5]
    assert cache.known("d5", "python") is not None


def test_a_name_means_the_same_folder_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert tables.folder_of(tmp_path / "link", tmp_path) == tables.folder_of(tmp_path / "real", tmp_path)
    assert tables.folder_of(tmp_path / "real", tmp_path) != tables.folder_of(
        tmp_path / "other" / "real", tmp_path
    )


@pytest.mark.parametrize("in_memory", [False, True])
def test_closing_waits_for_the_threads_that_work_with_it(in_memory: bool, tmp_path: Path) -> None:
    """A connection closed under a query of another thread takes the whole process down."""
    files = [scanned(RelPath(f"{n}.py"), f"d{n}") for n in range(200)]
    with ThreadPoolExecutor(3) as threads:
        for round_ in range(30):
            cache = Cache(None) if in_memory else Cache.open(tmp_path / f"root{round_}", tmp_path / "cache")
            cache.write(files)
            work: list[Future[Any]] = [
                threads.submit(lambda: [cache.using("g") for _ in range(40)]),  # noqa: B023 - ended below
                threads.submit(lambda: [cache.definitions("f") for _ in range(40)]),  # noqa: B023
                threads.submit(lambda: [cache.collect_garbage(1) for _ in range(10)]),  # noqa: B023
            ]
            cache.close()
            wait(work)
            assert [w.exception() for w in work] == [None] * 3
            assert cache.using("g") == ([], True)

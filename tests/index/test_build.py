"""The index follows the disk: cold, reopened, hinted at, swept, interrupted, shared."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from qwen_lsp.index import build as build_module
from qwen_lsp.index import pool
from qwen_lsp.index.build import build, refresh
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.search import grep
from qwen_lsp.index.store import Store
from qwen_lsp.index.tables import Scanned
from qwen_lsp.settings import IndexSettings
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import write_files

A, B, NOTES = RelPath("a.py"), RelPath("pkg/b.py"), RelPath("notes.txt")
TEXTS = {A: "from pkg.b import g\ndef f(): return g()\n", B: "def g(): ...\n", NOTES: "plain\n"}
HERE = Path(__file__).parent


def many(count: int = 60) -> dict[RelPath, str]:
    return {RelPath(f"m{i}.py"): f"def f{i}(): return g{i}()\nclass C{i}: ...\n" for i in range(count)}


def age(root: Path, seconds: int = 60) -> None:
    """Make files look written a while ago, as files of a workspace are."""
    for path in root.rglob("*"):
        found = path.stat()
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns - seconds * 10**9))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path / "w", TEXTS)
    age(tmp_path / "w")
    return tmp_path / "w"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[RelPath]:
    """Paths whose facts were made, in this process."""
    paths: list[RelPath] = []
    original = build_module.scan

    def scan(*args: object, **rest: object) -> Scanned | None:
        found: Scanned | None = original(*args, **rest)  # type: ignore[arg-type]
        if found is not None and found.facts is not None:
            paths.append(found.path)
        return found

    monkeypatch.setattr(build_module, "scan", scan)
    return paths


async def test_a_report_says_what_was_indexed(root: Path, settings: IndexSettings) -> None:
    write_files(root, {RelPath("x.png"): "\0", RelPath("y.py"): "\0"})
    steps: list[tuple[int, int]] = []
    store = Store.at(root, settings)
    assert not store.current.complete
    report = await build(store, settings, lambda done, total: steps.append((done, total)))
    store.release()

    assert store.current.complete
    assert (report.files, report.bytes) == (3, sum(map(len, TEXTS.values())))
    assert (report.definitions, report.languages) == (2, {"python": 2})
    assert report.references >= 2
    assert report.skipped == {"binary": 2}
    assert report.seconds > 0
    assert report.cpu_seconds > 0
    assert steps[-1][0] == steps[-1][1]


async def test_an_unchanged_workspace_is_not_read_again(
    root: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.at(root, settings)
    first = await build(store)
    store.release()

    def scan(*_: object, **__: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(build_module, "scan", scan)
    store = Store.at(root, settings)
    second = await build(store)
    assert (second.files, second.definitions, second.references) == (
        first.files, first.definitions, first.references,
    )  # fmt: skip
    assert [s.path for s in store.current.definitions("g")] == [B]
    store.release()


async def test_only_changed_content_is_parsed(
    root: Path, settings: IndexSettings, parsed: list[RelPath]
) -> None:
    store = Store.at(root, settings)
    await build(store)
    assert sorted(parsed) == [A, B]
    parsed.clear()

    (root / A).write_text("def changed(): ...\n", encoding="utf-8")
    (root / "moved.py").write_text(TEXTS[B], encoding="utf-8")
    (root / B).unlink()
    await refresh(store, None)
    assert parsed == [A]
    assert [s.path for s in store.current.definitions("g")] == ["moved.py"]
    assert store.current.definitions("f") == []

    parsed.clear()
    write_files(root, TEXTS)
    (root / "moved.py").unlink()
    await refresh(store, None)
    assert parsed == []
    assert [s.path for s in store.current.definitions("f")] == [A]
    store.release()


async def test_a_change_within_one_tick_of_the_clock_is_seen(root: Path, settings: IndexSettings) -> None:
    store = Store.at(root, settings)
    (root / A).write_text("def one(): pass\n", encoding="utf-8")
    await build(store)
    stamp = (root / A).stat().st_mtime_ns
    (root / A).write_text("def two(): pass\n", encoding="utf-8")
    os.utime(root / A, ns=(stamp, stamp))
    await refresh(store, {A})
    assert store.current.definitions("one") == []
    assert [s.path for s in store.current.definitions("two")] == [A]
    store.release()


async def test_hints_bring_new_changed_and_lost_files(root: Path, settings: IndexSettings) -> None:
    store = Store.at(root, settings)
    await build(store)
    new = RelPath("pkg/new.py")
    write_files(root, {new: "def fresh(): ...\n", A: "def other(): ...\n"})
    (root / NOTES).unlink()
    await refresh(store, {new, A, NOTES})
    assert [s.path for s in store.current.definitions("fresh")] == [new]
    assert [s.path for s in store.current.definitions("other")] == [A]
    assert list(store.current.paths()) == [A, B, new]
    assert {p for p, row in store.cache.manifest().items() if row.digest} == {A, B, new}
    store.release()


async def test_a_folder_that_is_lost_takes_its_files_along(root: Path, settings: IndexSettings) -> None:
    store = Store.at(root, settings)
    await build(store)
    shutil.rmtree(root / "pkg")
    await refresh(store, {RelPath("pkg")})
    assert list(store.current.paths()) == [A, NOTES]
    store.release()


async def test_a_folder_that_is_new_brings_its_files(root: Path, settings: IndexSettings) -> None:
    store = Store.at(root, settings)
    await build(store)
    write_files(root, {RelPath("new/deep/c.py"): "def c(): ...\n"})
    await refresh(store, {RelPath("new")})
    assert [s.path for s in store.current.definitions("c")] == ["new/deep/c.py"]
    store.release()


async def test_other_ignore_rules_are_obeyed_at_once(root: Path, settings: IndexSettings) -> None:
    store = Store.at(root, settings)
    await build(store)
    write_files(root, {RelPath(".gitignore"): "pkg/\n*.log\n", RelPath("x.log"): "x\n"})
    await refresh(store, {RelPath(".gitignore"), RelPath("x.log")})
    assert list(store.current.paths()) == [".gitignore", A, NOTES]
    write_files(root, {RelPath("y.log"): "y\n", RelPath("pkg/c.py"): "c = 1\n"})
    await refresh(store, {RelPath("y.log"), RelPath("pkg/c.py")})
    assert list(store.current.paths()) == [".gitignore", A, NOTES]
    store.release()


async def test_a_workspace_that_is_gone_has_no_files(root: Path, settings: IndexSettings) -> None:
    store = Store.at(root, settings)
    await build(store)
    shutil.rmtree(root)
    await refresh(store, None)
    assert list(store.current.paths()) == []
    assert store.current.definitions("f") == []
    store.release()


async def test_a_file_that_vanishes_before_it_is_read_is_left_out(
    root: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = build_module.swept

    def swept(*args: object) -> object:
        plan = original(*args)  # type: ignore[arg-type]
        (root / A).unlink()
        return plan

    monkeypatch.setattr(build_module, "swept", swept)
    store = Store.at(root, settings)
    await build(store)
    assert list(store.current.paths()) == [NOTES, B]
    store.release()


async def test_what_cannot_be_read_is_skipped_with_a_reason(root: Path, settings: IndexSettings) -> None:
    (root / "odd.py").write_bytes(b"a\0b")
    (root / "link.py").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe.py")
    store = Store.at(root, settings)
    await build(store)
    assert store.current.skipped[RelPath("odd.py")] == "binary"
    assert set(store.current.paths()) == set(TEXTS)
    assert not store.current.has(RelPath("pipe.py"))
    store.release()


async def test_an_open_document_gives_its_facts_when_saved(
    root: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.at(root, settings)
    await build(store)
    text = "def saved(): ...\n" * 9000  # too long for this process, were it not open
    store.open(A, text, 1)
    store.current.facts(A)
    (root / A).write_text(text, encoding="utf-8")

    async def no_pool(*_: object, **__: object) -> list[pool.Job]:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(pool, "run_pool", no_pool)
    await refresh(store, {A})
    store.close(A)
    assert len(store.current.definitions("saved", limit=10_000)) == 9000
    store.release()


@pytest.mark.slow
async def test_workers_and_this_process_find_the_same(tmp_path: Path, settings: IndexSettings) -> None:
    root = tmp_path / "w"
    write_files(root, many())
    by_workers, here = Store.at(root, settings), Store(root, Cache(None))
    one, other = await build(by_workers), await build(here)
    assert (one.files, one.definitions, one.references, one.languages) == (
        other.files, other.definitions, other.references, other.languages,
    )  # fmt: skip
    for i in range(60):
        assert by_workers.current.definitions(f"f{i}") == here.current.definitions(f"f{i}") != []
        assert by_workers.current.using(f"g{i}") == here.current.using(f"g{i}") != []
    by_workers.release()


@pytest.mark.slow
async def test_two_builders_of_one_workspace_do_not_harm_each_other(
    tmp_path: Path, settings: IndexSettings
) -> None:
    root = tmp_path / "w"
    write_files(root, many())
    stores = [Store.at(root, settings) for _ in range(2)]
    reports = await asyncio.gather(*(build(store) for store in stores))
    assert reports[0].definitions == reports[1].definitions == 120
    for store in stores:
        assert all(store.current.definitions(f"f{i}") for i in range(60))
        assert not store.cache.broken
        store.release()


@pytest.mark.slow
async def test_cancelling_leaves_what_was_done_and_no_process(
    tmp_path: Path, settings: IndexSettings
) -> None:
    root = tmp_path / "w"
    write_files(root, many(200))
    store = Store.at(root, settings)
    begun = asyncio.Event()

    def begin(_done: int, _total: int) -> None:
        begun.set()

    task = asyncio.create_task(build(store, progress=begin))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not store.current.complete
    assert len(store.cache.manifest()) > 0
    await build(store)
    assert all(store.current.definitions(f"f{i}") for i in range(200))
    store.release()


@pytest.mark.slow
async def test_answers_come_before_the_index_is_complete(tmp_path: Path, settings: IndexSettings) -> None:
    root = tmp_path / "w"
    write_files(root, many(200))
    store = Store.at(root, settings)
    seen: list[tuple[bool, int, bool]] = []

    def look(_done: int, _total: int) -> None:
        snapshot = store.current
        facts = snapshot.facts(RelPath("m7.py"))
        found, _ = grep(snapshot, "class C7:")
        seen.append((snapshot.complete, len(found), facts is not None and len(facts.definitions) == 2))

    await build(store, progress=look)
    assert set(seen) == {(False, 1, True)}
    store.release()


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 2, 3])
async def test_a_killed_server_leaves_a_usable_index(
    tmp_path: Path, settings: IndexSettings, steps: int
) -> None:
    root = tmp_path / "w"
    write_files(root, many(300))
    command = [sys.executable, str(HERE / "slow_build.py"), str(root), settings.cache_dir]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(steps):
        assert await process.stdout.readline()
    process.kill()
    await process.wait()
    store = Store.at(root, settings)
    assert store.cache.database is not None
    with sqlite3.connect(store.cache.database) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()
    report = await build(store)
    assert (report.files, report.definitions) == (300, 600)
    assert all(store.current.definitions(f"f{i}") for i in range(300))
    store.release()

"""Workers are watched: what kills or hangs them is skipped, and they never outlive the server."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.index import pool
from qwen_lsp.index.build import build
from qwen_lsp.index.pool import Found, Job, Limits, run_pool
from qwen_lsp.index.scan import plain_stat
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import write_files
from tests.syntax.test_fixtures import DATA, source_of

HOSTILE = (sys.executable, str(Path(__file__).parent / "hostile_worker.py"))
pytestmark = pytest.mark.slow


def project(root: Path, *odd: str) -> list[Job]:
    paths = [RelPath(f"m{i}.py") for i in range(20)] + [RelPath(name) for name in odd]
    write_files(root, dict.fromkeys(paths, "def f(): pass\n"))
    return [Job(path, stat) for path in sorted(paths) if (stat := plain_stat(root, path))]


@pytest.mark.parametrize("odd", ["kills.py", "hangs.py", "burns.py"])
async def test_a_file_that_ends_its_worker_is_the_only_one_lost(tmp_path: Path, odd: str) -> None:
    jobs = project(tmp_path / "w", odd)
    found: list[Found] = []
    left = await run_pool(
        tmp_path / "w",
        tmp_path / "index.sqlite",
        jobs,
        Limits(max_bytes=10**6, workers=1, file_seconds=0.4),
        found.append,
        command=HOSTILE,
    )
    assert left == []
    assert [job.path for each in found for job in each.poison] == [odd]
    assert len({file.path for each in found for file in each.files}) == 20


async def test_a_file_that_a_grammar_does_not_get_over_is_indexed_as_far_as_possible(tmp_path: Path) -> None:
    root = tmp_path / "w"
    project(root)
    _, kotlin = source_of(DATA / "kotlin.txt")
    endless = kotlin.replace("}\n\n    private fun", "#}\n\n    private fun")
    write_files(root, {RelPath("endless.kt"): endless})
    store = Store.at(root, IndexSettings(cache_dir=str(tmp_path / "cache"), workers=1))
    await build(store)
    facts = store.current.facts(RelPath("endless.kt"))
    store.release()
    assert store.current.skipped == {}
    assert facts is not None
    assert facts.has_errors
    assert facts.definitions


async def test_a_parser_that_never_works_is_given_up_soon(tmp_path: Path) -> None:
    jobs = project(tmp_path / "w", *(f"kills{i}.bad" for i in range(40)))
    found: list[Found] = []
    limits = Limits(max_bytes=10**6, workers=1)
    left = await run_pool(
        tmp_path / "w", tmp_path / "index.sqlite", jobs, limits, found.append, command=HOSTILE
    )
    assert left == []
    assert [len(each.poison) for each in found if each.poison] == [1] * 7 + [33]
    assert len({file.path for each in found for file in each.files}) == 20


async def test_poison_is_remembered(tmp_path: Path) -> None:
    root, settings = tmp_path / "w", IndexSettings(cache_dir=str(tmp_path / "cache"))
    project(root, "kills.py")
    for path in root.iterdir():
        os.utime(path, (1, 1))
    odd = RelPath("kills.py")
    for _ in range(2):  # the second time no worker is started for it
        store = Store.at(root, settings)
        report = await build(store, command=HOSTILE)
        store.release()
        assert store.current.skipped == {odd: pool.POISON}
        assert report.skipped == {pool.POISON: 1}
        assert report.files == 20


@pytest.mark.parametrize(
    "command",
    [
        ("/no/such/program",),
        (sys.executable, "-c", "print('nonsense')"),
        (sys.executable, "-c", "raise SystemExit"),
    ],
)
async def test_without_workers_this_process_does_the_work(tmp_path: Path, command: tuple[str, ...]) -> None:
    root = tmp_path / "w"
    project(root)
    store = Store.at(root, IndexSettings(cache_dir=str(tmp_path / "cache")))
    report = await build(store, command=command)
    assert report.files == report.definitions == 20
    store.release()


async def test_a_worker_that_cannot_write_is_no_reason_to_lose_files(tmp_path: Path) -> None:
    jobs = project(tmp_path / "w")
    (tmp_path / "index.sqlite").mkdir()
    found: list[Found] = []
    limits = Limits(max_bytes=10**6, workers=2)
    left = await run_pool(tmp_path / "w", tmp_path / "index.sqlite", jobs, limits, found.append)
    assert sorted(job.path for job in left) == sorted(job.path for job in jobs)
    assert found == []


async def test_a_worker_ends_with_the_server(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *pool.COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(20):
        assert await process.wait() != 0


async def test_batches_keep_the_order_and_share_the_work(tmp_path: Path) -> None:
    jobs = [Job(RelPath(f"{i:03}"), disk.Stat(10_000 if i else 0, 0)) for i in range(100)]
    found: list[Found] = []
    root = tmp_path / "nowhere"
    assert await run_pool(root, tmp_path / "i.sqlite", jobs, Limits(10**6, 1), found.append) == []
    assert [path for each in found for path in each.gone] == [job.path for job in jobs]
    assert len(found) > 3


async def test_a_worker_that_was_fed_enough_makes_room_for_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_MOST_FED", 100_000)
    started: list[int] = []
    original = pool._start  # pyright: ignore[reportPrivateUsage]

    async def start(*args: Any) -> Any:
        worker = await original(*args)
        assert worker is not None
        started.append(worker.pid)
        return worker

    monkeypatch.setattr(pool, "_start", start)
    jobs = [Job(RelPath(f"{i:03}"), disk.Stat(30_000, 0)) for i in range(10)]
    found: list[Found] = []
    assert await run_pool(tmp_path / "w", tmp_path / "i.sqlite", jobs, Limits(10**6, 1), found.append) == []
    assert [path for each in found for path in each.gone] == [job.path for job in jobs]
    assert len(set(started)) > 1

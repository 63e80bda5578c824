"""Several processes, one index: the work is done once, and none waits for one that is dead or stuck."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.index import cache as cache_module
from qwen_lsp.index import turns
from qwen_lsp.index.build import build
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.pool import Found, Job
from qwen_lsp.index.scan import plain_stat
from qwen_lsp.index.store import Store
from qwen_lsp.index.tables import Scanned
from qwen_lsp.index.turns import Turn, turn
from qwen_lsp.settings import IndexSettings
from qwen_lsp.workspace.paths import RelPath
from tests.index.test_build import age
from tests.support.fixture import write_files

HERE = Path(__file__).parent
COUNT = 400


def texts(first: int, count: int, word: str = "g") -> dict[RelPath, str]:
    body = "    return {word}{n}()\n\n\ndef other_{word}_{n}(): ...\n"
    return {
        RelPath(f"p{n % 7}/m{n}.py"): f"def f_m{n}():\n" + body.format(word=word, n=n) * 20
        for n in range(first, first + count)
    }


# -- the lock ------------------------------------------------------------------------------------------


def test_one_holds_it_and_the_next_has_it_at_once(tmp_path: Path) -> None:
    one, other = Turn(tmp_path / "x.sqlite"), Turn(tmp_path / "x.sqlite")
    assert one.take()
    assert one.take()
    assert not other.take()
    one.give_back()
    assert other.take()
    other.give_back()


def test_versions_have_a_lock_each(tmp_path: Path) -> None:
    one, other = Turn(tmp_path / "index-1.sqlite"), Turn(tmp_path / "index-2.sqlite")
    assert one.take()
    assert other.take()
    one.give_back()
    other.give_back()


@pytest.mark.skipif(sys.platform == "win32", reason="another call there")
def test_where_there_are_no_locks_everybody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Turn(tmp_path / "no such folder" / "x.sqlite").take()

    def flock(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks on this share")

    monkeypatch.setattr(turns.fcntl, "flock", flock)
    one, other = Turn(tmp_path / "x.sqlite"), Turn(tmp_path / "x.sqlite")
    assert one.take()
    assert other.take()
    one.give_back()
    other.give_back()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path / "w", texts(0, 30))
    age(tmp_path / "w")
    return tmp_path / "w"


def jobs_of(root: Path) -> list[Job]:
    paths = sorted(RelPath(path.relative_to(root).as_posix()) for path in root.rglob("*.py"))
    return [Job(path, stat) for path in paths if (stat := plain_stat(root, path)) is not None]


def row(job: Job) -> Scanned:
    return Scanned(job.path, job.stat.size, job.stat.mtime_ns, "d", "python")


async def test_rows_of_others_are_taken_over_while_waiting(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_PAUSE", 0.01)
    cache = Cache.open(root, tmp_path / "cache")
    assert cache.database is not None
    holder, jobs = Turn(cache.database), jobs_of(root)
    assert holder.take()
    reported: list[RelPath] = []
    heard = asyncio.Event()

    def report(found: Found) -> None:
        reported.extend(file.path for file in found.files)
        heard.set()

    async def wait() -> list[Job]:
        async with turn(cache, jobs, report) as left:
            assert not holder.take()
            return left

    waiting = asyncio.create_task(wait())
    cache.write([row(job) for job in jobs[:10]])
    await heard.wait()
    assert not waiting.done()
    holder.give_back()
    assert await waiting == jobs[10:]
    assert reported == [job.path for job in jobs[:10]]
    cache.close()


async def test_rows_that_came_before_the_turn_are_not_made_again(root: Path, tmp_path: Path) -> None:
    cache, jobs = Cache.open(root, tmp_path / "cache"), jobs_of(root)
    cache.write([row(job) for job in jobs])
    async with turn(cache, jobs, lambda found: None) as left:
        assert left == []
    cache.close()


async def test_nobody_waits_for_a_holder_that_stands_still(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_PAUSE", 0.01)
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    cache = Cache.open(root, tmp_path / "cache")
    assert cache.database is not None
    holder, jobs = Turn(cache.database), jobs_of(root)
    assert holder.take()
    async with turn(cache, jobs, lambda found: None) as left:
        assert left == jobs
    holder.give_back()
    cache.close()


async def test_a_database_that_another_process_replaced_is_not_replaced_again(
    root: Path, tmp_path: Path
) -> None:
    settings = IndexSettings(cache_dir=str(tmp_path / "cache"))
    one, other = Store.at(root, settings), Store.at(root, settings)
    await build(one)
    await build(other)
    one.cache.broken = other.cache.broken = True
    one.cache.heal()
    await build(one)
    assert one.cache.database is not None
    number = one.cache.database.stat().st_ino
    other.cache.heal()
    assert one.cache.database.stat().st_ino == number
    await build(other)
    assert other.current.definitions("f_m7") == one.current.definitions("f_m7") != []
    one.release()
    other.release()


def test_versions_do_not_share_a_database(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Cache.open(root, tmp_path / "cache")
    monkeypatch.setattr(cache_module, "fingerprint", lambda: "another")
    other = Cache.open(root, tmp_path / "cache")
    assert None is not one.database != other.database is not None
    one.close()
    other.close()


# -- processes -----------------------------------------------------------------------------------------


class Window:
    """One process that indexes, as an editor's window would have."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.pid = process.pid

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(120):
            return (await self.process.stdout.readline()).decode()

    async def begun(self) -> int:
        line = await self.line()
        assert line.startswith("begun "), line
        return int(line.split()[1])

    async def told(self) -> dict[str, Any]:
        while (line := await self.line()).startswith("begun"):
            pass
        return json.loads(line)

    def sweep(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")


class Workspace:
    """A folder, its index, and the log of what was parsed."""

    def __init__(self, folder: Path) -> None:
        self.root, self.cache, self.log = folder / "w", folder / "cache", folder / "parsed"

    @asynccontextmanager
    async def window(self) -> AsyncGenerator[Window]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "shared_build.py"), str(self.root), str(self.cache),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 24,
            env={**os.environ, "COUNTING_LOG": str(self.log)},
        )  # fmt: skip
        try:
            yield Window(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def parsed(self) -> Counter[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(line.split(" ", 1)[1] for line in lines)

    def check(self, told: dict[str, Any]) -> None:
        """Whether what a window says is what is on disk."""
        on_disk = {p.relative_to(self.root).as_posix() for p in self.root.rglob("*.py")}
        assert told["complete"]
        assert told["on_disk"]
        assert set(told["files"]) == on_disk
        assert all(told["files"].values())
        assert told["defined"] == {Path(path).stem: [path] for path in on_disk}

    def check_database(self) -> None:
        (database,) = self.cache.rglob("*.sqlite")
        connection = sqlite3.connect(database)
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        connection.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path)
    write_files(made.root, texts(0, COUNT))
    age(made.root)
    return made


@pytest.mark.slow
async def test_two_windows_at_once_parse_each_file_once(workspace: Workspace) -> None:
    async with workspace.window() as one, workspace.window() as other:
        told = await asyncio.gather(one.told(), other.told())
        for window in told:
            workspace.check(window)
        assert told[0]["files"] == told[1]["files"]
        parsed = workspace.parsed()
        assert len(parsed) == COUNT
        assert parsed.total() == COUNT
    workspace.check_database()


@pytest.mark.slow
async def test_when_one_is_killed_the_other_goes_on(workspace: Workspace) -> None:
    async with workspace.window() as one:
        await one.begun()
        async with workspace.window() as other:
            one.process.send_signal(signal.SIGKILL)
            await one.process.wait()
            workspace.check(await other.told())
        # A batch that was under way is the most that is done twice.
        parsed = workspace.parsed()
        assert len(parsed) == COUNT
        assert parsed.total() <= COUNT + 96
    workspace.check_database()


@pytest.mark.slow
async def test_one_that_is_stopped_keeps_nobody_waiting_for_ever(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workspace.window() as one:
        await one.begun()
        one.process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(turns, "PATIENCE", 0.2)
        store = Store.at(workspace.root, IndexSettings(cache_dir=str(workspace.cache), workers=1))
        async with asyncio.timeout(120):
            await build(store)
        assert all(store.current.definitions(f"f_m{n}") for n in range(COUNT))
        store.release()
    workspace.check_database()


@pytest.mark.slow
async def test_two_windows_in_one_storm(workspace: Workspace) -> None:
    async with workspace.window() as one, workspace.window() as other:
        await asyncio.gather(one.told(), other.told())
        for turn_of in range(4):
            write_files(workspace.root, texts(turn_of * 50, 150, f"h{turn_of}_"))
            for path in list(texts(turn_of * 10 + 300, 10)):
                (workspace.root / path).unlink()
            one.sweep()
            other.sweep()
            # The storm goes on while both look; what they say now may be anything that was.
            write_files(workspace.root, texts(1000 + turn_of * 40, 40))
            await asyncio.gather(one.told(), other.told())
        one.sweep()
        other.sweep()
        for told in await asyncio.gather(one.told(), other.told()):
            workspace.check(told)
    workspace.check_database()

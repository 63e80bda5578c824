"""Hints from the real file system: what is named, what is left out, when everything is meant."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qwen_lsp.workspace import inotify, watch
from qwen_lsp.workspace.hints import Hints
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.watch import Watcher

HERE = Path(__file__).parent
_LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")
QUEUE = int(_LIMIT.read_text()) if _LIMIT.exists() else 0


class Heard:
    """The hints so far, and a way to wait for one."""

    def __init__(self) -> None:
        self.hints: list[Hints] = []
        self._news = asyncio.Event()

    def __call__(self, hints: Hints) -> None:
        self.hints.append(hints)
        self._news.set()

    async def until(self, wanted: str | None) -> None:
        """Wait for a hint about `wanted`; None waits for a hint about everything."""
        async with asyncio.timeout(20):
            while not any(h is None if wanted is None else h is not None and wanted in h for h in self.hints):
                self._news.clear()
                await self._news.wait()

    @property
    def paths(self) -> set[RelPath]:
        return {path for hints in self.hints if hints is not None for path in hints}


@pytest.fixture(params=["inotify", "watchdog"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to be told, on a system that has both."""
    if request.param == "watchdog":
        monkeypatch.setattr(inotify, "available", lambda: False)
    elif not inotify.available():
        pytest.skip("no inotify here")
    return request.param


@pytest.fixture
async def heard(tmp_path: Path, source: str) -> AsyncIterator[Heard]:
    (tmp_path / ".git").mkdir()
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "pkg").mkdir()
    heard = Heard()
    watcher = Watcher(tmp_path, heard)
    watcher.start()
    await heard.until(None)  # from here on nothing is missed
    heard.hints.clear()
    yield heard
    watcher.stop()


async def test_written_and_removed_files_are_named(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a")
    await heard.until("a.py")
    heard.hints.clear()
    (tmp_path / "a.py").unlink()
    await heard.until("a.py")


async def test_a_folder_is_not_named_for_a_file_in_it(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "pkg" / "a.py").write_text("a")
    await heard.until("pkg/a.py")
    heard.hints.clear()
    (tmp_path / "pkg" / "a.py").write_text("b")
    await heard.until("pkg/a.py")
    assert heard.paths == {"pkg/a.py"}


async def test_both_ends_of_a_move_are_named(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a")
    await heard.until("a.py")
    heard.hints.clear()
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    await heard.until("b.py")
    await heard.until("a.py")


async def test_a_file_moved_over_another_is_named(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a")
    (tmp_path / "a.py.tmp").write_text("b")
    await heard.until("a.py.tmp")
    heard.hints.clear()
    (tmp_path / "a.py.tmp").replace(tmp_path / "a.py")
    await heard.until("a.py")


async def test_new_folders_are_watched(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "new" / "deep").mkdir(parents=True)
    await heard.until("new")
    heard.hints.clear()
    (tmp_path / "new" / "deep" / "a.py").write_text("a")
    await heard.until("new/deep/a.py")


async def test_a_moved_folder_goes_by_its_new_name(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "pkg" / "inner").mkdir()
    await heard.until("pkg/inner")
    (tmp_path / "pkg").rename(tmp_path / "lib")
    await heard.until("pkg")
    await heard.until("lib")
    heard.hints.clear()
    (tmp_path / "lib" / "inner" / "a.py").write_text("a")
    await heard.until("lib/inner/a.py")


async def test_repositories_and_dependencies_are_left_out(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / ".git" / "COMMIT_EDITMSG").write_text("x")
    (tmp_path / "node_modules" / "x.js").write_text("x")
    (tmp_path / "last.py").write_text("x")
    await heard.until("last.py")
    assert heard.paths == {"last.py"}


async def test_a_branch_switch_means_everything(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/other\n")
    await heard.until(None)


async def test_what_git_tracks_is_hinted_at(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / ".git" / "index.lock").write_text("x")
    (tmp_path / ".git" / "index.lock").rename(tmp_path / ".git" / "index")
    await heard.until(".git/index")


async def test_a_storm_wakes_its_listener_seldom(heard: Heard, tmp_path: Path) -> None:
    for number in range(3_000):
        (tmp_path / f"{number}.py").touch()
    (tmp_path / "last").touch()
    await heard.until(None)
    assert len(heard.hints) < 300


async def test_a_watcher_stopped_at_once_says_nothing(tmp_path: Path, source: str) -> None:
    heard = Heard()
    watcher = Watcher(tmp_path, heard)
    watcher.start()
    watcher.stop()
    (tmp_path / "a.py").touch()
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "watcher"))
    assert heard.hints == []


async def test_without_watches_everything_is_looked_at_now_and_then(
    tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL", 0.01)
    heard = Heard()
    watcher = Watcher(tmp_path / "missing", heard)
    watcher.start()
    await heard.until(None)
    assert watcher.polling
    watcher.stop()
    assert not watcher.polling
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "watcher"))


async def test_a_workspace_that_comes_back_is_watched_again(
    tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL", 0.05)
    root = tmp_path / "w"
    root.mkdir()
    heard = Heard()
    watcher = Watcher(root, heard)
    watcher.start()
    await heard.until(None)
    shutil.rmtree(root)
    heard.hints.clear()
    await heard.until(None)
    root.mkdir()
    async with asyncio.timeout(20):
        while watcher.polling:
            heard.hints.clear()
            await heard.until(None)
    (root / "a.py").write_text("a")
    await heard.until("a.py")
    watcher.stop()
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "watcher"))


@pytest.mark.slow
@pytest.mark.skipif(not inotify.available(), reason="no inotify here")
async def test_events_that_the_kernel_dropped_mean_everything(tmp_path: Path) -> None:
    """A real overflow: the watching process stands still while more happens than the queue holds."""
    root = tmp_path / "w"
    (root / "pkg").mkdir(parents=True)
    command = [sys.executable, str(HERE / "hear.py"), str(root)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None

    async def until(wanted: bytes) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while await process.stdout.readline() != wanted + b"\n":
                pass

    try:
        await until(b"everything")
        process.send_signal(signal.SIGSTOP)
        for _ in range(QUEUE // 2 + 100):  # a name each time, so that no two events are one
            os.rename(root / "pkg", root / "lib")  # noqa: PTH104
            os.rename(root / "lib", root / "pkg")  # noqa: PTH104
        (root / "born").mkdir()  # of this nothing is told
        process.send_signal(signal.SIGCONT)
        await until(b"everything")
        (root / "born" / "a.py").touch()
        await until(b"born/a.py")
    finally:
        process.kill()
        await process.wait()

"""Hints from the real file system: what is named, what is left out, when everything is meant."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qwen_lsp.workspace import watch
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.watch import Hints, Watcher


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
        async with asyncio.timeout(10):
            while not any(h is None if wanted is None else h is not None and wanted in h for h in self.hints):
                self._news.clear()
                await self._news.wait()

    @property
    def paths(self) -> set[RelPath]:
        return {path for hints in self.hints if hints is not None for path in hints}


@pytest.fixture
async def heard(tmp_path: Path) -> AsyncIterator[Heard]:
    (tmp_path / ".git").mkdir()
    (tmp_path / "node_modules").mkdir()
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


async def test_a_folder_is_not_named_for_a_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_text("a")
    heard = Heard()
    watcher = Watcher(tmp_path, heard)
    watcher.start()
    await heard.until(None)
    (tmp_path / "pkg" / "a.py").write_text("b")
    await heard.until("pkg/a.py")
    watcher.stop()
    assert heard.paths == {"pkg/a.py"}


async def test_both_ends_of_a_move_are_named(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a")
    await heard.until("a.py")
    heard.hints.clear()
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    await heard.until("b.py")
    assert "a.py" in heard.paths


async def test_repositories_and_dependencies_are_left_out(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / ".git" / "COMMIT_EDITMSG").write_text("x")
    (tmp_path / "node_modules" / "x.js").write_text("x")
    (tmp_path / "last.py").write_text("x")
    await heard.until("last.py")
    assert heard.paths == {"last.py"}


async def test_a_branch_switch_means_everything(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/other\n")
    await heard.until(None)


async def test_a_storm_means_everything(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST_PATHS", 20)
    for number in range(60):
        (tmp_path / f"{number}.py").write_text("x")
    await heard.until(None)


async def test_a_storm_wakes_the_loop_seldom(heard: Heard, tmp_path: Path) -> None:
    for number in range(3_000):
        (tmp_path / f"{number}.py").touch()
    (tmp_path / "last").touch()
    await heard.until(None)
    assert len(heard.hints) < 30


async def test_a_watcher_stopped_at_once_says_nothing(tmp_path: Path) -> None:
    heard = Heard()
    watcher = Watcher(tmp_path, heard)
    watcher.start()
    watcher.stop()
    (tmp_path / "a.py").touch()
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "watcher"))
    assert heard.hints == []


async def test_dropped_events_mean_everything(heard: Heard) -> None:
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed; events were lost")
    await heard.until(None)


async def test_without_watches_everything_is_looked_at_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL", 0.01)
    heard = Heard()
    watcher = Watcher(tmp_path / "missing", heard)
    watcher.start()
    await heard.until(None)
    assert watcher.polling
    watcher.stop()
    assert not watcher.polling

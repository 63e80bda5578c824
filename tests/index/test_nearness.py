"""What is read first when an index is made, and what is known before it is complete."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from qwen_lsp.index import build as build_module
from qwen_lsp.index.build import attend, build, refresh
from qwen_lsp.index.nearness import around, ranked, recently_changed
from qwen_lsp.index.plan import Plan, swept
from qwen_lsp.index.pool import Job, Queue
from qwen_lsp.index.references import references
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings
from qwen_lsp.workspace.disk import Stat
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import indexed_workspace, write_files
from tests.workspace.trees import git

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
OPEN, IMPORTED, BESIDE = RelPath("app/main.py"), RelPath("lib/far/used.py"), RelPath("app/other.py")
TREE = {
    OPEN: "from lib.far.used import helper\nhelper()\n",
    BESIDE: "def beside(): return helper()\n",
    IMPORTED: "def helper(): ...\n",
    RelPath("lib/far/unused.py"): "def unused(): ...\n",
    RelPath("app/deep/inner.py"): "def inner(): ...\n",
    RelPath("zoo.py"): "def zoo(): return helper()\n",
}


def jobs(paths: Sequence[str], size: int = 10) -> list[Job]:
    return [Job(RelPath(path), Stat(size, place % 2, place)) for place, path in enumerate(paths)]


def age(root: Path) -> None:
    for path in root.rglob("*"):
        os.utime(path, ns=(10**18, 10**18))


async def test_the_open_file_its_imports_its_folder_recent_ones_and_then_by_distance(tmp_path: Path) -> None:
    write_files(tmp_path, TREE)
    store = Store.at(tmp_path, IndexSettings(cache_dir=str(tmp_path / ".cache")))
    store.open(OPEN, TREE[OPEN], 1)
    plan = swept(store.current, store.settings, store.cache)
    store.apply_disk(plan.changes)  # before any of them was read
    near = around(store.current, [OPEN])
    assert near == [OPEN, IMPORTED, BESIDE]
    order = [job.path for job in ranked(plan.jobs, [OPEN], near, [RelPath("zoo.py")])]
    assert order == [OPEN, IMPORTED, BESIDE, "zoo.py", "app/deep/inner.py", "lib/far/unused.py"]
    store.release()


@needs_git
def test_what_the_last_commits_changed_is_recent(tmp_path: Path) -> None:
    write_files(tmp_path, TREE)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "everything")
    for path in ("zoo.py", "app/deep/inner.py"):
        (tmp_path / path).write_text("changed = 1\n", encoding="utf-8")
        git(tmp_path, "commit", "-qam", f"change {path}")
    assert recently_changed(tmp_path, []) == ["app/deep/inner.py", "zoo.py"]
    assert recently_changed(tmp_path / "app", []) == ["deep/inner.py"]


@needs_git
def test_asking_for_the_last_commits_runs_nothing_of_the_repositorys(tmp_path: Path) -> None:
    write_files(tmp_path, {RelPath("a.py"): "x = 1\n"})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    (tmp_path / ".gitattributes").write_text("* diff=t filter=t\n", encoding="utf-8")
    for key in ("diff.t.textconv", "diff.t.command", "diff.external", "filter.t.clean", "gpg.program",
                "core.pager", "core.fsmonitor", "core.sshCommand"):  # fmt: skip
        git(tmp_path, "config", key, str(trap))
    for key in ("log.showSignature", "log.showRoot"):
        git(tmp_path, "config", key, "true")
    (tmp_path / "a.py").write_text("x = 2\n", encoding="utf-8")
    recently_changed(tmp_path, [])
    assert not (tmp_path / "sprung").exists()


def test_without_git_what_was_written_last_is_recent(tmp_path: Path) -> None:
    assert recently_changed(tmp_path, jobs(["a", "b", "c"])) == ["c", "b", "a"]


def test_a_file_moves_to_the_front_of_the_queue_once() -> None:
    queue = Queue(jobs([f"{i}.py" for i in range(1000)], size=5_000), workers=1)
    assert [job.path for batch in queue for job in batch] == [f"{i}.py" for i in range(1000)]
    given_out = {job.path for job in queue.popleft()}
    queue.promote([RelPath("900.py"), RelPath("0.py"), RelPath("400.py"), RelPath("none.py")])
    left = [job.path for batch in queue for job in batch]
    assert left[:2] == ["900.py", "400.py"]
    assert len(queue[0]) == 2
    assert sorted(left) == sorted({f"{i}.py" for i in range(1000)} - given_out)


def test_the_first_and_the_last_batches_are_small() -> None:
    queue = Queue(jobs([f"{i}.py" for i in range(2000)], size=5_000), workers=2)
    sizes = [sum(job.stat.size for job in batch) for batch in queue]
    assert sizes[0] <= 64 * 1024 < sizes[2] < max(sizes)
    assert max(sizes[-2:]) <= 64 * 1024


@pytest.mark.slow
async def test_what_is_opened_meanwhile_is_answered_before_the_index_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file opened last in order comes with its import and its folder long before the rest."""
    others = {RelPath(f"m{i:04}/file.py"): f"def f{i}(): ...\n" * 40 for i in range(600)}
    write_files(tmp_path / "w", {**others, **{RelPath(f"zz/{p}"): t for p, t in TREE.items()}})
    store = Store.at(tmp_path / "w", IndexSettings(cache_dir=str(tmp_path / "cache"), workers=1))
    opened, imported = RelPath(f"zz/{OPEN}"), RelPath(f"zz/{IMPORTED}")
    answers: list[tuple[int, bool]] = []
    brought = asyncio.Event()
    original = Queue.promote

    def promote(self: Queue, paths: Sequence[RelPath]) -> None:
        original(self, paths)
        if imported in paths:
            brought.set()

    monkeypatch.setattr(Queue, "promote", promote)

    def look(done: int, total: int) -> None:
        if not answers:
            assert done < total / 4
            store.open(opened, "from zz.lib.far.used import helper\nhelper()\n", 1)
        known = {site.path for site in store.current.definitions("helper")}
        found = store.current.files[imported].digest != "" and known == {imported}
        answers.append((done, found and bool(store.current.definitions("beside"))))

    monkeypatch.setattr("qwen_lsp.index.intake._APPLY_SECONDS", 0.0)
    await build(store, progress=look)
    assert brought.is_set()
    good = [done for done, found in answers if found]
    assert good[0] < 606
    assert store.current.complete
    store.release()


async def test_what_changed_around_the_open_file_is_known_before_the_disk_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reopened: the index kept from the last time answers at once, checked where somebody looks."""
    root, settings = tmp_path / "w", IndexSettings(cache_dir=str(tmp_path / "cache"))
    write_files(root, TREE)
    age(root)
    store = Store.at(root, settings)
    await build(store)
    store.release()
    write_files(root, {IMPORTED: "def helper(): ...\ndef added(): ...\n"})
    (root / BESIDE).unlink()

    store = Store.at(root, settings)
    store.open(OPEN, TREE[OPEN], 1)
    known = asyncio.Event()
    store.subscribe(lambda snapshot: known.set() if snapshot.definitions("added") else None)
    loop, original = asyncio.get_running_loop(), swept

    def late(*args: object) -> Plan:
        # In a thread: the sweep does not begin before an answer is there.
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(known.wait(), 20), loop).result()
        assert not store.current.complete
        assert not store.current.listed
        assert [s.path for s in store.current.definitions("zoo")] == ["zoo.py"]
        assert store.current.definitions("beside") == []
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(build_module, "swept", late)
    await build(store)
    assert store.current.listed
    assert [s.path for s in store.current.definitions("added")] == [IMPORTED]
    store.release()


async def test_above_the_limit_uses_are_kept_around_the_open_files(tmp_path: Path) -> None:
    root = tmp_path / "w"
    write_files(root, TREE)
    settings = IndexSettings(cache_dir=str(tmp_path / "cache"), references_up_to=3)
    store = Store.at(root, settings)
    await build(store)
    assert store.current.users("helper") == ([], False)
    store.open(OPEN, TREE[OPEN], 1)
    assert store.current.users("helper") == ([OPEN], False)
    await attend(store, OPEN)
    assert store.current.users("helper") == ([OPEN, BESIDE], False)
    # Asked for in earnest, all of them are found, in closed files as well.
    found = references(store.current, "helper")
    assert found == ([(OPEN, 0), (OPEN, 1), (BESIDE, 0), (IMPORTED, 0), ("zoo.py", 0)], True)
    assert references(store.current, "helper", seconds=0.0) == ([], False)

    # With a higher limit everything is kept, and with a lower one what is kept stays known.
    await build(store, settings.model_copy(update={"references_up_to": 100}))
    assert store.current.users("helper") == ([OPEN, BESIDE, "zoo.py"], True)
    await build(store, settings)
    assert store.current.users("helper") == ([OPEN, BESIDE, "zoo.py"], True)
    write_files(root, {RelPath("new.py"): "helper()\n"})
    await refresh(store, {RelPath("new.py")})
    assert "new.py" in store.current.using("helper")
    store.release()


async def test_contents_of_no_file_do_not_crowd_out_those_of_files(tmp_path: Path) -> None:
    w = await indexed_workspace("#- a.py\ndef f(): ...\n", tmp_path / "w")
    path = RelPath("a.py")
    for i in range(12):
        (w.root / path).write_text(f"def f(): ...\nx = {i}\n", encoding="utf-8")
        await refresh(w.store, {path})
    (w.root / path).write_text("def f(): ...\n", encoding="utf-8")  # the oldest content again
    await refresh(w.store, {path})
    assert [s.path for s in w.snapshot.definitions("f", limit=2)] == [path]


async def test_of_too_many_definitions_the_near_ones_are_given(tmp_path: Path) -> None:
    files = "".join(f"#- d{i:02}/x.py\ndef probe(): ...\nx = {i}\n" for i in range(40))
    w = await indexed_workspace(files, tmp_path / "w")
    near = [RelPath("d05/x.py"), RelPath("d31/x.py")]
    assert len(w.snapshot.definitions("probe")) == 40
    found = w.snapshot.definitions("probe", near=near, limit=3)
    assert len(found) == 3
    assert set(near) <= {site.path for site in found}

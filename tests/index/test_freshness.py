"""What changes on disk while the index looks elsewhere: nothing is lost, and no answer names what is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from qwen_lsp.context.pack import pack
from qwen_lsp.context.rank import rank
from qwen_lsp.context.render import Pack
from qwen_lsp.index import build as build_module
from qwen_lsp.index import search, tables
from qwen_lsp.index.build import build, refresh
from qwen_lsp.index.pool import Found, Job, Queue
from qwen_lsp.index.references import references
from qwen_lsp.index.scan import scan
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings
from qwen_lsp.workspace import git
from qwen_lsp.workspace.hints import GIT_INDEX
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.index.test_build import age
from tests.support.fixture import write_files

A, B, C = RelPath("a.py"), RelPath("pkg/b.py"), RelPath("c.py")
TEXTS = {A: "from pkg.b import helper\n\n\nhelper()\n", B: "def helper(): ...\n", C: "helper()\n"}


Act = Callable[[], Awaitable[object]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path / "w", TEXTS)
    age(tmp_path / "w")
    return tmp_path / "w"


def names(store: Store, name: str) -> list[RelPath]:
    return [site.path for site in store.current.definitions(name)]


def shown(packed: Pack) -> str:
    return "\n".join(part.text for part in packed.parts)


# -- what is gone --------------------------------------------------------------------------------------


async def test_no_answer_names_a_file_that_is_gone(root: Path, settings: IndexSettings) -> None:
    store = Store.at(root, settings)
    await build(store)
    snapshot, gate = store.current, Gate(root)
    offset = len(TEXTS[A])

    def packed() -> str:
        candidates = rank(snapshot, A, offset)
        return shown(pack(snapshot, candidates, budget=2000, count=len, gate=gate))

    assert "def helper" in packed()  # and its lines are remembered from now on
    assert names(store, "helper") == [B]
    assert references(snapshot, "helper").places != []
    noticed: list[RelPath] = []
    store.on_news = noticed.append
    (root / B).unlink()
    # The snapshot is the one from before; no refresh has taken place.
    assert names(store, "helper") == []
    assert search.symbols(snapshot, "help") == []
    assert search.glob(snapshot, "**/*.py") == [A, C]
    assert search.grep(snapshot, "def helper") == ([], True)
    assert {path for path, _ in references(snapshot, "helper").places} == {A, C}
    assert not snapshot.has(B)
    assert snapshot.facts(B) is None
    assert "def helper" not in packed()
    (root / C).unlink()
    assert snapshot.using("helper") == [A]
    assert set(noticed) == {B, C}
    store.release()


async def test_lines_of_a_file_that_changed_are_not_remembered_as_the_old_ones(
    root: Path, settings: IndexSettings
) -> None:
    store = Store.at(root, settings)
    text = "def turning(): return 'first'\n"
    write_files(root, {B: text})
    await build(store)
    noticed: list[RelPath] = []
    store.on_news = noticed.append
    write_files(root, {B: "# moved\n" * 5 + text.replace("first", "second")})

    def packed() -> str:
        snapshot = store.current
        candidates = rank(snapshot, A, 0, text="turning()\n")
        return shown(pack(snapshot, candidates, budget=2000, count=len, gate=Gate(root)))

    packed()
    await refresh(store, {B})
    assert "second" in store.current.text(B)
    write_files(root, {B: text})
    await refresh(store, {B})
    assert "# moved" not in packed()
    assert "def turning" in packed()
    store.release()


# -- same size, same time ------------------------------------------------------------------------------


@pytest.mark.parametrize("hints", [{A}, None], ids=["hinted", "swept"])
async def test_a_file_with_the_size_and_time_of_the_one_it_replaced(
    root: Path, settings: IndexSettings, hints: set[RelPath] | None
) -> None:
    store = Store.at(root, settings)
    write_files(root, {A: "def one(): ...\n"})
    old = 1_700_000_000_000_000_000
    os.utime(root / A, ns=(old, old))
    await build(store)
    write_files(root, {RelPath("a.tmp"): "def two(): ...\n"})
    os.utime(root / "a.tmp", ns=(old, old))
    (root / "a.tmp").replace(root / A)
    await refresh(store, None if hints is None else set(hints))
    assert names(store, "one") == []
    assert names(store, "two") == [A]
    write_files(root, {RelPath("older.tmp"): "def three(): ...\n"})
    os.utime(root / "older.tmp", ns=(old // 2, old // 2))
    (root / "older.tmp").replace(root / A)
    await refresh(store, None if hints is None else set(hints))
    assert names(store, "two") == []
    assert names(store, "three") == [A]
    store.release()


# -- beside a sweep ------------------------------------------------------------------------------------


@pytest.fixture
def halfway(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act], None]:
    """Do something in the middle of a sweep: it has listed, and read what it is about to put in."""

    def arrange(act: Act) -> None:
        async def run_pool(
            root: Path, database: Path, jobs: Queue, limits: object, report: Callable[[Found], None],
            *, command: object,
        ) -> list[Job]:  # fmt: skip
            del limits, command
            read = [
                scan(root, job.path, job.stat, known=lambda digest, language: None, max_bytes=10_000)
                for batch in jobs
                for job in batch
            ]
            await act()
            found = tuple(file for file in read if file is not None)
            connection = tables.connect(database)
            tables.write(connection, found)
            connection.close()
            report(Found(found))
            return []

        monkeypatch.setattr(build_module.pool, "run_pool", run_pool)

    return arrange


async def test_a_save_is_not_kept_waiting_by_a_sweep_and_not_undone_by_it(
    root: Path, settings: IndexSettings, halfway: Callable[[Act], None]
) -> None:
    write_files(root, {RelPath(f"m{n}.py"): f"def f{n}(): ...\n" for n in range(20)})
    store = Store.at(root, settings)

    async def act() -> None:
        write_files(root, {A: "def saved(): ...\n"})
        (root / C).unlink()
        shutil.rmtree(root / "pkg")
        assert store.indexing.locked()
        await refresh(store, {A, C, RelPath("pkg")})
        assert names(store, "saved") == [A]
        assert C not in store.current.files

    halfway(act)
    await build(store)
    assert names(store, "saved") == [A]
    assert C not in store.current.files
    assert B not in store.current.files
    assert names(store, "f7") == ["m7.py"]
    assert store.current.complete
    store.release()


async def test_a_hint_about_a_file_that_a_sweep_is_about_to_read_does_not_keep_it_out(
    root: Path, settings: IndexSettings, halfway: Callable[[Act], None]
) -> None:
    write_files(root, {RelPath(f"m{n}.py"): f"def f{n}(): ...\n" for n in range(20)})
    store = Store.at(root, settings)
    halfway(lambda: refresh(store, {RelPath("m7.py")}))
    await build(store)
    assert names(store, "f7") == ["m7.py"]
    store.release()


# -- branches ------------------------------------------------------------------------------------------


def run_git(root: Path, *args: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


@pytest.mark.skipif(git.executable() is None, reason="no git here")
async def test_the_index_of_git_is_looked_into_only_where_it_tracks_other_files(
    root: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_git(root, "init", "-q")
    write_files(root, {RelPath(".gitignore"): "out.py\n", RelPath("out.py"): "def out(): ...\n"})
    run_git(root, "add", ".")
    store = Store.at(root, settings)
    await build(store)
    sweeps: list[object] = []
    original = build_module.swept

    def swept(*args: object) -> object:
        sweeps.append(args)
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(build_module, "swept", swept)
    await refresh(store, {GIT_INDEX})
    run_git(root, "commit", "-qm", "one")
    await refresh(store, {GIT_INDEX})
    assert sweeps == []
    run_git(root, "add", "-f", "out.py")
    await refresh(store, {GIT_INDEX})
    assert names(store, "out") == ["out.py"]
    run_git(root, "rm", "-q", "--cached", "out.py")
    await refresh(store, {GIT_INDEX})
    assert names(store, "out") == []
    assert len(sweeps) == 2
    store.release()


@pytest.mark.skipif(git.executable() is None, reason="no git here")
async def test_another_branch_is_taken_in_by_one_sweep(root: Path, settings: IndexSettings) -> None:
    run_git(root, "init", "-q", "-b", "one")
    run_git(root, "add", ".")
    run_git(root, "commit", "-qm", "one")
    run_git(root, "checkout", "-q", "-b", "two")
    write_files(root, {A: "def other(): ...\n", RelPath("pkg/new/d.py"): "def new(): ...\n"})
    run_git(root, "rm", "-q", C)
    run_git(root, "add", ".")
    run_git(root, "commit", "-qm", "two")
    run_git(root, "checkout", "-q", "one")
    store = Store.at(root, settings)
    await build(store)
    run_git(root, "checkout", "-q", "two")
    await refresh(store, None)
    assert sorted(store.current.files) == [A, B, "pkg/new/d.py"]
    assert (names(store, "other"), names(store, "new")) == ([A], ["pkg/new/d.py"])
    run_git(root, "checkout", "-q", "one")
    await refresh(store, None)
    assert sorted(store.current.files) == [A, C, B]
    assert names(store, "other") == []
    store.release()

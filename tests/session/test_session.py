"""A workspace while it is open: indexed, kept current, reconfigured, closed without anything left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from qwen_lsp.layers import load
from qwen_lsp.session import Session
from qwen_lsp.settings import Settings
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import write_files

A, B = RelPath("a.py"), RelPath("b.py")
FILES = {A: "def alpha(): ...\n", B: "from a import alpha\nalpha()\n"}
TIME = 20.0


@asynccontextmanager
async def opened(
    root: Path, settings: Settings | None = None, *, indexed: bool = True
) -> AsyncGenerator[Session]:
    write_files(root, FILES)
    session = Session(root, settings or Settings(), indexed=indexed)
    try:
        yield session
    finally:
        async with asyncio.timeout(TIME):
            await session.aclose()
        assert {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} == set()


async def test_it_indexes_and_learns(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        steps: list[tuple[int, int]] = []
        await session.start(lambda done, total: steps.append((done, total)))
        assert session.snapshot.complete
        assert [site.path for site in session.snapshot.definitions("alpha")] == [A]
        assert session.report is not None
        assert session.report.files == 2
        async with asyncio.timeout(TIME):
            await session.taught()
        assert not session.learning
        suggestion = session.predictor.suggest("c.py", "from a import ")
        assert suggestion is None or suggestion.text == "alpha"


async def test_documents_flow_into_the_snapshot(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        await session.start()
        session.open(A, "def beta(): ...\n", 1)
        assert not session.snapshot.definitions("alpha")
        session.change(A, (TextEdit(Span(4, 8), "gamma"),), 2)
        assert [site.path for site in session.snapshot.definitions("gamma")] == [A]
        session.close(A)
        await session.refresh()
        assert session.snapshot.text(A) == FILES[A]
        assert session.snapshot.definitions("alpha")


async def test_the_file_touched_last_comes_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        for path in (A, B, A):
            session.touched(path)
        assert session.visits == ((A, None), (B, None))


async def test_where_a_document_was_edited_last_is_known_until_it_is_closed(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        session.open(A, "one\ntwo\nthree\n", 1)
        session.change(A, (TextEdit(Span(4, 7), "2\n2"),), 2)
        session.change(A, (TextEdit(Span(8, 13), "3"),), 3)
        assert session.visits == ((A, 3),)
        session.close(A)
        assert session.visits == ((A, None),)


async def test_hints_are_looked_at(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        await session.start()
        (tmp_path / A).write_text("def delta(): ...\n")
        (tmp_path / B).unlink()
        session.hint({A, B})
        await session.refresh()
        assert session.snapshot.definitions("delta")
        assert not session.snapshot.has(B)
        (tmp_path / B).write_text("def epsilon(): ...\n")
        session.hint(None)
        await session.refresh()
        assert session.snapshot.definitions("epsilon")


async def test_a_loose_session_knows_only_what_is_open(tmp_path: Path) -> None:
    async with opened(tmp_path, indexed=False) as session:
        await session.start()
        session.watch()
        session.hint({A})
        await session.refresh()
        assert list(session.snapshot.paths()) == []
        session.open(A, "def zeta(): ...\n", 1)
        assert list(session.snapshot.paths()) == [A]


async def test_the_embedded_default_learns_when_it_is_switched_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        await session.reconfigure(load({}, {"completion": {"embedded": False}}, environ={}))
        await session.start()
        assert not session.learning
        await session.reconfigure(load({}, {}, environ={}))
        assert session.learning
        await session.taught()


async def test_settings_change_what_they_concern(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        await session.start()
        gate, predictor = session.gate, session.predictor
        assert session.endpoint is None
        await session.reconfigure(load({}, {"endpoint": {"base_url": "http://localhost:1/v1"}}, environ={}))
        assert session.endpoint is not None
        assert session.gate is gate
        endpoint = session.endpoint
        await session.reconfigure(
            load(
                {},
                {"endpoint": {"base_url": "http://localhost:1/v1"}, "secrets": {"globs": ["a.py"]}},
                environ={},
            )
        )
        assert session.endpoint is endpoint
        assert session.predictor is predictor
        assert session.gate.admits_path(A)
        await session.reconfigure(load({}, {"index": {"exclude": ["b.py"]}}, environ={}))
        assert not session.snapshot.has(B)
        assert session.endpoint is None


async def test_ignored_files_are_withheld_also_when_open(tmp_path: Path) -> None:
    write_files(tmp_path, {RelPath(".gitignore"): "local.py\n"})
    async with opened(tmp_path) as session:
        await session.start()
        local = RelPath("local.py")
        session.open(local, "x = 1\n", 1)
        assert session.gate.admits_path(local) == "ignored file"
        assert session.gate.admits_path(A) is None
        assert session.gate.admits_path(RelPath("new.py")) is None
        (tmp_path / ".gitignore").write_text("new.py\n")
        session.hint({RelPath(".gitignore")})
        assert session.gate.admits_path(local) is None
        assert session.gate.admits_path(RelPath("new.py")) == "ignored file"


async def test_one_failure_is_told_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        for _ in range(3):
            session.failed("the endpoint is down")
        assert list(session.errors) == ["the endpoint is down"]


async def test_closing_while_it_indexes_ends_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        starting = asyncio.create_task(session.start())
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


async def test_journals_are_kept_apart_by_workspace(tmp_path: Path) -> None:
    async with opened(tmp_path / "one") as one, opened(tmp_path / "two") as two:
        assert one.journal != two.journal
        assert one.journal.name.startswith("one-")

"""Edits onto the disk of an open workspace: whole, beside what the user does, and back again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import ConflictError, WorkspaceError
from qwen_lsp.runs.landing import fitted, land, undo_last, undoable
from qwen_lsp.session import Session
from qwen_lsp.settings import Settings
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import transaction
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import write_files

A, B, C = RelPath("a.py"), RelPath("b.py"), RelPath("c.py")
FILES = {A: "one\ntwo\nthree\n", B: "def b(): ...\n"}
EDITS = [
    FileEdit(A, FILES[A], "one\n2\nthree\n"),
    FileEdit(C, FILES[B], FILES[B], moved_from=B, executable=True),
]
TIME = 20.0


@pytest.fixture
async def session(tmp_path: Path) -> AsyncGenerator[Session]:
    root = tmp_path / "w"
    write_files(root, FILES)
    session = Session(root, Settings())
    await session.start()
    yield session
    await session.aclose()


def read(session: Session) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in session.root.iterdir()}


async def test_edits_land_are_indexed_and_go_back(session: Session) -> None:
    landed = await land(session, EDITS, run="r1", label="tidy up")

    assert landed.edits == tuple(EDITS)
    assert landed.files == (A, B, C)
    assert read(session) == {A: "one\n2\nthree\n", C: FILES[B]}
    assert (session.root / C).stat().st_mode & 0o100
    assert [site.path for site in session.snapshot.definitions("b")] == [C]
    (step,) = await undoable(session)
    assert (step.run, step.label, sorted(step.paths)) == ("r1", "tidy up", [A, B, C])

    assert sorted(await undo_last(session)) == [A, B, C]
    assert read(session) == FILES
    assert [site.path for site in session.snapshot.definitions("b")] == [B]
    assert await undoable(session) == []
    with pytest.raises(WorkspaceError, match="nothing to undo"):
        await undo_last(session)


async def test_what_the_user_wrote_meanwhile_is_kept(session: Session) -> None:
    (session.root / A).write_text("one\ntwo\nthree\nfour\n", encoding="utf-8")
    (shown, _) = await fitted(session, EDITS)
    assert shown.after == "one\n2\nthree\nfour\n"
    await land(session, EDITS)
    assert read(session)[A] == "one\n2\nthree\nfour\n"


async def test_a_file_saved_between_the_look_and_the_write_is_looked_at_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, calls = transaction.commit, 0

    def saved_first(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            (session.root / A).write_text("one\ntwo\nthree\nfour\n", encoding="utf-8")
        return commit(*args, **kwargs)

    monkeypatch.setattr(transaction, "commit", saved_first)
    landed = await land(session, EDITS)
    assert calls == 2
    assert read(session)[A] == "one\n2\nthree\nfour\n"
    assert landed.edits[0].before == "one\ntwo\nthree\nfour\n"


async def test_a_conflict_writes_nothing(session: Session) -> None:
    (session.root / A).write_text("one\nzwei\nthree\n", encoding="utf-8")
    with pytest.raises(ConflictError, match=r"a\.py: both sides changed line 2"):
        await land(session, EDITS)
    assert read(session) == {A: "one\nzwei\nthree\n", B: FILES[B]}
    assert await undoable(session) == []


async def test_a_file_with_unsaved_changes_is_not_written_below_the_editor(session: Session) -> None:
    session.open(A, "one\ntwo\nthree\nunsaved\n", 1)
    with pytest.raises(ConflictError, match=r"a\.py: open with unsaved changes"):
        await land(session, EDITS)
    assert read(session) == FILES
    session.close(A)
    session.open(A, FILES[A], 2)
    await land(session, EDITS)
    session.change(A, (), 3)
    with pytest.raises(ConflictError, match=r"a\.py: open with unsaved changes"):
        await undo_last(session)  # the editor has not reloaded the file
    session.close(A)
    await undo_last(session)
    assert read(session) == FILES


async def test_an_older_run_is_undone_by_its_name_where_its_files_are_untouched(session: Session) -> None:
    await land(session, [EDITS[0]], run="first")
    await land(session, [EDITS[1]], run="second")
    assert [step.run for step in await undoable(session)] == ["second", "first"]

    assert await undo_last(session, "first") == [A]
    assert read(session) == {A: FILES[A], C: FILES[B]}
    with pytest.raises(WorkspaceError, match="nothing to undo in run first"):
        await undo_last(session, "first")


async def test_undo_refuses_to_destroy_later_work_and_names_it(session: Session) -> None:
    await land(session, EDITS, run="first")
    await land(session, [FileEdit(A, "one\n2\nthree\n", "one\n2\n3\n")], run="second")
    with pytest.raises(ConflictError, match=r"^a\.py: changed since the edit"):
        await undo_last(session, "first")
    assert read(session) == {A: "one\n2\n3\n", C: FILES[B]}
    await undo_last(session)
    await undo_last(session)
    assert read(session) == FILES


async def test_a_write_that_has_begun_is_finished_though_its_task_is_cancelled(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = transaction.commit
    begun, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(*args: Any, **kwargs: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        go.wait(TIME)
        return commit(*args, **kwargs)

    monkeypatch.setattr(transaction, "commit", slow)
    task = asyncio.ensure_future(land(session, EDITS))
    async with asyncio.timeout(TIME):
        await begun.wait()
        for _ in range(2):
            task.cancel()
            await asyncio.wait([task], timeout=0)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert read(session) == {A: "one\n2\nthree\n", C: FILES[B]}
    assert len(await undoable(session)) == 1


async def test_what_a_crash_left_is_finished_when_the_workspace_is_opened_and_told(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Crash(BaseException):
        pass

    def crash(*args: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("qwen_lsp.workspace.landing.land", crash)
        with pytest.raises(Crash):
            transaction.commit(session.root, EDITS, session.journal)
    assert read(session).keys() >= FILES.keys()
    again = Session(session.root, Settings())
    try:
        await again.start()
        assert read(again) == {A: "one\n2\nthree\n", C: FILES[B]}
        assert [error for error in again.errors if error.startswith("An interrupted edit was finished: ")]
        assert "An interrupted edit was finished: " in caplog.text
        await undo_last(again)
        assert read(again) == FILES
    finally:
        await again.aclose()

"""Edits onto the disk of an open workspace, all or none, and back again in one step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from qwen_lsp.errors import ConflictError, FileUnreadable
from qwen_lsp.index.build import refresh
from qwen_lsp.index.landing import landed
from qwen_lsp.runs.record import note_fate
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import disk, transaction
from qwen_lsp.workspace.journal import Step
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.transaction import Undo

_ATTEMPTS = 3
"""Times that edits are fitted anew because a file was saved between the look at it and the write."""

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Landed:
    """What was written."""

    edits: tuple[FileEdit, ...]
    """The edits as they fitted the files; empty where all of it was there already."""
    undo: Undo

    @property
    def files(self) -> tuple[RelPath, ...]:
        """Every file that was changed, sorted; of a moved one both names."""
        return tuple(sorted(paths_of(self.edits)))


def paths_of(edits: Sequence[FileEdit]) -> set[RelPath]:
    """The files that edits touch; of a moved one both names."""
    return {RelPath(path) for edit in edits for path in (edit.path, edit.moved_from) if path is not None}


async def fitted(session: Session, edits: Sequence[FileEdit]) -> list[FileEdit]:
    """The edits as they fit what the files are at this moment, for a preview; `land` looks again.

    Raises ConflictError, naming each file that does not fit.
    """
    await refresh(session.store, paths_of(edits))
    return await asyncio.to_thread(landed, edits, session.snapshot)


async def land(session: Session, edits: Sequence[FileEdit], *, run: str = "", label: str = "") -> Landed:
    """Write all edits or none of them. `run` and `label` tell later what can be undone.

    What the user changed meanwhile is kept. Raises ConflictError naming the files where that cannot be, or
    that are open with unsaved changes, and what `transaction.commit` raises; nothing is written then. Once
    the write has begun a cancelled task waits until it is over.
    """
    attempts = 0
    while True:
        attempts += 1
        fits = await fitted(session, edits)
        await asyncio.to_thread(_check_saved, session, sorted(paths_of(fits)))
        write = partial(transaction.commit, session.root, fits, session.journal, run=run, label=label)
        try:
            undo = await whole(write)
            break
        except ConflictError:
            if attempts == _ATTEMPTS:
                raise
        finally:
            session.hint(paths_of(fits))
    if run:
        await asyncio.to_thread(note_fate, run, "landed", undo.paths)
    await session.refresh()
    return Landed(tuple(fits), undo)


async def undoable(session: Session) -> list[Step]:
    """What `undo_last` can take back, latest first, each with its time, run, label and files."""
    return await asyncio.to_thread(transaction.undoable, session.root, session.journal)


async def undo_last(session: Session, run: str | None = None) -> list[RelPath]:
    """Take the latest write back, or the latest of one run, in one step; the files it touched.

    Raises ConflictError naming the files that changed since, WorkspaceError where nothing can be undone;
    nothing is changed then.
    """
    step = next((step for step in await undoable(session) if run in (None, step.run)), None)
    if session.snapshot.buffers:
        await asyncio.to_thread(_check_saved, session, step.paths if step else ())
    files = await whole(partial(transaction.undo_last, session.root, session.journal, run))
    if step is not None and step.run:
        await asyncio.to_thread(note_fate, step.run, "undone", files)
    session.hint(set(files))
    await session.refresh()
    return files


def _check_saved(session: Session, paths: Sequence[RelPath]) -> None:
    """Raise ConflictError naming the open files of which an editor has another text than the disk."""
    unsaved: list[str] = []
    for path in paths:
        buffer = session.snapshot.buffers.get(path)
        if buffer is not None and buffer.text is not None:
            try:
                saved = disk.read(session.root, path).text == buffer.text
            except FileUnreadable:
                saved = False
            if not saved:
                unsaved.append(path)
    if unsaved:
        raise ConflictError(
            f"{', '.join(unsaved)}: open with unsaved changes; save first. Nothing was written"
        )


async def whole(work: Callable[[], _Result]) -> _Result:
    """Run `work` in a thread to its end, also when the task is cancelled meanwhile."""
    return await seen_through(asyncio.to_thread(work))


async def seen_through(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Do the work to its end, also when whoever waits for it is cancelled meanwhile."""
    running = asyncio.ensure_future(work)
    cancelled = False
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        running.exception()  # looked at, so that nobody misses it
        raise asyncio.CancelledError
    return running.result()

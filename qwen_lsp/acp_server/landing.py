"""A run's edits onto the user's files: through the client where it holds the text, else by a transaction.

The client's part comes first and file by file, since the protocol knows no set of writes: every text is
looked at before the first is written, and what was written is taken back when one fails. The rest is written
as one journalled transaction, after which nothing can fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from qwen_lsp.acp_server.buffers import Buffers, Held
from qwen_lsp.errors import ConflictError, ProtectedPath, QwenLspError
from qwen_lsp.features.agent.unsaved import overlaid
from qwen_lsp.index.build import refresh
from qwen_lsp.index.landing import landed
from qwen_lsp.runs.landed import LandedEdit, note
from qwen_lsp.runs.landing import paths_of, whole
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import transaction
from qwen_lsp.workspace.changes import planned
from qwen_lsp.workspace.guard import guarded
from qwen_lsp.workspace.paths import RelPath, protection

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Parts:
    """Edits that fit what the files are now, by who makes them."""

    client: tuple[tuple[FileEdit, Held], ...] = ()
    disk: tuple[FileEdit, ...] = ()

    @property
    def edits(self) -> tuple[FileEdit, ...]:
        return tuple(sorted((*(edit for edit, _ in self.client), *self.disk), key=lambda edit: edit.path))


async def fitted(session: Session, buffers: Buffers, edits: Sequence[FileEdit]) -> Parts:
    """The edits for what the files are by now, in the client and on the disk.

    Raises ConflictError naming the files that do not fit, or cannot be written since they are not saved, and
    ProtectedPath; nothing is changed.
    """
    paths = sorted(paths_of(edits))
    await refresh(session.store, set(paths))
    found = await asyncio.gather(*(buffers.held(path) for path in paths))
    held = {path: one for path, one in zip(paths, found, strict=True) if one is not None}
    texts = {path: one.text for path, one in held.items() if one.unsaved}
    fits = await asyncio.to_thread(landed, edits, overlaid(session.snapshot, texts))
    parts = divided(buffers, fits, held)
    await asyncio.to_thread(_check, session, parts)
    return parts


def divided(buffers: Buffers, edits: Sequence[FileEdit], held: Mapping[RelPath, Held]) -> Parts:
    """Who makes which edit. Raises ConflictError for unsaved texts of which the client is no writer."""
    client: list[tuple[FileEdit, Held]] = []
    rest: list[FileEdit] = []
    for edit in edits:
        one = held.get(RelPath(edit.path))
        changes = edit.before is not None and edit.after is not None and edit.moved_from is None
        plain = changes and edit.executable is None
        if one is not None and buffers.writes and plain and (one.exact or one.unsaved):
            client.append((edit, one))
        else:
            rest.append(edit)
    if unsaved := sorted(path for path in paths_of(rest) if path in held and held[path].unsaved):
        raise ConflictError(
            f"Nothing was changed: {', '.join(unsaved)} has changes that are not saved, and the editor "
            "cannot make this edit itself. Save first"
        )
    return Parts(tuple(client), tuple(rest))


def _check(session: Session, parts: Parts) -> None:
    """Raise before anything is written what would be raised later; a client knows no protected paths."""
    more = guarded(session.root)
    for edit, _ in parts.client:
        if reason := protection(RelPath(edit.path), more):
            raise ProtectedPath(f"{edit.path} may not be written: {reason}")
    if parts.disk:
        planned(session.root, parts.disk, "check")


async def land(
    session: Session, buffers: Buffers, edits: Sequence[FileEdit], *, run: str, label: str
) -> tuple[FileEdit, ...]:
    """Make all edits or none, and keep with the run what has landed; the edits as they fitted.

    Raises what `fitted` and `transaction.commit` raise, and ConflictError naming files that could not be
    taken back. Whoever is cancelled meanwhile waits until it is over.
    """

    async def made() -> tuple[FileEdit, ...]:
        parts = await fitted(session, buffers, edits)

        def write() -> str:
            if not parts.disk:
                return ""
            return transaction.commit(session.root, parts.disk, session.journal, run=run, label=label).id

        left: list[FileEdit] = []
        try:
            journal = await written(session, buffers, parts, write, left)
        finally:
            if left:  # so that it can be taken back later
                await asyncio.to_thread(note, run, [LandedEdit(edit, "editor") for edit in left])
        done = [LandedEdit(edit, "editor") for edit, _ in parts.client]
        done += [LandedEdit(edit, "disk") for edit in parts.disk]
        if done:
            await asyncio.to_thread(note, run, done, journal)
        return parts.edits

    return await seen_through(made())


async def written(
    session: Session, buffers: Buffers, parts: Parts, write: Callable[[], str], left: list[FileEdit]
) -> str:
    """The client's part, then the disk's by `write`, in a thread; what `write` gives.

    Raises QwenLspError when one of them failed; then what the client did was taken back, but for what is in
    `left` and named.
    """
    done: list[tuple[FileEdit, Held]] = []
    try:
        for edit, held in parts.client:
            done.append((edit, held))
            await buffers.write(RelPath(edit.path), held, edit.after or "")
        return await whole(write)
    except QwenLspError as error:
        left += await _taken_back(buffers, done)
        if not left:
            raise ConflictError(f"Nothing was written: {error}") from error
        kept = ", ".join(edit.path for edit in left)
        raise ConflictError(f"{error}. The rest was taken back, but the editor still has {kept}") from error
    finally:
        session.hint(paths_of(parts.edits))
        await session.refresh()


async def _taken_back(buffers: Buffers, done: Sequence[tuple[FileEdit, Held]]) -> list[FileEdit]:
    """Give the client its texts back, the last first; the edits that are still in a text."""
    left: list[FileEdit] = []
    for edit, held in reversed(done):
        path = RelPath(edit.path)
        now = await buffers.held(path)
        if now is not None and now.text == held.text:
            continue
        try:
            if now is not None and now.text == edit.after:
                await buffers.write(path, now, held.text)
                continue
        except ConflictError:
            pass
        left.append(edit)
    return left


async def seen_through(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Do the work to its end, also when whoever waits for it is cancelled meanwhile."""
    working = asyncio.ensure_future(work)
    cancelled = False
    while not working.done():
        try:
            await asyncio.wait([working])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        working.exception()  # looked at, so that nobody misses it
        raise asyncio.CancelledError
    return working.result()

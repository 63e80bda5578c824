"""Edits of many files landed from an editor: one workspace edit, and one journalled write for the rest.

What a client cannot do on a server's request (create, move, delete, or anything at all) is written to disk.
The editor's part comes first, because that is where a person says no; the disk's is written only when every
text of the editor's is what was meant, and when the disk refuses, the editor's part is taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from qwen_lsp.errors import ConflictError, ProtectedPath, QwenLspError, UserError
from qwen_lsp.server.agent_applying import (
    Applied,
    Asked,
    State,
    apply_in_editor,
    compared,
    fitted,
    in_old_encoding,
    names,
    on_disk,
    text_now,
)
from qwen_lsp.server.host import Server
from qwen_lsp.server.workspace_edit import Label, doing, takes
from qwen_lsp.text.edits import FileEdit, reversed_edit, unified
from qwen_lsp.workspace.paths import RelPath

if TYPE_CHECKING:
    from qwen_lsp.runs.landed import Way
    from qwen_lsp.session import Session


_Result = TypeVar("_Result")

UNASKED = (
    "this editor can neither show the edit nor ask about it, and files would be written: "
    "qwen.landEdit lands it, after a look at the diff"
)


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file of a landing: the edit as it was made, what the file is now, and who made it."""

    edit: FileEdit
    state: State
    way: Way


@dataclass(frozen=True, slots=True)
class Landing:
    """What came of a landing."""

    files: tuple[LandedFile, ...] = ()
    problem: str = ""
    journal: str = ""
    """The journal that takes back what was written to disk; empty when nothing was."""

    @property
    def applied(self) -> bool:
        return bool(self.files) and all(file.state == "applied" for file in self.files)


@dataclass(frozen=True, slots=True)
class Parts:
    """Edits by who makes them."""

    editor: tuple[FileEdit, ...] = ()
    disk: tuple[FileEdit, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a landing goes about it."""

    label: Label
    agree: Callable[[str, str, str], Awaitable[bool | None]] | None = None
    """Asks the person (a title, what would happen, its diff) where the editor shows no preview of its own;
    None where nobody can be asked."""
    unasked: bool = False
    """Whether files may be written where nobody could be asked. A text in the editor is nobody's loss: there
    its own undo takes the edit back."""
    run: str = ""
    """The run that the edits are from; written to the journal."""
    asked: Asked = lambda name: None
    """Told the id of each request to the editor."""


async def land(ls: Server, session: Session, edits: Sequence[FileEdit], manner: Manner) -> Landing:
    """Land edits on what the files are by now, all of them or none.

    An exception is a person who ticks some of the files only: those stay, and `files` tells which.
    Raises ConflictError when a file was changed in the same place meanwhile, ProtectedPath for one that
    nothing may write; nothing is changed then.
    """
    parts = await _ready(ls, session, edits)
    await asyncio.to_thread(_check, session, parts)
    if manner.agree is not None and not _previews(ls, parts) and (parts.editor or parts.disk):
        agreed = await manner.agree(*_question(parts))
        if agreed is None and parts.disk and not manner.unasked:
            return _nothing(session, parts, UNASKED)
        if agreed is False:
            return _nothing(session, parts, "it was refused")
        if agreed:
            manner = replace(manner, label=replace(manner.label, confirm=False))
        parts = await _ready(ls, session, edits)
    return await carried_out(ls, session, parts, lambda: _committed(session, parts.disk, manner), manner)


async def carried_out(
    ls: Server, session: Session, parts: Parts, write: Callable[[], Awaitable[str]], manner: Manner
) -> Landing:
    """The editor's part, then the disk's by `write`, which names its journal or raises QwenLspError."""
    made = Applied((), ())
    if parts.editor:
        made = await apply_in_editor(ls, session, parts.editor, manner.label, manner.asked)
    if not parts.disk:
        return await _with_rights(session, _landing(made, ()), manner)
    if not made.whole:
        problem = made.problem or "the editor did not make its part of the edit"
    else:
        try:
            landing = replace(_landing(made, parts.disk), journal=await write())
        except QwenLspError as error:
            problem = str(error)
        else:
            return await _with_rights(session, landing, manner)
    kept = await _taken_back(ls, session, made, manner)
    if kept:
        problem += f"; the editor still has the change of {', '.join(kept)}"
    return _nothing(session, parts, problem)


def divided(ls: Server, session: Session, edits: Sequence[FileEdit]) -> Parts:
    """Which edits the editor makes, and which are written to disk.

    Raises UserError where the disk's part concerns a text that is open and not saved.
    """
    support = ls.edit_support
    editor = tuple(
        edit
        for edit in edits
        if takes(edit, support)
        and (support.tells or _is_open(session, edit))
        and not in_old_encoding(session, edit)
    )
    disk = tuple(edit for edit in edits if edit not in editor)
    if open_texts := unsaved(session, disk):
        raise UserError(
            f"this editor cannot {', '.join(doing(e) for e in disk)} on a server's request, and "
            f"{', '.join(open_texts)} cannot be written while it has changes that are not saved. Save first."
        )
    return Parts(editor, disk)


def _is_open(session: Session, edit: FileEdit) -> bool:
    """Whether an edit changes or moves a text that is open, so that what comes of it is heard."""
    return edit.after is not None and RelPath(edit.moved_from or edit.path) in session.snapshot.buffers


def unsaved(session: Session, edits: Sequence[FileEdit]) -> list[str]:
    """The files of edits that are open with another text than the disk has, sorted."""
    open_texts = {path: buffer.text for path, buffer in session.snapshot.buffers.items()}
    return sorted(p for p in names(edits) if p in open_texts and open_texts[p] != on_disk(session, p))


def _previews(ls: Server, parts: Parts) -> bool:
    """Whether the editor shows everything to the person before anything happens."""
    return ls.edit_support.previews and not parts.disk


def _question(parts: Parts) -> tuple[str, str, str]:
    edits = (*parts.editor, *parts.disk)
    several = "1 file" if len(edits) == 1 else f"{len(edits)} files"
    title, detail = f"Apply the edit of {several}?", "\n".join(doing(edit) for edit in edits)
    return title, detail, "".join(unified(edit) for edit in edits)


async def _ready(ls: Server, session: Session, edits: Sequence[FileEdit]) -> Parts:
    """The edits for the files as they are now, by who makes them."""
    from qwen_lsp.workspace import disk

    parts = divided(ls, session, await fitted(session, edits))
    # An editor that deletes a file forgets whether it could be run; taking that back needs it.
    told = (
        replace(e, executable=True)
        if e.after is None and disk.executable(session.root, RelPath(e.path))
        else e
        for e in parts.editor
    )
    return replace(parts, editor=tuple(told))


def _check(session: Session, parts: Parts) -> None:
    """Raise, before anybody is asked, what would be raised later; an editor knows no protected paths."""
    from qwen_lsp.workspace.changes import planned
    from qwen_lsp.workspace.guard import guarded
    from qwen_lsp.workspace.paths import protection

    more = guarded(session.root)
    for path in sorted(names(parts.editor)):
        if reason := protection(path, more):
            raise ProtectedPath(f"{path} may not be written: {reason}")
    if parts.disk:
        planned(session.root, parts.disk, "check")


async def _committed(session: Session, edits: Sequence[FileEdit], manner: Manner) -> str:
    """Write edits to disk; once it has begun, whoever is cancelled waits until it is over."""
    from qwen_lsp.workspace.transaction import commit

    label = manner.label.description or manner.label.label

    def write() -> str:
        return commit(session.root, edits, session.journal, run=manner.run, label=label).id

    return await written(session, names(edits), write)


async def written(session: Session, changed: set[RelPath], write: Callable[[], _Result]) -> _Result:
    """A write in a thread, which is over before anybody who waits for it is cancelled."""
    from qwen_lsp.index.build import refresh

    writing = asyncio.create_task(asyncio.to_thread(write))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        await writing
        raise
    finally:
        if session.indexed:
            await refresh(session.store, changed)


async def _with_rights(session: Session, landing: Landing, manner: Manner) -> Landing:
    """Who may run the files that an editor wrote, which no editor can be asked to change.

    A file that is not on disk yet cannot be made executable; that is said, and the texts stay.
    """
    wanted = [f.edit for f in landing.files if f.way == "editor" and f.state == "applied"]
    edits: list[FileEdit] = []
    for edit in wanted:
        text = None if edit.executable is None or edit.after is None else on_disk(session, edit.path)
        if text is not None:
            edits.append(FileEdit(edit.path, text, text, executable=edit.executable))
    missing = {e.path for e in wanted if e.executable is not None and e.after is not None}
    missing -= {edit.path for edit in edits}
    problem = f"{', '.join(sorted(missing))}: not on disk yet, so not made executable" if missing else ""
    if edits:
        try:
            await _committed(session, edits, manner)
        except QwenLspError as error:
            problem = f"what may be run was not changed: {error}"
    return replace(landing, problem=landing.problem or problem)


async def _taken_back(ls: Server, session: Session, made: Applied, manner: Manner) -> list[str]:
    """Take back what the editor did of an edit that cannot be made whole; the files where it would not."""
    did = [e for e, state in zip(made.edits, made.states, strict=True) if state != "unchanged"]
    back = [reversed_edit(e) for e in did]
    try:
        fit = await fitted(session, back)
    except ConflictError:
        return [e.path for e in did]
    if not fit:
        return []
    label = Label(f"Take back: {manner.label.label}")
    again = await apply_in_editor(ls, session, fit, label, manner.asked)
    return [e.path for e, state in zip(again.edits, again.states, strict=True) if state != "applied"]


def _landing(made: Applied, written: Sequence[FileEdit]) -> Landing:
    files = [LandedFile(e, s, "editor") for e, s in zip(made.edits, made.states, strict=True)]
    return Landing((*files, *(LandedFile(e, "applied", "disk") for e in written)), made.problem)


def _nothing(session: Session, parts: Parts, problem: str) -> Landing:
    """The files as they are after an edit that did not happen."""
    editor = [LandedFile(e, compared(e, text_now(session, e.path)), "editor") for e in parts.editor]
    disk = [LandedFile(e, _on_disk_state(session, e), "disk") for e in parts.disk]
    return Landing((*editor, *disk), problem)


def _on_disk_state(session: Session, edit: FileEdit) -> State:
    if edit.before == edit.after and edit.moved_from is None:
        return "unchanged"  # rights alone, which have not landed
    return compared(edit, on_disk(session, edit.path))

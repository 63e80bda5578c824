"""Edits applied by the editor: asked for with the versions they are made for, and looked up afterwards.

An editor's `applied: true` may cover a part only, and `false` may follow a file that was typed in meanwhile,
so what counts is what every file is afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from qwen_lsp.errors import ConflictError, FileUnreadable, WorkspaceError
from qwen_lsp.server.host import Server
from qwen_lsp.server.workspace_edit import Label, workspace_edit
from qwen_lsp.text.edits import FileEdit, TextEdit, apply, ended, rebase
from qwen_lsp.text.narrow import by_words
from qwen_lsp.workspace.paths import RelPath

if TYPE_CHECKING:
    from qwen_lsp.session import Session

State = Literal["applied", "unchanged", "different"]
Asked = Callable[[str], None]
"""Told the id of each request to the editor, so that whoever stops waiting can take it back."""

_SETTLING = 2.0  # seconds for an editor to report what it changed, after it said that it did
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Applied:
    """What the editor made of some edits: each as it was last asked for, with what its file is now."""

    edits: tuple[FileEdit, ...]
    states: tuple[State, ...]
    problem: str = ""

    @property
    def whole(self) -> bool:
        return set(self.states) <= {"applied"}


def names(edits: Sequence[FileEdit]) -> set[RelPath]:
    """Every file that the edits concern."""
    return {RelPath(name) for e in edits for name in (e.path, e.moved_from) if name}


async def fitted(session: Session, edits: Sequence[FileEdit]) -> list[FileEdit]:
    """The edits as they fit what the files are by now. Raises ConflictError naming those that clash."""
    from qwen_lsp.index.landing import landed
    from qwen_lsp.runs import landing

    if session.indexed:
        return await landing.fitted(session, edits)
    return await asyncio.to_thread(landed, edits, session.snapshot)


async def apply_in_editor(
    ls: Server, session: Session, edits: Sequence[FileEdit], label: Label, asked: Asked
) -> Applied:
    """Have the editor make edits that fit the files as they are.

    Where somebody typed in a file while the preview stood open, so that the editor took nothing for it, what
    is left is fitted to the new text and asked for once more.
    """
    done: dict[str, tuple[FileEdit, State]] = {}
    left: Sequence[FileEdit] = edits
    problem = ""
    for attempt in range(_TRIES):
        sent = {edit.path: ls.target(session, edit.path).version for edit in left}
        closed = [e for e in left if RelPath(e.moved_from or e.path) not in session.snapshot.buffers]
        said_so, problem = await _ask(ls, session, left, label, asked)
        states: list[State]
        states = await _settled(session, left) if said_so else [state_of(session, e) for e in left]
        if said_so:
            left = _as_ticked(session, left, states)
        for edit, state in zip(left, states, strict=True):
            done[edit.path] = edit, state
        if late := _saved_over(session, closed):
            done |= await _mended(ls, session, late, label, asked)
            problem = "; ".join(
                f"{path}: saved by somebody else while the preview stood open, in the same place"
                for path, (_, state) in done.items()
                if path in late and state != "applied"
            )
            if problem:
                break
            states = [done[edit.path][1] for edit in left]
        # What somebody has left out of a file that they took otherwise is not asked for again.
        wanting = ("unchanged",) if said_so else ("unchanged", "different")
        missing = [edit for edit, state in zip(left, states, strict=True) if state in wanting]
        typed_in = any(ls.target(session, edit.path).version != sent[edit.path] for edit in missing)
        if not typed_in or attempt + 1 == _TRIES:
            break
        try:
            left = await fitted(session, missing)
        except ConflictError as error:
            problem = str(error)
            break
    whole = Applied(tuple(e for e, _ in done.values()), tuple(state for _, state in done.values()), problem)
    return Applied(whole.edits, whole.states) if whole.whole else whole


async def _ask(
    ls: Server, session: Session, edits: Sequence[FileEdit], label: Label, asked: Asked
) -> tuple[bool, str]:
    """Whether the editor says that it applied them, and what it says is wrong."""
    whole = workspace_edit(
        edits,
        target=lambda path: ls.target(session, path),
        encoding=ls.encoding,
        support=ls.edit_support,
        label=label,
    )
    params = lsp.ApplyWorkspaceEditParams(label=label.label, edit=whole)
    try:
        # No time-out: the answer comes when a person has looked at the preview.
        reply = await ls.rpc.ask(lsp.WORKSPACE_APPLY_EDIT, params, asked)
    except JsonRpcException as error:
        return False, f"the editor refused the edit: {ls.rpc.scrub(error.message)}"
    finally:
        session.hint(names(edits))
    return bool(reply.applied), reply.failure_reason or ""


def _saved_over(session: Session, edits: Sequence[FileEdit]) -> dict[str, tuple[FileEdit, str]]:
    """Those edits of closed files under which a file was saved while the preview stood open, with its text.

    A closed file has no version, so an editor makes the edit on whatever is there by then.
    """
    found: dict[str, tuple[FileEdit, str]] = {}
    for edit in edits:
        if edit.before is None or edit.after is None or RelPath(edit.path) not in session.snapshot.buffers:
            continue
        saved = on_disk(session, edit.path)
        expected = (edit.before, edit.after, text_now(session, edit.path))
        if saved is not None and ended(saved) not in map(ended, expected):
            found[edit.path] = edit, saved
    return found


async def _mended(
    ls: Server, session: Session, late: Mapping[str, tuple[FileEdit, str]], label: Label, asked: Asked
) -> dict[str, tuple[FileEdit, State]]:
    """Have the editor's texts hold what was saved too; where both changed the same place, that alone."""
    done: dict[str, tuple[FileEdit, State]] = {}
    mends: list[FileEdit] = []
    for path, (edit, saved) in late.items():
        try:
            after, state = rebase(edit.before or "", edit.after or "", saved), "applied"
        except ConflictError:
            after, state = saved, "unchanged"
        done[path] = replace(edit, before=saved, after=after if state == "applied" else edit.after), state
        mends.append(FileEdit(path, text_now(session, path), after))
    await _ask(ls, session, mends, replace(label, confirm=False), asked)
    await _settled(session, mends)
    return done


def _as_ticked(session: Session, edits: Sequence[FileEdit], states: Sequence[State]) -> list[FileEdit]:
    """The edits as they were made: in a preview a person may leave out single changes of a file.

    The rest is what there is to be taken back.
    """
    taken: list[FileEdit] = []
    for edit, state in zip(edits, states, strict=True):
        now = text_now(session, edit.path) if state == "different" else None
        if now is None or edit.before is None or edit.after is None:
            taken.append(edit)
        else:
            made, _ = _divided(edit.before, edit.after, now)
            taken.append(replace(edit, after=apply(edit.before, made)))
    return taken


def _divided(before: str, after: str, now: str) -> tuple[list[TextEdit], list[TextEdit]]:
    """The changes from `before` to `after` that a text has, and those that it has not.

    Somebody may have typed in it since.
    """
    there = set(by_words(before, now))
    made: list[TextEdit] = []
    left: list[TextEdit] = []
    for change in by_words(before, after):
        (made if change in there else left).append(change)
    return made, left


async def _settled(session: Session, edits: Sequence[FileEdit]) -> list[State]:
    """The states once they all say "applied", or after a moment: an editor may report its changes late."""
    changed = asyncio.Event()
    unsubscribe = session.store.subscribe(lambda snapshot: changed.set())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLING):
                while any(state_of(session, edit) != "applied" for edit in edits):
                    await changed.wait()
                    changed.clear()
    finally:
        unsubscribe()
    return [state_of(session, edit) for edit in edits]


def state_of(session: Session, edit: FileEdit) -> State:
    """What a file is now, seen from an edit of it: open text first, else the disk."""
    return compared(edit, text_now(session, edit.path))


def text_now(session: Session, path: str) -> str | None:
    """The text of a file, as it is open or on disk; None where there is no such file."""
    try:
        return session.snapshot.text(RelPath(path))
    except FileUnreadable:
        return None


def on_disk(session: Session, path: str) -> str | None:
    """The text of a file on disk, whatever is open over it; None where there is no such file."""
    from qwen_lsp.workspace import disk

    try:
        return disk.read(session.root, RelPath(path)).text
    except FileUnreadable:
        return None


def in_old_encoding(session: Session, edit: FileEdit) -> bool:
    """Whether an edit is of a closed file that is not UTF-8: an editor may open it as such and spoil it."""
    from qwen_lsp.workspace import disk

    path = RelPath(edit.moved_from or edit.path)
    if edit.before is None or path in session.snapshot.buffers:
        return False
    try:
        return disk.read(session.root, path).encoding != "utf-8"
    except WorkspaceError:
        return False


def compared(edit: FileEdit, now: str | None) -> State:
    """Whether a text has an edit in it, has nothing of it, or has only a part.

    An edit is in a text that somebody has typed in since when each of its changes is there.
    """
    if ended(now) == ended(edit.after):
        return "applied"
    if now == (None if edit.moved_from else edit.before):
        return "unchanged"
    if now is None or edit.before is None or edit.after is None:
        return "different"
    made, left = _divided(edit.before, edit.after, now)
    return "applied" if not left else "different" if made else "unchanged"

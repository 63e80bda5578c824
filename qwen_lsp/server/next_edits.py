"""The next edit at the wire: edits are noted, and what follows is an inline completion or a code action."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import attrs
from lsprotocol import types as lsp

from qwen_lsp.errors import UserError
from qwen_lsp.server import convert
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.workspace_edit import Label, workspace_edit

if TYPE_CHECKING:
    from qwen_lsp.features.next_edit.change import NextEdit
    from qwen_lsp.features.next_edit.history import EditLog
    from qwen_lsp.session import Session
    from qwen_lsp.text.edits import TextEdit
    from qwen_lsp.workspace.paths import RelPath

KIND = lsp.CodeActionKind.RefactorRewrite.value
MARK = "nextEdit"
"""What the data of our code action holds."""


def note(ls: Server, session: Session, path: RelPath, before: str, edit: TextEdit) -> None:
    """A document was edited; remembered only where next edits are wanted."""
    if session.settings.completion.next_edit:
        _log(ls, session).note(path, before, edit, session.snapshot.text(path), time.monotonic())


def forget(ls: Server, session: Session, path: RelPath) -> None:
    """A document was closed."""
    if (log := ls.edited.get(session)) is not None:
        log.forget(path)


def _log(ls: Server, session: Session) -> EditLog:
    from qwen_lsp.features.next_edit.history import EditLog

    return ls.edited.setdefault(session, EditLog())


async def suggested(
    ls: Server, place: Place, offset: int, *, invoked: bool
) -> lsp.InlineCompletionItem | None:
    """The next edit, when it is on the cursor's line and nobody has typed for a moment."""
    log = ls.edited.get(place.session)
    if log is None or not (invoked or log.settled(time.monotonic())) or not _is_as_it_was(place):
        return None
    from qwen_lsp.features.next_edit.offer import inline

    found = await _next(ls, place)
    if found is None or found.path != place.path or not _is_as_it_was(place):
        return None
    if (shown := inline(found, place.lines, offset)) is None:
        return None
    span, text = shown
    return lsp.InlineCompletionItem(text, range=convert.range_of(place.lines, span, ls.encoding))


def _is_as_it_was(place: Place) -> bool:
    """Whether the document is what it was when it was asked about: else a range of it means other text."""
    return place.session.snapshot.text(place.path) == place.lines.text


async def offered(ls: Server, place: Place, uri: str) -> lsp.CodeAction | None:
    """An action for the next edit, wherever it is; what it changes is found out when it is chosen."""
    log = ls.edited.get(place.session)
    if log is None or not (recent := log.recent()):
        return None
    from qwen_lsp.features.next_edit.places import next_places

    found = await asyncio.to_thread(next_places, place.snapshot, recent, limit=1)
    if not found or (found[0].text is None and place.session.endpoint is None):
        return None
    where = (
        f"line {found[0].line + 1}" if found[0].path == place.path else f"{found[0].path}:{found[0].line + 1}"
    )
    return lsp.CodeAction(
        title=f"Next edit, {where}: {found[0].why}",
        kind=KIND,
        data={"uri": uri, MARK: True},
    )


async def resolve(ls: Server, action: lsp.CodeAction, uri: str) -> lsp.CodeAction:
    """Compute the edit of the action. Raises UserError when there is none any more."""
    from qwen_lsp.features.next_edit.offer import changes, title
    from qwen_lsp.index.landing import landed

    place = ls.place(uri)
    found = await _next(ls, place)
    if found is None:
        raise UserError("there is no next edit any more: the places that called for one have changed")
    changed = changes(place.snapshot, found)
    session = place.session
    edit = workspace_edit(
        landed(changed.edits, session.snapshot),
        target=lambda path: ls.target(session, path),
        encoding=ls.encoding,
        support=ls.edit_support,
        label=Label(changed.label, changed.description),
    )
    return attrs.evolve(action, title=title(found, place.path), edit=edit)


async def _next(ls: Server, place: Place) -> NextEdit | None:
    """The next edit that a session's newest edits call for."""
    from qwen_lsp.features.next_edit.offer import next_edit

    session, log = place.session, ls.edited.get(place.session)
    if log is None:
        return None
    return await next_edit(
        place.snapshot,
        log.recent(),
        endpoint=session.endpoint,
        gate=session.gate,
        settings=session.settings.completion,
        count=session.count,
        failed=session.failed,
    )

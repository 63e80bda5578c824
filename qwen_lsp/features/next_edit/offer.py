"""The next edit to offer: the first place whose change can be told, and the forms a client can take it in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from qwen_lsp.errors import EndpointError
from qwen_lsp.features.next_edit.change import NextEdit, computed, written
from qwen_lsp.features.next_edit.history import Edit
from qwen_lsp.features.next_edit.places import NextPlace, next_places
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.settings import CompletionSettings
from qwen_lsp.text.edits import ChangeSet, FileEdit
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

_MOST_PLACES = 6
_MOST_REQUESTS = 2


async def next_edit(
    snapshot: Snapshot,
    edits: Sequence[Edit],
    *,
    endpoint: Endpoint | None,
    gate: Gate,
    settings: CompletionSettings,
    count: Callable[[str], int],
    skip: Iterable[tuple[RelPath, str]] = (),
    failed: Callable[[str], None] = lambda problem: None,
) -> NextEdit | None:
    """The next edit that the newest of `edits` (newest first, `EditLog.recent`) calls for, or None.

    `skip` are places the person refused: the path and the text of the lines. Without an endpoint only what
    is mechanical is offered. Raises nothing for a failing endpoint: `failed` is told.
    """
    if not settings.next_edit or not edits:
        return None
    places = await asyncio.to_thread(next_places, snapshot, edits, limit=_MOST_PLACES, skip=skip)
    requests = 0
    for place in places:
        if place.text is not None:
            found = await asyncio.to_thread(computed, snapshot, place)
        elif endpoint is None or requests == _MOST_REQUESTS:
            continue
        else:
            requests += 1
            try:
                found = await written(
                    snapshot, edits[0], place, endpoint=endpoint, gate=gate, settings=settings, count=count
                )
            except EndpointError as error:
                failed(str(error))
                requests, found = _MOST_REQUESTS, None
        if found is not None:
            return found
    return None


def inline(edit: NextEdit, index: LineIndex, offset: int) -> tuple[Span, str] | None:
    """The edit as an inline completion at a cursor: what it covers and what belongs there.

    An inline completion replaces part of one line, with the cursor in it or at its ends; None where the
    cursor is on another line, or the edit is not within one. `index` is that of the file of the edit.
    """
    first, last = index.line_at(edit.span.start), index.line_at(max(edit.span.start, edit.span.end - 1))
    if first != last or index.line_at(offset) != first or edit.span.end > index.end_of(first):
        return None
    start, end = min(edit.span.start, offset), max(edit.span.end, offset)
    before, behind = index.text[start : edit.span.start], index.text[edit.span.end : end]
    return Span(start, end), before + edit.text + behind


def title(edit: NextEdit | NextPlace, here: RelPath) -> str:
    """The edit in one line, as a code action shows it; `here` is the file that the person is in."""
    where = f"line {edit.line + 1}" if edit.path == here else f"{edit.path}:{edit.line + 1}"
    return f"Next edit, {where}: {edit.why}"


def changes(snapshot: Snapshot, edit: NextEdit) -> ChangeSet:
    """The edit as a change of its file in the snapshot that it was made for. Raises FileUnreadable."""
    text = snapshot.text(edit.path)
    after = text[: edit.span.start] + edit.text + text[edit.span.end :]
    how = "computed" if edit.mechanical else "written by the model"
    changed = FileEdit(edit.path, text, after, why=edit.why)
    return ChangeSet((changed,), label="Next edit", description=f"{edit.why} ({how})")

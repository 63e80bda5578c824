"""Edits made to a workspace of a test, and what is offered after them, as text."""

from __future__ import annotations

from qwen_lsp.features.next_edit.history import Edit, EditLog
from qwen_lsp.features.next_edit.places import next_places
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import workspace


def edited(snapshot: Snapshot, *steps: tuple[str, str, str]) -> tuple[Snapshot, tuple[Edit, ...]]:
    """The snapshot after some edits, each a path, a text that stands there and what takes its place; and the
    edits, newest first."""
    log = EditLog()
    for number, (name, old, new) in enumerate(steps):
        path = RelPath(name)
        before = snapshot.text(path)
        at = before.index(old)
        after = before[:at] + new + before[at + len(old) :]
        log.note(path, before, TextEdit(Span(at, at + len(old)), new), after, 100.0 * number)
        snapshot = snapshot.edited(path, after)
    return snapshot, log.recent()


def offers(text: str, *steps: tuple[str, str, str]) -> list[str]:
    """Each place offered after the edits: path, line, and the new line, with `?` where a model writes."""
    snapshot, edits = edited(workspace(text).snapshot, *steps)
    found: list[str] = []
    for place in next_places(snapshot, edits):
        index = snapshot.lines(place.path)
        start, end = index.start_of(place.line), index.end_of(index.line_at(place.span.end))
        line = index.text[start : place.span.start] + (place.text or "?") + index.text[place.span.end : end]
        found.append(f"{place.path}:{place.line + 1}: {line.strip()}")
    return found

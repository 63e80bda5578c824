"""Keystrokes put together into edits: what a stretch of lines was, and what it is now.

Noting a keystroke looks at the text around it alone, however large the file is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.narrow import trimmed
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

PAUSE = 30.0
"""Seconds without a keystroke after which the next one begins another edit."""
SETTLED = 0.6
"""Seconds without a keystroke after which an edit is taken for finished for now."""
_MOST = 16
_LARGEST = 8_000
_GAP = 160
_GAP_LINES = 2


@dataclass(frozen=True, slots=True)
class Edit:
    """Whole lines that were replaced. `start` is their offset in the text as it is now, in code points."""

    path: RelPath
    start: int
    before: str
    after: str

    def undone(self, text: str) -> str | None:
        """`text` as it was before; None when the lines are no longer in it as the edit left them."""
        end = self.start + len(self.after)
        if text[self.start : end] != self.after:
            return None
        return text[: self.start] + self.before + text[end:]


@dataclass(slots=True)
class _Open:
    """The edit under way: `base` is the text before it, and what became of `span` there has `length` now."""

    path: RelPath
    base: str
    text: str
    span: Span
    length: int
    at: float


class EditLog:
    """The last edits of one workspace, newest last. The owner notes every change of an open document."""

    def __init__(self, most: int = _MOST) -> None:
        self._closed: deque[Edit] = deque(maxlen=most)
        self._open: _Open | None = None

    def note(self, path: RelPath, before: str, edit: TextEdit, after: str, at: float) -> None:
        """Take in one change of `before` to `after`, at a moment in seconds of any steady clock.

        A change of many lines at once, as a formatter or another branch makes it, is nobody's edit: the
        edits of that file are forgotten.
        """
        if max(len(edit.span), len(edit.text)) > _LARGEST:
            edit = trimmed(before, edit)
            if max(len(edit.span), len(edit.text)) > _LARGEST:
                self.forget(path)
                return
        if not len(edit.span) and not edit.text:
            return
        joined = self._joined(path, before, edit, after, at)
        if joined is None:
            self._close()
            self._move(path, edit)
            joined = _Open(path, before, after, edit.span, len(edit.text), at)
        else:
            self._move(path, edit)
        self._open = joined

    def forget(self, path: RelPath) -> None:
        """Forget the edits of a file: it was closed, or is another text now."""
        kept = [edit for edit in self._closed if edit.path != path]
        self._closed.clear()
        self._closed.extend(kept)
        if self._open is not None and self._open.path == path:
            self._open = None

    def recent(self) -> tuple[Edit, ...]:
        """The last edits, newest first, the one under way included. Edits that changed nothing are none."""
        now = _edit(self._open) if self._open is not None else None
        found = reversed(self._closed)
        return (now, *found) if now is not None else tuple(found)

    def settled(self, at: float) -> bool:
        """Whether nobody has typed for a moment, so that the newest edit may be looked at."""
        return self._open is not None and at - self._open.at >= SETTLED

    def _joined(self, path: RelPath, before: str, edit: TextEdit, after: str, at: float) -> _Open | None:
        """The edit under way with one more change in it; None when the change is another edit."""
        now = self._open
        if now is None or now.path != path or at - now.at > PAUSE:
            return None
        if now.text is not before and now.text != before:
            return None
        first, last = now.span.start, now.span.start + now.length
        if edit.span.start > last and not _near(before, last, edit.span.start):
            return None
        if edit.span.end < first and not _near(before, edit.span.end, first):
            return None
        start, end = min(first, edit.span.start), max(last, edit.span.end)
        base = Span(start, now.span.end + end - last)
        length = end - start + len(edit.text) - len(edit.span)
        if max(len(base), length) > _LARGEST:
            return None
        return _Open(path, now.base, after, base, length, at)

    def _close(self) -> None:
        if self._open is not None and (edit := _edit(self._open)) is not None:
            self._closed.append(edit)
        self._open = None

    def _move(self, path: RelPath, change: TextEdit) -> None:
        """Keep the offsets of earlier edits true; one whose lines are changed again is no longer known."""
        delta = len(change.text) - len(change.span)
        kept: list[Edit] = []
        for edit in self._closed:
            if edit.path != path or change.span.start >= edit.start + len(edit.after):
                kept.append(edit)
            elif change.span.end <= edit.start:
                kept.append(replace(edit, start=edit.start + delta))
        self._closed.clear()
        self._closed.extend(kept)


def _near(text: str, start: int, end: int) -> bool:
    """Whether two offsets are so close that a person works at one thing there."""
    return end - start <= _GAP and text.count("\n", start, end) <= _GAP_LINES


def _edit(now: _Open) -> Edit | None:
    """The edit under way as whole lines, None when it leaves the text as it was."""
    start, end = now.span.start, now.span.end
    first = now.base.rfind("\n", 0, start) + 1
    ends = now.base[first:end], now.text[first : start + now.length]
    # Whole lines that came or went take no further line in.
    last = end if all(not text or text.endswith("\n") for text in ends) else _line_end(now.base, end)
    before, after = now.base[first:last], now.text[first : last + now.length - len(now.span)]
    return None if before == after else Edit(now.path, first, before, after)


def _line_end(text: str, offset: int) -> int:
    found = text.find("\n", offset)
    return len(text) if found < 0 else found + 1

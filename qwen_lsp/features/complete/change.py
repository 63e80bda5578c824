"""Change: one edit reduced to what it really changes, and told from the place of a suggestion.

Editors send more than they change: the whole word around a completion, or the whole document. And where the
same character stands twice, they are free to say which of the two is new.
"""

from __future__ import annotations

from dataclasses import dataclass

from qwen_lsp.text.edits import TextEdit, common_head

_NEAR = 200
"""Characters by which the place of an insertion may be told otherwise."""


@dataclass(frozen=True, slots=True)
class Change:
    """At `start`, a code point offset, `removed` stood and `text` stands now."""

    start: int
    removed: str
    text: str

    @property
    def end(self) -> int:
        """Where what was removed ended, in the text before the change."""
        return self.start + len(self.removed)

    @property
    def growth(self) -> int:
        return len(self.text) - len(self.removed)


def change_of(before: str, edit: TextEdit, place: int | None) -> Change:
    """What an edit changes of the text `before`; at `place` rather than beside it, where it can be either."""
    start, end, text = edit.span.start, edit.span.end, edit.text
    removed = before[start:end]
    if removed and text:
        head = common_head(removed, text)
        if place is not None and start <= place <= end:
            head = min(head, place - start)
        removed, text, start = removed[head:], text[head:], start + head
        tail = common_head(removed[::-1], text[::-1])
        removed, text = removed[: len(removed) - tail], text[: len(text) - tail]
    change = Change(start, removed, text)
    if place is None or removed or len(text) < 2 or abs(start - place) > _NEAR:
        return change
    return _told_from(before, change, place)


def _told_from(before: str, change: Change, place: int) -> Change:
    """An insertion beside a place as one at it, where the outcome is the same text."""
    start, text = change.start, change.text
    if start > place:
        between = before[place:start]
        both = between + text
        same, said = both[len(text) :] == between, both[: len(text)]
    else:
        between = before[start:place]
        both = text + between
        same, said = both.startswith(between), both[len(between) :]
    return Change(place, "", said) if same else change

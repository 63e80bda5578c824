"""Edits of one text and of a set of files: apply, diff, rebase, show.

A `FileEdit` carries whole texts before and after: what an editor, a preview and a journalled write
each need is derived from it, so nothing can disagree with it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qwen_lsp.errors import ConflictError
from qwen_lsp.text.positions import Span


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace `span` by `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One file's change. `before` None creates it, `after` None deletes it, `moved_from` renames it."""

    path: str
    before: str | None
    after: str | None
    moved_from: str | None = None
    why: str = ""

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise ValueError(f"{self.path}: an edit must leave or take something")


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Edits that belong together: previewed, accepted and undone as one."""

    edits: tuple[FileEdit, ...]
    label: str
    description: str = ""


def apply(text: str, edits: Iterable[TextEdit]) -> str:
    """The text after all edits; their spans all refer to `text` and must not overlap.

    Raises ConflictError where two spans overlap. Several insertions at one offset keep their order.
    """
    pieces: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end)):
        if edit.span.start < at:
            raise ConflictError(f"two edits overlap at offset {edit.span.start}")
        pieces += (text[at : edit.span.start], edit.text)
        at = edit.span.end
    pieces.append(text[at:])
    return "".join(pieces)


def common_head(one: str, other: str) -> int:
    """How many code points two texts begin with in common.

    By halves: comparing slices is far faster than a loop, and the texts may be whole files.
    """
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_ends(one: str, other: str) -> tuple[int, int]:
    """How many code points two texts begin and end with in common; the two never overlap in either text."""
    head = common_head(one, other)
    low, high = 0, min(len(one), len(other)) - head
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return head, low


def diff(before: str, after: str) -> list[TextEdit]:
    """Whole-line edits that turn `before` into `after`, in order of position."""
    old, new = _lines(before), _lines(after)
    # What both begin and end with is set aside first: comparing it would take most of the time.
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    starts = _starts(old)
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    edits: list[TextEdit] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            edits.append(TextEdit(Span(starts[head + i], starts[head + j]), "".join(new[k:m])))
    return edits


def unified(edit: FileEdit, context: int = 3) -> str:
    """The change as a unified diff in git's dress, ending in a newline; empty when nothing changes."""
    old_path = edit.moved_from or edit.path
    if edit.before == edit.after:
        return f"rename from {old_path}\nrename to {edit.path}\n" if edit.moved_from else ""
    lines = difflib.unified_diff(
        _lines(edit.before or ""),
        _lines(edit.after or ""),
        "/dev/null" if edit.before is None else f"a/{old_path}",
        "/dev/null" if edit.after is None else f"b/{edit.path}",
        n=context,
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def rebase(base: str, fork: str, current: str) -> str:
    """What `fork` did to `base`, done to `current` instead (a three-way merge by lines).

    Raises ConflictError when both changed the same lines, or touching ones, in different ways.
    """
    if current in (base, fork):
        return fork
    if fork == base:
        return current
    mine, theirs = diff(base, fork), diff(base, current)
    merged = list(theirs)
    for edit in mine:
        clash = [t for t in theirs if t.span.touches(edit.span)]
        if not clash:
            merged.append(edit)
        elif edit not in clash:
            line = base.count("\n", 0, edit.span.start) + 1
            raise ConflictError(f"both sides changed line {line}")
    return apply(base, merged)


def _lines(text: str) -> list[str]:
    """Lines with their ends, as git counts them: a form feed or a lone CR ends none."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _starts(lines: Sequence[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts

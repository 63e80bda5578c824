"""Edits of one text and of a set of files: apply, diff, rebase, show.

A `FileEdit` carries whole texts before and after: what an editor, a preview and a journalled write
each need is derived from it, so nothing can disagree with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from qwen_lsp.errors import ConflictError
from qwen_lsp.text.linediff import Run, changed
from qwen_lsp.text.positions import Span

_Property = TypeVar("_Property", bool, str)


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace `span` by `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One file's change. `before` None creates it, `after` None deletes it, `moved_from` renames it.

    A renamed file's `before` is what it held under its old name. Equal texts and an `executable` change the
    rights alone.
    """

    path: str
    before: str | None
    after: str | None
    moved_from: str | None = None
    why: str = ""
    executable: bool | None = None
    """Whether the file may be run afterwards; None leaves that as it is, and a new file without it."""

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise ValueError(f"{self.path}: an edit must leave or take something")


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Edits that belong together: previewed, accepted and undone as one."""

    edits: tuple[FileEdit, ...]
    label: str
    description: str = ""


def reversed_edit(edit: FileEdit) -> FileEdit:
    """The edit that takes this one back."""
    path, origin = (edit.moved_from, edit.path) if edit.moved_from else (edit.path, None)
    # A deletion says whether the file could be run, so that it can again.
    flipped = edit.executable if edit.after is None else None if edit.before is None else not edit.executable
    executable = None if edit.executable is None else flipped
    return replace(
        edit, path=path, moved_from=origin, before=edit.after, after=edit.before, executable=executable
    )


def ended(text: str | None) -> str | None:
    """A text without its last line breaks, which editors set by a rule of their own."""
    return None if text is None else text.rstrip("\r\n")


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
    old, new = lines_of(before), lines_of(after)
    starts = starts_of(old)
    return [
        TextEdit(Span(starts[run.start], starts[run.end]), "".join(new[run.new_start : run.new_end]))
        for run in changed(old, new)
    ]


def unified(edit: FileEdit, context: int = 3) -> str:
    """The change as a unified diff in git's dress, ending in a newline; empty when nothing changes.

    A renamed file and changed rights have git's own header lines, so that `git apply` does all of it.
    """
    old_path = edit.moved_from or edit.path
    header: list[str] = []
    if edit.executable is not None and edit.after is not None:
        now, other = ("100755", "100644") if edit.executable else ("100644", "100755")
        header += (
            [f"new file mode {now}"] if edit.before is None else [f"old mode {other}", f"new mode {now}"]
        )
    if edit.moved_from is not None:
        header += [f"rename from {_quoted(old_path)}", f"rename to {_quoted(edit.path)}"]
    if header:
        header.insert(0, f"diff --git {_quoted(f'a/{old_path}')} {_quoted(f'b/{edit.path}')}")
    old, new = lines_of(edit.before or ""), lines_of(edit.after or "")
    hunks = list(_hunks(old, new, context))
    if hunks:
        header.append(f"--- {'/dev/null' if edit.before is None else _quoted(f'a/{old_path}')}")
        header.append(f"+++ {'/dev/null' if edit.after is None else _quoted(f'b/{edit.path}')}")
    return "".join(f"{line}\n" for line in header) + "".join(hunks)


def _hunks(old: Sequence[str], new: Sequence[str], context: int) -> Iterator[str]:
    groups: list[list[Run]] = []
    for run in changed(old, new):
        if groups and run.start - groups[-1][-1].end <= 2 * context:
            groups[-1].append(run)
        else:
            groups.append([run])
    for runs in groups:
        above = min(context, runs[0].start)
        below = min(context, len(old) - runs[-1].end)
        at = runs[0].start - above
        places = (
            _range(at, runs[-1].end + below),
            _range(runs[0].new_start - above, runs[-1].new_end + below),
        )
        yield f"@@ -{places[0]} +{places[1]} @@\n"
        for run in runs:
            yield from (_marked(" ", line) for line in old[at : run.start])
            yield from (_marked("-", line) for line in old[run.start : run.end])
            yield from (_marked("+", line) for line in new[run.new_start : run.new_end])
            at = run.end
        yield from (_marked(" ", line) for line in old[at : at + below])


def _range(start: int, end: int) -> str:
    """Lines as a hunk's header counts them: from 1, and from the line before where there are none."""
    if end - start == 1:
        return str(end)
    return f"{start + 1 if end > start else start},{end - start}"


def _marked(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _quoted(name: str) -> str:
    """A file name as git writes it: one that could be mistaken for more than a name is quoted."""
    if not any(c in '"\\' or c < " " or c == "\x7f" for c in name):
        return name
    plain = "".join(f"\\{c}" if c in '"\\' else c for c in name)
    return '"' + "".join(c if " " <= c != "\x7f" else f"\\{ord(c):03o}" for c in plain) + '"'


def rebase(base: str, fork: str, current: str) -> str:
    """What `fork` did to `base`, done to `current` instead (a three-way merge by lines).

    Whatever led from `base` to `current` is kept. A change of all line endings, and one of the last line's
    end, is merged apart from the lines. Raises ConflictError when both changed the same lines, or touching
    ones, in different ways.
    """
    if current in (base, fork):
        return fork
    if fork == base:
        return current
    texts = (base, fork, current)
    endings = [_ending(text) for text in texts]
    if "mixed" in endings:
        return _merged(base, fork, current)
    plain = [text.replace("\r\n", "\n") for text in texts]
    merged = _merged(*(text if not text or text.endswith("\n") else f"{text}\n" for text in plain))
    # A text without the thing in question has no say about it.
    ended = _agreed(*(text.endswith("\n") if text else None for text in plain))
    ending = _agreed(*(ending or None for ending in endings))
    if merged and ended is False:
        merged = merged[:-1]
    return merged.replace("\n", "\r\n") if ending == "\r\n" else merged


def _merged(base: str, fork: str, current: str) -> str:
    mine, theirs = diff(base, fork), diff(base, current)
    merged = list(theirs)
    first = 0
    for edit in mine:
        while first < len(theirs) and theirs[first].span.end < edit.span.start:
            first += 1
        clash = theirs[first] if first < len(theirs) and theirs[first].span.touches(edit.span) else None
        if clash is None:
            merged.append(edit)
        elif edit != clash:
            line = base.count("\n", 0, edit.span.start) + 1
            raise ConflictError(f"both sides changed line {line}")
    return apply(base, merged)


def _agreed(base: _Property | None, fork: _Property | None, current: _Property | None) -> _Property | None:
    """One property of a merge: the fork's where it was changed there, else what it is now."""
    return fork if fork is not None and fork != base else current if current is not None else base


def _ending(text: str) -> Literal["", "\n", "\r\n", "mixed"]:
    """How the lines of a text end; "" where there is only one."""
    lines, both = text.count("\n"), text.count("\r\n")
    if both == lines:
        return "\r\n" if lines else ""
    return "mixed" if both else "\n"


def lines_of(text: str) -> list[str]:
    """Lines with their ends, as git counts them: a form feed or a lone CR ends none."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def starts_of(lines: Sequence[str]) -> list[int]:
    """The offset at which each line starts, and that of the end."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts

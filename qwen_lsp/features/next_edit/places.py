"""Where an edit calls for another one: places that still hold the old form, nearest first, with a why."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qwen_lsp.errors import FileUnreadable
from qwen_lsp.features.next_edit.history import Edit
from qwen_lsp.features.next_edit.kinds import EditKind, Renamed, Replaced, Reshaped, Version, kinds
from qwen_lsp.features.next_edit.signatures import fits, listed
from qwen_lsp.features.next_edit.words import neighbours, places_of, says
from qwen_lsp.index.graph import resolve_all
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import Kind
from qwen_lsp.syntax.tags import occurrences
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath, folder_of

_MOST_FILES = 40
_MOST_WORDS, _MOST_LINES, _SHORTEST = 12, 4, 8
_FAR = 4_000
"""Characters beyond which the same words were rarely meant, when they were replaced once."""
_LARGEST_FILE = 400_000
_MEMBERS: frozenset[Kind] = frozenset(("method", "field", "property", "member", "constructor"))
_ACCESS = re.compile(r"(?:\.|->|::)\s*$")
_OWN = re.compile(r"(?:\b(?:self|this|cls|super\(\))\??(?:\.|->)|@)\s*$")
_KEYWORD = re.compile(r"\s*=(?![=>])")


@dataclass(frozen=True, slots=True)
class NextPlace:
    """A place that calls for an edit: `span` of the file's text, and what belongs there.

    `text` is None where that has to be written by a model. `line` is the first one, zero-based.
    """

    path: RelPath
    span: Span
    text: str | None
    line: int
    why: str
    kind: EditKind


@dataclass(frozen=True, slots=True)
class _File:
    path: RelPath
    text: str
    index: LineIndex
    skip: Span
    """What was edited just now; empty in other files."""


def next_places(
    snapshot: Snapshot, edits: Sequence[Edit], *, limit: int = 10, skip: Iterable[tuple[RelPath, str]] = ()
) -> list[NextPlace]:
    """The places that the newest of `edits` (newest first) calls for, in the order in which to go there.

    `skip` are places that were refused: a path and the text of the lines. Parses the files it looks into;
    call it in a thread. Empty where the edit calls for nothing, and where it cannot be told.
    """
    refused = set(skip)
    found: list[NextPlace] = []
    for place in _found(snapshot, edits):
        lines = snapshot.lines(place.path)
        last = lines.line_at(max(place.span.start, place.span.end - 1))
        span = lines.lines_span(place.line, last)
        if (place.path, lines.text[span.start : span.end]) not in refused:
            found.append(place)
        if len(found) >= limit:
            break
    return found


def versions(snapshot: Snapshot, edit: Edit) -> tuple[Version, Version] | None:
    """The file before and after an edit; None when it is no code, too large, or another text by now."""
    try:
        after = snapshot.lines(edit.path)
    except FileUnreadable:
        return None
    language = snapshot.language(edit.path)
    old = edit.undone(after.text)
    if old is None or language is None or not language.is_code or len(after.text) > _LARGEST_FILE:
        return None
    facts, was = snapshot.facts(edit.path), snapshot.edited(edit.path, old).facts(edit.path)
    if facts is None or was is None:
        return None
    return Version(old, LineIndex(old), was), Version(after.text, after, facts)


def _found(snapshot: Snapshot, edits: Sequence[Edit]) -> Iterator[NextPlace]:
    both = versions(snapshot, edits[0]) if edits else None
    if both is None:
        return
    before, after = both
    edit = edits[0]
    here = _File(edit.path, after.text, after.index, Span(edit.start, edit.start + len(edit.after)))
    seen: set[tuple[RelPath, int]] = set()
    for kind in kinds(edit, before, after, edits[1:]):
        for place in _of(snapshot, kind, here):
            if (place.path, place.line) not in seen:
                seen.add((place.path, place.line))
                yield place


def _of(snapshot: Snapshot, kind: EditKind, here: _File) -> Iterator[NextPlace]:
    if isinstance(kind, Renamed):
        yield from _old_names(snapshot, kind, here)
    elif isinstance(kind, Reshaped):
        yield from _old_calls(snapshot, kind, here)
    else:
        yield from _same_words(kind, here)


# -- renamed


def _old_names(snapshot: Snapshot, kind: Renamed, here: _File) -> Iterator[NextPlace]:
    if kind.what == "definition" and not _meant_alone(snapshot, kind, here.path):
        files: Iterable[_File] = (here, *_importing(snapshot, kind, here.path))
        own = kind.kind in _MEMBERS
    elif kind.what == "definition":
        files, own = _files(snapshot, kind.old, here), False
    else:
        files, own = (here,), False
    what = "by its old name" if kind.what != "local" else "what is"
    for file in files:
        yield from _by_line(
            kind,
            file,
            [span for span in _names_in(snapshot, kind, file) if not own or _is_own(file, span)],
            kind.new if kind.alone and kind.what != "import" else None,
            f"still says `{kind.old}`, {what} `{kind.new}` now".replace("by its old name", "which is called"),
        )


def _names_in(snapshot: Snapshot, kind: Renamed, file: _File) -> Iterator[Span]:
    tree = snapshot.tree(file.path)
    if tree is None or len(file.text) > _LARGEST_FILE or not says(file.text, kind.old):
        return
    member = kind.what == "definition" and kind.kind in _MEMBERS
    for span in occurrences(tree, kind.old):
        if span.touches(file.skip):
            continue
        line = file.index.line_at(span.start)
        if kind.lines is not None and not kind.lines[0] <= line <= kind.lines[1]:
            continue
        prefix = file.text[file.index.start_of(line) : span.start]
        accessed = _ACCESS.search(prefix) is not None or prefix.endswith("@")
        if member != accessed and (member or kind.what != "definition"):
            continue
        if kind.what in ("local", "parameter", "import") and _is_key(file.text, span):
            continue
        yield span


def _is_key(text: str, span: Span) -> bool:
    """Whether a name is the keyword of an argument, or the key of an entry: another thing of that name."""
    before = text[max(0, span.start - 80) : span.start].rstrip()[-1:]
    behind = text[span.end : span.end + 40]
    return before in "(,{" and (
        _KEYWORD.match(behind) is not None or re.match(r"\s*:(?!:)", behind) is not None
    )


def _is_own(file: _File, span: Span) -> bool:
    return _OWN.search(file.text[max(0, span.start - 24) : span.start]) is not None


def _meant_alone(snapshot: Snapshot, kind: Renamed, path: RelPath) -> bool:
    """Whether nothing else in the workspace has the old name."""
    return not snapshot.definitions(kind.old, near=(path,))


def _importing(snapshot: Snapshot, kind: Renamed, path: RelPath) -> Iterator[_File]:
    """Files that take the old name from the edited file."""
    for other in _nearest(path, snapshot.using(kind.old)):
        facts = snapshot.facts(other)
        for imp in facts.imports if facts is not None else ():
            if kind.old in imp.names and path in resolve_all(snapshot, other, imp):
                if (file := _file(snapshot, other)) is not None:
                    yield file
                break


# -- reshaped


def _old_calls(snapshot: Snapshot, kind: Reshaped, here: _File) -> Iterator[NextPlace]:
    named = snapshot.definitions(kind.name, near=(here.path,))
    alone = len(named) <= 1
    for file in _files(snapshot, kind.name, here) if alone else (here,):
        tree = snapshot.tree(file.path)
        if tree is None or len(file.text) > _LARGEST_FILE:
            continue
        for span in occurrences(tree, kind.name):
            passed = listed(file.text, span.end)
            if (
                span.touches(file.skip)
                or passed is None
                or (not alone and kind.owner and not _is_own(file, span))
            ):
                continue
            if fits(kind.before, passed) and fits(kind.after, passed) is False:
                line = file.index.line_at(span.start)
                whole = Span(span.start, passed.end + 1)
                yield NextPlace(file.path, whole, None, line, f"still calls `{kind.name}` as before", kind)


# -- replaced


def _same_words(kind: Replaced, here: _File) -> Iterator[NextPlace]:
    """Where the same words stand in the same company. What stands there often was rarely meant everywhere."""
    why = "the same as what was changed" if kind.lines else f"still says `{_short(kind.old)}`"
    spans: list[Span] = []
    for match in places_of(here.text, kind.old):
        span = Span(match.start(), match.end())
        at = -1 if kind.lines else kind.new.find(kind.old)
        done = at >= 0 and here.text.startswith(kind.new, span.start - at)
        if done or span.touches(here.skip) or (kind.lines and not _whole_line(here, span)):
            continue
        if kind.within is None or kind.within[0] <= here.index.line_at(span.start) <= kind.within[1]:
            spans.append(span)
    if kind.seen == 1 and len(spans) > (_MOST_LINES if kind.lines else _MOST_WORDS):
        return
    if kind.seen == 1 and len(kind.old) < _SHORTEST:
        return
    if kind.seen == 1:
        spans = [s for s in spans if abs(s.start - here.skip.start) <= _FAR]
    if not kind.lines:
        spans = [s for s in spans if neighbours(here.text, s.start, s.end) in kind.beside]
    yield from _by_line(kind, here, spans, kind.new, why)


def _whole_line(file: _File, span: Span) -> bool:
    first, last = file.index.line_at(span.start), file.index.line_at(max(span.start, span.end - 1))
    start, end = file.index.start_of(first), file.index.end_of(last)
    return not file.text[start : span.start].strip() and not file.text[span.end : end].strip()


# -- files and lines


def _by_line(
    kind: EditKind, file: _File, spans: Sequence[Span], new: str | None, why: str
) -> Iterator[NextPlace]:
    """One place for each line with one of the spans: those below the edit first, then those above it."""
    lines: dict[int, list[Span]] = {}
    for span in spans:
        lines.setdefault(file.index.line_at(span.start), []).append(span)
    for line in sorted(lines, key=lambda n: (file.index.start_of(n) < file.skip.start, n)):
        first, *rest = sorted(lines[line])
        text, at = new or "", first.end
        for span in rest:
            text += file.text[at : span.start] + (new or "")
            at = span.end
        yield NextPlace(file.path, Span(first.start, at), text if new is not None else None, line, why, kind)


def _files(snapshot: Snapshot, name: str, here: _File) -> Iterator[_File]:
    """The edited file, then those that use a name, the nearest first."""
    yield here
    for path in _nearest(here.path, snapshot.using(name)):
        if (file := _file(snapshot, path)) is not None:
            yield file


def _file(snapshot: Snapshot, path: RelPath) -> _File | None:
    try:
        index = snapshot.lines(path)
    except FileUnreadable:
        return None
    return _File(path, index.text, index, Span(-1, -1))


def _nearest(path: RelPath, others: Iterable[RelPath]) -> list[RelPath]:
    """Other files, those in the same folder first, then those with the longest way in common."""
    folder = folder_of(path)

    def away(other: RelPath) -> tuple[int, RelPath]:
        way = posixpath.relpath(posixpath.dirname(other) or ".", folder or ".")
        return (0 if way == "." else way.count("/") + 1), other

    return sorted((o for o in set(others) if o != path), key=away)[:_MOST_FILES]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"

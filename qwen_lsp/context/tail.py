"""The tail of an epoch: what changed since it was cut, said behind the frozen part and never taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.page import UNREADABLE, Page
from qwen_lsp.context.prefix import Entry, Epoch, Kind, Sight
from qwen_lsp.context.render import piece
from qwen_lsp.context.texts import content_of, name_of
from qwen_lsp.index.scan import plain_stat
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Withheld

_REWRITTEN = 0.5
"""The share of its room that a tail may take once it is written anew; fuller, it would be full again soon."""
_NEW_FILE = 3
"""A file that the epoch did not have comes whole up to this part of the tail's room, else as its outline."""
_TELLING = 64
"""Tokens of a content that no other file has by chance."""


def grown(epoch: Epoch, near: Sequence[Candidate], sight: Sight) -> Epoch | str:
    """The epoch with what changed at the end of its tail; or why it cannot go on, as a sentence."""
    room = epoch.base.room.tail
    latest = epoch.latest()
    same = dict(epoch.same)
    more: list[Entry] = []
    withheld: list[Withheld] = []
    for path, entry in latest.items():
        if path == sight.current:
            continue  # the prompt shows it as it is
        name = name_of(sight.snapshot, path)
        if name and name in (entry.name, same.get(path)):
            continue
        page = Page(sight.snapshot, path, sight.count, sight.gate)
        if page.problem and page.problem != UNREADABLE:
            return f"{path} may no longer be shown ({page.problem})"
        if page.problem or not sight.snapshot.has(path):
            if entry.kind != "gone":
                taken = latest.keys() | {other.moved_to for other in more}
                more.append(_gone(path, entry, taken, sight))
            continue
        again = _again(path, entry, page, sight)
        if again is None:
            same[path] = page.name
        else:
            more.append(again)
            withheld += page.withheld
    left = room - epoch.tail_tokens - sum(entry.tokens for entry in more)
    for page in _new(epoch, near, latest.keys() | {entry.moved_to for entry in more}, sight):
        entry = _fresh(page, room, sight)
        # A file without room is no reason to cut; if it goes on being wanted, the prefix ceases to fit.
        if entry.tokens <= left:
            more.append(entry)
            withheld += page.withheld
            left -= entry.tokens
    told = tuple(dict.fromkeys((*epoch.withheld, *withheld)))
    following = replace(epoch, tail=(*epoch.tail, *more), same=same, withheld=told)
    if following.tail_tokens <= room:
        return following
    following = replace(following, tail=_once(following))
    if following.tail_tokens <= room * _REWRITTEN:
        return following
    return "the tail of changes outgrew its share"


def _again(path: RelPath, entry: Entry, page: Page, sight: Sight) -> Entry | None:
    """The file as it is now, in the form it was shown in; None when that form says the same."""
    kind: Kind = "outline" if entry.kind == "outline" and page.outline else "whole"
    body = page.outline if kind == "outline" else page.text
    if entry.kind == kind and piece(path, body) == piece(path, entry.body):
        return None
    if entry.kind == "gone":
        return _entry(page, kind, "as it is now", "created again since", sight)
    return _entry(page, kind, "as it is now; replaces the text above", "changed since", sight)


def _gone(path: RelPath, entry: Entry, taken: set[RelPath | None], sight: Sight) -> Entry:
    """Tells that a file is no more, or where it is now."""
    new = _moved(entry, taken, sight)
    said = f"moved to {new}, with the text above" if new else "no longer in the workspace"
    text = f"## {path} ({said})\n\n"
    return Entry(path, "gone", "", text, sight.count(text), f"{'moved' if new else 'gone'} since", new)


def _moved(entry: Entry, taken: set[RelPath | None], sight: Sight) -> RelPath | None:
    """A file with the same content that the epoch does not show; not for contents that many files share."""
    if entry.tokens < _TELLING:
        return None
    language = sight.snapshot.language(entry.path)
    key = (entry.name, language.id if language is not None else "")
    found = (p for p in sight.snapshot.manifest.with_content(*key) if p not in taken)
    new = next((p for p in found if sight.gate.admits_path(p) is None), None)
    # An open file may hold something else than the disk.
    return new if new is not None and content_of(sight.snapshot, new)[1] == entry.name else None


def _new(epoch: Epoch, near: Sequence[Candidate], known: set[RelPath | None], sight: Sight) -> Iterator[Page]:
    """Files that the epoch does not show and that were worked on since it was cut, in a fixed order."""
    wanted = dict.fromkeys(c.path for c in near if c.path not in known)
    touched = {path for path in wanted if _touched(epoch, path, sight)}
    for path in sorted(touched.union(epoch.visited)):
        if path in known or path == sight.current or not sight.snapshot.has(path):
            continue
        page = Page(sight.snapshot, path, sight.count, sight.gate)
        if not page.problem:
            yield page


def _touched(epoch: Epoch, path: RelPath, sight: Sight) -> bool:
    entry = sight.snapshot.files.get(path)
    if path in sight.snapshot.buffers:
        return entry is None or name_of(sight.snapshot, path) != entry.digest
    if entry is None:
        return False
    stat = plain_stat(sight.snapshot.root, path)
    return stat is not None and stat.written_ns > epoch.moment


def _fresh(page: Page, room: int, sight: Sight) -> Entry:
    large = page.whole_tokens > room // _NEW_FILE and page.outline_tokens
    return _entry(page, "outline" if large else "whole", "", "worked on a moment ago", sight)


def _entry(page: Page, kind: Kind, said: str, why: str, sight: Sight) -> Entry:
    heading = f"{page.path} ({said})" if said else page.path
    text = piece(heading, page.outline if kind == "outline" else page.text)
    return Entry(page.path, kind, page.name, text, sight.count(text), why)


def _once(epoch: Epoch) -> tuple[Entry, ...]:
    """The tail with the last that was said of each file, and the text that a move speaks of."""
    last: dict[RelPath, int] = {}
    kept: set[int] = set()
    for number, entry in enumerate(epoch.tail):
        if entry.moved_to is not None:
            kept |= {number, last.get(entry.path, number)}
        last[entry.path] = number
    kept.update(last.values())
    return tuple(entry for number, entry in enumerate(epoch.tail) if number in kept)

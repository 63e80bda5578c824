"""Tally: what became of suggestions, told from what was returned and how the text changed. Sent nowhere.

A keystroke costs the same in a small and in a huge file. Whether somebody accepted is never said by editors,
so it is inferred: who inserts at the place what was suggested, two characters or more at once, has accepted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

from qwen_lsp.features.complete.change import Change, change_of
from qwen_lsp.features.complete.latest import keep_latest
from qwen_lsp.features.complete.receipt import Source
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.workspace.paths import RelPath

KEPT_AFTER = 30.0
"""Seconds after which an accepted text has been kept when it is still there."""
_NEAR = 400
"""Characters on each side of where an accepted text would be that are searched for it."""
_OFFERS, _WATCHED, _REMEMBERED, _RECENT = 48, 64, 64, 32
_PAIRS = frozenset({"()", "[]", "{}", "<>", '""', "''", "``"})
_OPENERS, _CLOSERS = "([{<\"'`", ")]}>\"'`"


class Handle(Protocol):
    """A call to come that can be called off."""

    def cancel(self) -> object: ...


@dataclass(slots=True)
class Counts:
    """How many suggestions. `kept` of `kept_of` accepted ones whose text could be looked for afterwards."""

    shown: int = 0
    accepted: int = 0
    accepted_in_part: int = 0
    typed_through: int = 0
    kept: int = 0
    kept_of: int = 0

    def add(self, other: Counts) -> None:
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


@dataclass(eq=False, slots=True)
class _Offer:
    """The suggestion that stands in a file: what is left of it, and where it would go."""

    answer: object
    counts: tuple[Counts, ...]
    start: int
    left: str
    typed: int = 0
    in_part: bool = False
    opened: bool = False
    """Whether an opening bracket was typed last, which editors close by themselves."""


@dataclass(eq=False, slots=True)
class _Watched:
    """A text that was accepted, to be looked for again."""

    path: RelPath
    start: int
    text: str
    counts: tuple[Counts, ...]
    handle: Handle | None = None


def _call_later(seconds: float, call: Callable[[], None]) -> Handle:
    return asyncio.get_running_loop().call_later(seconds, call)


@dataclass(eq=False)
class Tally:
    """The counts of one workspace. Lives on the event loop; its memory is bounded."""

    read: Callable[[RelPath], str | None] = lambda path: None
    """The text of an open document; None of one that is not open."""
    later: Callable[[float, Callable[[], None]], Handle] = _call_later
    """Calls after so many seconds."""
    total: Counts = field(default_factory=Counts)
    by_source: dict[str, Counts] = field(default_factory=dict[str, Counts])
    by_language: dict[str, Counts] = field(default_factory=dict[str, Counts])
    requests_avoided: int = 0
    """How often a known answer made a request needless."""
    _offers: dict[RelPath, _Offer] = field(default_factory=dict[RelPath, _Offer])
    _watched: deque[_Watched] = field(default_factory=deque[_Watched])
    _counted: deque[object] = field(default_factory=lambda: deque[object](maxlen=_REMEMBERED))
    """Answers that were counted as shown and not taken yet."""
    _changes: deque[tuple[int, RelPath, Change]] = field(
        default_factory=lambda: deque[tuple[int, RelPath, Change]](maxlen=_RECENT)
    )
    now: int = 0
    """Counts the changes of all documents."""

    # -- what is shown ---------------------------------------------------------------------------------

    def shown(
        self, path: RelPath, language: str, offset: int, text: str, source: Source, *,
        answer: object = None, since: int | None = None,
    ) -> None:  # fmt: skip
        """A suggestion was returned for `offset` of the text as it was at the change `since`.

        The same suggestion, shown again farther on, is no new one: it is told by its `answer`, or by standing
        where the last one did.
        """
        before = self._offers.get(path)
        same = before is not None and (
            (answer is not None and before.answer is answer) or (before.start, before.left) == (offset, text)
        )
        if same and before is not None:
            offer = before
            offer.start, offer.left = offset, text
        else:
            counts = (
                self.total,
                self.by_source.setdefault(source, Counts()),
                self.by_language.setdefault(language or "plaintext", Counts()),
            )
            offer = _Offer(answer, counts, offset, text)
            if answer is None or not any(answer is known for known in self._counted):
                _count(counts, "shown")
                if answer is not None:
                    self._counted.append(answer)
        keep_latest(self._offers, path, offer, _OFFERS)
        if since is not None and since != self.now:
            self._catch_up(path, offer, since)

    def _catch_up(self, path: RelPath, offer: _Offer, since: int) -> None:
        """Take in what was typed before the suggestion could be shown."""
        forgotten = self._changes[0][0] > since + 1
        missed = [change for number, of, change in self._changes if number > since and of == path]
        # What was typed before a suggestion could be seen is no acceptance of it.
        if forgotten or not all(self._follow(path, offer, change, typed=True) for change in missed):
            self._offers.pop(path, None)

    # -- what happens to the text ----------------------------------------------------------------------

    def changed(self, path: RelPath, before: str, edit: TextEdit) -> None:
        """A document changed: `edit` is of a place in the text `before`."""
        self.now += 1
        offer = self._offers.get(path)
        change = change_of(before, edit, offer.start if offer is not None else None)
        self._changes.append((self.now, path, change))
        for watched in self._watched:
            if watched.path == path and change.end <= watched.start:
                watched.start += change.growth
        if offer is not None and not self._follow(path, offer, change):
            self._offers.pop(path, None)

    def closed(self, path: RelPath) -> None:
        """A document was closed: what becomes of its text is not known any more."""
        self._offers.pop(path, None)
        for watched in [watched for watched in self._watched if watched.path == path]:
            self._forget(watched)

    def close(self) -> None:
        """Call off what is to come."""
        for watched in list(self._watched):
            self._forget(watched)

    def _follow(self, path: RelPath, offer: _Offer, change: Change, *, typed: bool = False) -> bool:
        """Whether a suggestion still stands after a change; count what became of it."""
        if change.start >= offer.start and change.removed:
            return change.start > offer.start
        if change.start > offer.start:
            return True
        if change.end < offer.start:
            offer.start += change.growth
            return True
        if change.removed:
            # Taking back what was typed of it is the only change here that leaves it standing.
            if change.text or len(change.removed) > offer.typed or change.end != offer.start:
                return False
            offer.start, offer.left = change.start, change.removed + offer.left
            offer.typed -= len(change.removed)
            return True
        return self._insert(path, offer, change.text, typed=typed)

    def _insert(self, path: RelPath, offer: _Offer, text: str, *, typed: bool) -> bool:
        if offer.opened and text in _CLOSERS and not offer.left.startswith(text):
            return True
        said = text.replace("\r\n", "\n")
        by_key = typed or len(said) == 1 or said in _PAIRS or (said[:1] == "\n" and not said.strip())
        if said in _PAIRS and not offer.left.startswith(said):
            text = said = said[0]
        if not offer.left.startswith(said):
            return False
        at, offer.left = offer.start, offer.left[len(said) :]
        offer.start += len(text)
        offer.opened = said[-1:] in _OPENERS
        if by_key:
            offer.typed += len(said)
            if not offer.left and not offer.in_part:
                _count(offer.counts, "typed_through")
        elif offer.left:
            if not offer.in_part:
                _count(offer.counts, "accepted_in_part")
            offer.in_part = True
        else:
            if offer.in_part:
                _count(offer.counts, "accepted_in_part", -1)
            _count(offer.counts, "accepted")
            self._watch(_Watched(path, at, _squashed(said), offer.counts))
        if not offer.left:
            # When it is shown again it is for another time.
            kept = [answer for answer in self._counted if answer is not offer.answer]
            self._counted = deque(kept, maxlen=_REMEMBERED)
        return bool(offer.left)

    # -- whether it is kept ----------------------------------------------------------------------------

    def _watch(self, watched: _Watched) -> None:
        if not watched.text:
            return
        while len(self._watched) >= _WATCHED:
            self._forget(self._watched[0])
        self._watched.append(watched)
        watched.handle = self.later(KEPT_AFTER, lambda: self._look(watched))

    def _look(self, watched: _Watched) -> None:
        self._forget(watched)
        text = self.read(watched.path)
        if text is None:
            return
        _count(watched.counts, "kept_of")
        around = text[max(0, watched.start - _NEAR) : watched.start + 2 * len(watched.text) + _NEAR]
        if watched.text in _squashed(around):
            _count(watched.counts, "kept")

    def _forget(self, watched: _Watched) -> None:
        if watched in self._watched:
            self._watched.remove(watched)
        if watched.handle is not None:
            watched.handle.cancel()


def statistics(tallies: Iterable[Tally]) -> dict[str, Any]:
    """All counts together, as JSON: in all, `by_source`, `by_language`, and `requests_avoided`."""
    total = Counts()
    by_source: dict[str, Counts] = {source: Counts() for source in ("model", "cache", "embedded")}
    by_language: dict[str, Counts] = {}
    avoided = 0
    for tally in tallies:
        total.add(tally.total)
        avoided += tally.requests_avoided
        for into, of in ((by_source, tally.by_source), (by_language, tally.by_language)):
            for name, counts in of.items():
                into.setdefault(name, Counts()).add(counts)
    return {
        **asdict(total),
        "requests_avoided": avoided,
        "by_source": {name: asdict(counts) for name, counts in by_source.items()},
        "by_language": {name: asdict(counts) for name, counts in sorted(by_language.items())},
    }


def _count(counts: tuple[Counts, ...], name: str, by: int = 1) -> None:
    for each in counts:
        setattr(each, name, getattr(each, name) + by)


def _squashed(text: str) -> str:
    """A text without white space, which formatters change."""
    return "".join(text.split())

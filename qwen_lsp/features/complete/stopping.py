"""Where an answer ends: decided while it streams, so that the model can be stopped at once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from qwen_lsp.features.complete.again import said_again
from qwen_lsp.features.complete.leaks import code_in
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.reading import ONE_LINE, Cut, Reading

LONGEST = 16_000
"""Characters of an answer that are read: more than the most tokens that can be asked for usually are."""
TOO_LONG = "it has no end"


@dataclass(frozen=True, slots=True)
class End:
    """Where an answer is cut, an offset in code points, and a few words for a person why."""

    at: int
    why: str


def end_of(text: str, place: Place, *, finished: bool = False) -> End | None:
    """Where `text`, the answer so far, must be cut; None while it may go on.

    `finished` says that nothing follows, so that the last line counts as whole.
    """
    if len(text) > LONGEST:
        return end_of(text[:LONGEST], place, finished=True) or End(LONGEST, TOO_LONG)
    place = place.nearby
    if "<" not in text and _is_one_line(text, place, finished=finished):
        return None
    code = code_in(text, place, finished=finished)
    if code is None:
        return None
    if not place.whole_line_ahead:
        newline = text.find("\n", code.start, code.end + 1)
        if newline >= 0:
            return End(newline, ONE_LINE)
        return End(code.end, code.why) if code.why else None
    whole = finished or bool(code.why)
    again = said_again(text[code.start : code.end], place, finished=whole)
    if again is None:
        return None
    start = code.start + again
    if (cut := _cut(text[start : code.end], place, finished=whole)) is not None:
        return End(start + cut.at, cut.why)
    return End(code.end, code.why) if code.why else None


def _is_one_line(text: str, place: Place, *, finished: bool) -> bool:
    """Whether there is but a single line so far: whatever it says, it is not cut."""
    if not finished:
        return "\n" not in text
    return "`" not in text and place.whole_line_ahead and "\n" not in text.strip()


@dataclass(slots=True)
class _Progress:
    """The whole lines of an answer that were read already, so that each piece of a stream costs the same."""

    place: Place
    reading: Reading
    text: str = ""


_recent: deque[_Progress] = deque(maxlen=8)


def _progress(place: Place) -> _Progress:
    """Found by identity: to compare or to hash a place is to look at its whole text."""
    for done in _recent:
        if done.place is place:
            return done
    _recent.appendleft(_Progress(place, Reading(place)))
    return _recent[0]


def _cut(text: str, place: Place, *, finished: bool) -> Cut | None:
    done = _progress(place)
    if not text.startswith(done.text):
        done.reading, done.text = Reading(place), ""
    start = len(done.text)
    while (newline := text.find("\n", start)) >= 0:
        if (cut := done.reading.take(text, start, text[start:newline], whole=True)) is not None:
            done.reading, done.text = Reading(place), ""
            return cut
        start = newline + 1
        done.text = text[:start]
    # The last line may grow: what is learnt of it is forgotten again.
    return done.reading.fork().take(text, start, text[start:], whole=finished)

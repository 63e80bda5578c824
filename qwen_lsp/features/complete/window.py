"""The prompt of one completion: the text around the cursor behind its frame, to the token.

Between two keystrokes only the cursor's line differs, so what stands above and below it is cut, looked
through for secrets and counted once. The prompt begins at the same place as long as it fits: a model server
reads again only what follows the first difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from qwen_lsp.features.complete.frame import MARKERS_EACH, Frame
from qwen_lsp.features.complete.latest import keep_latest
from qwen_lsp.features.complete.place import Place
from qwen_lsp.model.messages import FimRequest
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate, Withheld

Count = Callable[[str], int]

_BEHIND_SHARE, _BEHIND_LEAST, _BEHIND_MOST = 0.09, 64, 0.15
"""Of what stands before the cursor: what follows it is read anew after each key. More of it at the top of a
file, where there is little else; shares of the budget, and tokens."""
_FEW_BEFORE = 0.25
_SLACK = 0.06
"""Of the budget: left free when the beginning of the text above is chosen, so that it lasts a few lines."""
_MARKERS = 8
"""Special tokens of a FIM prompt around prefix, suffix and the current file's path, and a newline."""
_LEAST_SHARE = 0.4
"""Of the budget: what the text of the file itself has before all others, if it is that long."""
_NAMES_SHARE = 0.125
"""Of the budget: the most that each of the two names may take."""
LEAST_CHARS_PER_TOKEN = 3
"""Fewer than a token of code has on average: a short file leaves its room to others, never too much."""
_MOST_CHARS_PER_TOKEN = 12
"""More characters than a token of code ever has on average; a first cut before exact counting."""
_MARGIN = 8_000
"""Characters beyond a cut in which a secret may begin that reaches across it: a private key's."""
_SEAM = 2_000
"""Characters on each side of the cursor's line that are looked through for secrets after each key."""
_BEGINNING = 400
"""Characters by which the beginning of a prompt is known again."""
_FILES = 16


@dataclass(frozen=True, slots=True)
class Window:
    """A request, what it weighs, how far it reaches, and what the secrets gate kept out of it."""

    request: FimRequest
    frame: Frame
    """As much of it as there was room for."""
    tokens: int
    reach: tuple[int, int]
    """Characters before and behind the cursor that it was made of."""
    before: int
    behind: int
    """Tokens of the text before and behind the cursor."""
    withheld: tuple[Withheld, ...] = ()
    note: str | None = None
    note_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What stands above and below a line and holds no secret, with what was looked through beyond it."""

    first: int
    """Offset of the text above."""
    above: str
    above_tokens: int
    below: str
    beyond: tuple[str, str]

    def begins(self, text: str, offset: int) -> bool:
        """Whether the prompt may begin at the same place again: not much farther up than it must."""
        size = len(self.above)
        near = size // 2 < offset - self.first < size + size // 8 + _BEGINNING
        return near and text.startswith(self.above[:_BEGINNING], self.first)

    def stands_around(self, place: Place) -> bool:
        text, start, end = place.text, place.line_start, place.line_end
        above, below = start - len(self.above), end + len(self.below)
        return (
            above >= 0
            and text.startswith(self.above, above)
            and text.startswith(self.below, end)
            and _beyond(text, above, below) == self.beyond
        )


@dataclass(slots=True)
class Windows:
    """Makes windows, and remembers of each file what the last one was made of."""

    _known: dict[RelPath, _Known] = field(default_factory=dict[RelPath, _Known])

    def window(
        self,
        place: Place,
        frame: Frame,
        *,
        repo: str,
        budget: int,
        max_tokens: int,
        count: Count,
        gate: Gate,
        note: tuple[str, str] | None = None,
    ) -> Window | None:
        """A prompt of at most `budget` tokens; None when nothing of the file may leave the machine.

        `note` is one more file, path and text, for what changes more often than the frame does.
        """
        if gate.admits_path(place.path):
            return None
        path, repo = names_within(place.path, repo, budget, count)
        fixed = count(path) + count(repo) + _MARKERS
        room = budget - fixed - min(len(place.text) // LEAST_CHARS_PER_TOKEN, int(_LEAST_SHARE * budget))
        extra = 0 if note is None else count(note[0]) + count(note[1]) + MARKERS_EACH
        if extra > room:
            note, extra = None, 0
        frame = frame.within(room - extra)
        fixed += frame.tokens + extra
        around = self._as_before(place, budget - fixed, count, gate)
        if around is None:
            around = self._anew(place, fixed, budget, count, gate)
        request = FimRequest(
            path=path,
            prefix=around.before,
            suffix=around.after,
            context=frame.context if note is None else (*frame.context, note),
            repo=repo,
            max_tokens=max_tokens,
        )
        tokens = fixed + around.before_tokens + around.after_tokens
        return Window(
            request,
            frame,
            tokens,
            around.reach,
            around.before_tokens,
            around.after_tokens,
            around.withheld,
            None if note is None else note[0],
            extra,
        )

    def forget(self, path: RelPath) -> None:
        self._known.pop(path, None)

    def _as_before(self, place: Place, room: int, count: Count, gate: Gate) -> _Around | None:
        """With the same lines above and below as the last time, where they are still there and fit."""
        known = self._known.get(place.path)
        if known is None or not known.stands_around(place):
            return None
        start, end = place.line_start, place.line_end
        seam = place.text[max(0, start - _SEAM) : end + _SEAM]
        if gate.secrets(place.path, seam):
            return None
        before_tokens = known.above_tokens + count(place.line_before)
        after = place.line_after + known.below
        after_tokens = count(after)
        if before_tokens + after_tokens > room:
            return None
        before = known.above + place.line_before
        return _Around(before, before_tokens, after, after_tokens, (len(before), len(after)))

    def _anew(self, place: Place, fixed: int, budget: int, count: Count, gate: Gate) -> _Around:
        text, offset, room = place.text, place.offset, budget - fixed
        reach = max(0, room) * _MOST_CHARS_PER_TOKEN + _MARGIN
        first, last = max(0, offset - reach), offset + reach
        # The gate sees far beyond the cuts: a secret that stands across the cursor, or across a cut, is one.
        shown = gate.admit_around(place.path, text[first:last], offset - first)
        before_all, after_all = shown[0].text or "", shown[1].text or ""
        known = self._known.get(place.path)
        if known is not None and not shown[0].withheld and known.begins(text, offset):
            before_all = text[known.first : offset]
        before, before_tokens, after, after_tokens = _cut(before_all, after_all, fixed, budget, count)
        withheld = (*shown[0].withheld, *shown[1].withheld)
        if withheld:
            self._known.pop(place.path, None)
            line = text.count("\n", 0, first)
            moved = tuple(replace(w, line=w.line + line) if w.line is not None else w for w in withheld)
            reached = (offset - first, min(len(text), last) - offset)
            return _Around(before, before_tokens, after, after_tokens, reached, moved)
        if len(before) >= len(place.line_before) and len(after) >= len(place.line_after):
            self._remember(place, before, after, count)
        return _Around(before, before_tokens, after, after_tokens, (len(before), len(after)))

    def _remember(self, place: Place, before: str, after: str, count: Count) -> None:
        above = before[: len(before) - len(place.line_before)]
        below = after[len(place.line_after) :]
        first = place.line_start - len(above)
        beyond = _beyond(place.text, first, place.line_end + len(below))
        known = _Known(first, above, count(above), below, beyond)
        keep_latest(self._known, place.path, known, _FILES)


@dataclass(frozen=True, slots=True)
class _Around:
    """The text of a prompt around the cursor."""

    before: str
    before_tokens: int
    after: str
    after_tokens: int
    reach: tuple[int, int]
    withheld: tuple[Withheld, ...] = ()


def _cut(before: str, after: str, fixed: int, budget: int, count: Count) -> tuple[str, int, str, int]:
    """What of the text before and behind the cursor goes into the prompt, each with its tokens."""
    room = budget - fixed
    least = count(head_within(after, min(_BEHIND_LEAST, room // 2), count))
    kept = tail_within(before, room - least, count)
    tokens = count(kept)
    few = tokens < _FEW_BEFORE * budget
    behind = int(_BEHIND_MOST * budget if few else _BEHIND_SHARE * (fixed + tokens))
    behind = min(
        max(behind, _BEHIND_LEAST), int(_BEHIND_MOST * budget), max(0, room - min(tokens, room // 2))
    )
    rest = head_within(after, behind, count)
    rest_tokens = count(rest)
    if tokens + rest_tokens > room or len(kept) < len(before):
        kept = tail_within(kept, room - rest_tokens - int(_SLACK * budget), count)
        tokens = count(kept)
    return kept, tokens, rest, rest_tokens


def _beyond(text: str, first: int, last: int) -> tuple[str, str]:
    return text[max(0, first - _MARGIN) : first], text[last : last + _MARGIN]


def names_within(path: str, repo: str, budget: int, count: Count) -> tuple[str, str]:
    """The names of a file and of its workspace as a prompt has them: of a long one the end."""
    most = int(_NAMES_SHARE * budget)
    shown = tail_within(path, most, count)
    if shown != path:
        shown = shown.partition("/")[2] or shown
    return shown, tail_within(repo, most, count)


def tail_within(text: str, limit: int, count: Count) -> str:
    """The last whole lines of `text` within `limit` tokens; part of a line where one alone is too long."""
    text = text[-limit * _MOST_CHARS_PER_TOKEN :] if limit > 0 else ""
    while text and (tokens := count(text)) > limit:
        surplus = max(1, int(len(text) * (1 - limit / tokens)))
        newline = text.find("\n", surplus - 1)
        text = text[newline + 1 :] if 0 <= newline < len(text) - 1 else text[surplus:]
    return text


def head_within(text: str, limit: int, count: Count) -> str:
    """The first whole lines of `text` that weigh at most `limit` tokens."""
    text = text[: limit * _MOST_CHARS_PER_TOKEN] if limit > 0 else ""
    while text and (tokens := count(text)) > limit:
        keep = min(len(text) - 1, int(len(text) * limit / tokens))
        newline = text.rfind("\n", 0, keep)
        text = text[: newline + 1] if newline >= 0 else text[:keep]
    return text

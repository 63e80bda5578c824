"""Known answers: what was said at a place, found again as one types along, goes back or comes back.

An answer holds as long as all that its prompt was made of: the text before and behind the cursor, the other
files, and the declarations of the file itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from qwen_lsp.features.complete.cleaning import clean
from qwen_lsp.features.complete.closing import closed_behind
from qwen_lsp.features.complete.declarations import Declarations
from qwen_lsp.features.complete.latest import keep_latest
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.receipt import Receipt
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

_ANCHOR = 48
"""Characters before the cursor that are compared first; few answers share them."""
_BACK = 16
"""Characters that may be taken back and still be part of what is suggested."""
_PER_FILE, _FILES = 64, 48


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said at a place, empty when it was nothing worth showing.

    `reach` are the characters before and behind the cursor that the prompt held; `holds` says whether what
    else it was made of is still so.
    """

    text: str
    offset: int
    column: int
    anchor: str
    reach: tuple[int, int]
    before: int
    after: int
    """Hashes of the text in reach."""
    at_end: bool
    """Whether the reach behind the cursor ends with the file."""
    line: int
    """A hash of the cursor's line."""
    declared: int
    """The state of the file's declarations but for that line."""
    holds: Callable[[Snapshot], bool]
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is left of a known answer at a place; `typed` characters of it stand there already."""

    text: str
    answer: Answer
    typed: int


@dataclass(slots=True)
class Answers:
    """What was answered lately, per file. A look-up costs the same in a small and in a huge file."""

    declarations: Declarations = field(default_factory=Declarations)
    _kept: dict[RelPath, deque[Answer]] = field(default_factory=dict[RelPath, deque[Answer]])

    def find(self, place: Place, snapshot: Snapshot) -> Known | None:
        """What is known of this place; with an empty text when it is that nothing is worth showing."""
        column = place.offset - place.line_start
        taken_back: Known | None = None
        for answer in self._kept.get(place.path, ()):
            for typed in {place.offset - answer.offset, column - answer.column}:
                if typed < 0 and taken_back is not None:
                    continue
                left = _left(answer, place, typed)
                if left is None or not self._holds(answer, place, typed) or not answer.holds(snapshot):
                    continue
                if typed >= 0:
                    return Known(left, answer, typed)
                # What was said right here comes first.
                taken_back = Known(left, answer, typed)
        return taken_back

    def _holds(self, answer: Answer, place: Place, typed: int) -> bool:
        start = place.text.rfind("\n", 0, place.offset - max(0, typed)) + 1
        written = place.text[start : place.line_end]
        return self.declarations.but_for(place.path, written, answer.line) == answer.declared

    def add(
        self, place: Place, text: str, reach: tuple[int, int],
        holds: Callable[[Snapshot], bool], receipt: Receipt | None = None,
    ) -> Answer:  # fmt: skip
        """Keep an answer for later."""
        before, after = _around(place.text, place.offset, reach)
        written = place.text[place.line_start : place.line_end]
        line, declared = hash(written), self.declarations.but_for(place.path, written)
        answer = Answer(
            text, place.offset, place.offset - place.line_start,
            place.text[max(0, place.offset - _ANCHOR) : place.offset], (len(before), len(after)),
            hash(before), hash(after), place.offset + len(after) == len(place.text), line, declared, holds,
            receipt,
        )  # fmt: skip
        answers = self._kept.get(place.path) or deque[Answer](maxlen=_PER_FILE)
        answers.appendleft(answer)
        keep_latest(self._kept, place.path, answers, _FILES)
        return answer

    @contextmanager
    def once(self, place: Place, accepted: str) -> Generator[Place]:
        """The place that there will be once a suggestion is accepted; within, it counts as accepted."""
        at, end = place.offset, place.offset + len(accepted)
        after = Place(place.path, place.text[:at] + accepted + place.text[at:], end, place.language)
        self.declarations.changed(place.path, place.text, TextEdit(Span(at, at), accepted))
        try:
            yield after
        finally:  # nobody has accepted it yet
            self.declarations.changed(place.path, after.text, TextEdit(Span(at, end), ""))

    def forget(self, path: RelPath) -> None:
        """Forget what was answered in a file, whose text is another one by now."""
        self._kept.pop(path, None)
        self.declarations.forget(path)

    def clear(self) -> None:
        """Forget all answers."""
        self._kept.clear()


def _left(answer: Answer, place: Place, typed: int) -> str | None:
    """What of an answer is left after so many characters of it; None where it is not for this place."""
    text, offset = place.text, place.offset
    if (typed >= len(answer.text) and typed) or typed < -_BACK:
        return None
    if typed < 0:
        taken = answer.anchor[typed:]
        if not answer.text or "\n" in taken or not text.endswith(answer.anchor[:typed], 0, offset):
            return None
        left = taken + answer.text
        before = text[max(0, offset - answer.reach[0] + len(taken)) : offset] + taken
    else:
        if not text.endswith(answer.anchor + answer.text[:typed], 0, offset):
            return None
        left = answer.text[typed:]
        before = text[max(0, offset - typed - answer.reach[0]) : offset - typed]
    closed = _closed(answer, text, offset, max(0, typed))
    if closed is None or hash(before) != answer.before:
        return None
    # Brackets that the editor closed meanwhile are not to be closed again.
    return clean(left, place).text if closed and left else left


def _closed(answer: Answer, text: str, offset: int, typed: int) -> int | None:
    """How many signs an editor has closed by itself behind the cursor; None where the rest is another."""
    size = answer.reach[1]

    def goes_on(at: int) -> bool:
        return hash(text[at : at + size]) == answer.after and (at + size == len(text)) == answer.at_end

    return closed_behind(text, offset, typed, goes_on)


def _around(text: str, offset: int, reach: tuple[int, int]) -> tuple[str, str]:
    return text[max(0, offset - reach[0]) : offset], text[offset : offset + reach[1]]

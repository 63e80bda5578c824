"""Where a context stood before: exactly so anywhere in memory, or with other names in the same file."""

from __future__ import annotations

from array import array

from qwen_lsp.predict.documents import Document
from qwen_lsp.predict.memory import LONGEST_MATCH, Memory
from qwen_lsp.predict.scene import LOCAL, Scene
from qwen_lsp.predict.tokens import NEWLINE
from qwen_lsp.predict.weights import (
    AWAY,
    BELOW,
    DISTANCE,
    LENGTH,
    LIKE_BELOW,
    LIKE_DISTANCE,
    LIKE_EXACT,
    SHAPE_BELOW,
)

_LINE = 40  # tokens within which a line is looked for its end
SHAPES = (15, 8, 5, 3)  # tokens whose kinds must agree, longest first
ENOUGH_ALIKE = 6
_NEAREST = 4  # exact places looked up around the cursor for the last two tokens, and for the last one
_PLENTY = 8  # exact places that make those nearby needless
_FAR = 6_000  # tokens of the file looked through on each side of the cursor
_NEXT = 8  # tokens of the line below compared


# A place as of the first step: slot, tokens matched (only their kinds where the place is but alike), row of
# its length, and weight beside that. At step n it stands n tokens farther and has matched n tokens more.
Place = tuple[int, int, int, float]


class Finder:
    """Finds places for one scene."""

    def __init__(self, memory: Memory, document: Document | None, scene: Scene, weights: list[float]) -> None:
        self._memory, self._scene, self._weights = memory, scene, weights
        pieces = document.pieces if document else []
        self._spans = [(piece.start, piece.end) for piece in pieces]
        self.anchor = 0  # the slot in the file where the cursor is
        self.rows: dict[int, tuple[int, ...]] | None = None  # of each place's weight, noted when it is a dict
        self.alike_rows: dict[int, tuple[int, ...]] | None = None
        self._regions: list[tuple[int, int, bytes]] = []
        if document is not None and pieces:
            self._look_around(document)

    def _look_around(self, document: Document) -> None:
        tokens = self._memory.tokens
        start, end = self._spans[0]
        anchor = end
        if document.pending is not None and document.lines:
            before = (slot for slot in reversed(document.lines[: document.pending[0]]) if start <= slot < end)
            anchor = next(before, end)
        start, end = max(start, anchor - _FAR), min(end, anchor + _FAR)
        text = tokens[start:end].tobytes()
        # The lines before the cursor say where it is, if they have been learnt.
        known = self._scene.tokens
        line = len(known) - 1
        while line > 0 and known[line] != NEWLINE:
            line -= 1
        above = known[max(1, line - 9) : line + 1]
        if len(above) > 3 and max(above) < LOCAL:
            at = text.find(array("I", above).tobytes())
            if at >= 0:
                anchor = start + at // 4 + len(above)
        self.anchor = min(max(anchor, start), end)
        self._regions.append((start, end, text))
        if len(self._spans) > 1:  # what was edited lately stands apart
            first, last = self._spans[1][0], self._spans[-1][1]
            if first < last:
                first = max(first, last - _FAR)
                self._regions.append((first, last, tokens[first:last].tobytes()))

    def exact(self, n: int, known: set[int]) -> list[Place]:
        """Places with the same last tokens, at least two anywhere or one nearby; `known` ones left out."""
        memory, scene, weights = self._memory, self._scene, self._weights
        context = scene.tokens
        main_start, main_end = self._spans[0] if self._spans else (0, 0)
        others = self._spans[1:]
        anchor, note = self.anchor, self.rows
        found: list[Place] = []
        matches = dict(memory.places(context, known))
        self._nearest(matches, known)
        for slot, length in matches.items():
            same_file = main_start <= slot < main_end
            if others and not same_file:
                same_file = any(start <= slot < end for start, end in others)
            distance = DISTANCE + _FAR_STEP[min(abs(slot - anchor) >> 5, 255)] if same_file else AWAY
            same, shape = self._below(slot)
            below, shape = BELOW + same, SHAPE_BELOW + shape
            row = LENGTH + 10 * same_file
            found.append((slot - n, length - n, row, weights[distance] * weights[below] * weights[shape]))
            if note is not None:
                note[slot - n] = (distance, below, shape)
        return found

    def _nearest(self, matches: dict[int, int], known: set[int]) -> None:
        """Add the places of the file nearest to the cursor that have the same last two tokens, or one."""
        context = self._scene.tokens
        tokens = self._memory.tokens
        for size in (2, 1):
            if len(matches) >= _PLENTY:
                break
            last = context[-size:]
            if last[0] >= LOCAL or last[-1] >= LOCAL:
                continue
            pattern = array("I", last).tobytes()
            for start, _, text in self._regions:
                for at in _around(text, pattern, 4 * (self.anchor - start), _NEAREST, 4):
                    slot = start + at // 4 + size
                    if slot >= len(tokens) or slot in matches or slot in known or not tokens[slot]:
                        continue
                    length = size
                    most = min(LONGEST_MATCH, len(context))
                    while length < most and tokens[slot - 1 - length] == context[-1 - length]:
                        length += 1
                    matches[slot] = length

    def alike(self, n: int, known: set[int]) -> list[Place]:
        """Places of the file where the last tokens are of the same kinds."""
        memory, weights = self._memory, self._weights
        kinds, context = memory.kinds, self._scene.tokens
        tokens, mine = memory.tokens, self._scene.kinds
        found: dict[int, int] = {}
        for size in SHAPES:
            pattern = bytes(mine[-size:])
            if len(pattern) < size or 0 in pattern:
                continue
            for start, end, _ in self._regions:
                for at in _around(kinds, pattern, self.anchor, ENOUGH_ALIKE, 1, start, end):
                    slot = at + size
                    if slot < end and slot not in found and slot not in known and kinds[slot]:
                        found[slot] = size
            if len(found) >= ENOUGH_ALIKE:
                break
        anchor, note = self.anchor, self.alike_rows
        places: list[Place] = []
        for slot, size in found.items():
            same = 0
            while same < 5 and same < size and tokens[slot - 1 - same] == context[-1 - same]:
                same += 1
            far = LIKE_DISTANCE + _FAR_STEP[min(abs(slot - anchor) >> 5, 255)]
            below, exact = LIKE_BELOW + self._below(slot)[1], LIKE_EXACT + same
            places.append((slot - n, size - n, 0, weights[far] * weights[below] * weights[exact]))
            if note is not None:
                note[slot - n] = (far, below, exact)
        return places

    def _below(self, slot: int) -> tuple[int, int]:
        """How many tokens below the place are those below the cursor, and of how many the kinds."""
        following = self._scene.following
        if not following:
            return 0, 0
        tokens = self._memory.tokens
        try:
            end = tokens.index(NEWLINE, slot, slot + _LINE) + 1
        except ValueError:
            return 0, 0
        if end + _NEXT > len(tokens):
            return 0, 0
        kinds, expected = self._memory.kinds, self._scene.following_kinds
        most = len(expected)
        shape = 0
        while shape < most and kinds[end + shape] == expected[shape]:
            shape += 1
        same = 0
        most = min(shape, 6)
        while same < most and tokens[end + same] == following[same]:
            same += 1
        return same, shape


def _around(
    text: bytes | bytearray,
    pattern: bytes,
    middle: int,
    most: int,
    step: int,
    start: int = 0,
    end: int | None = None,
) -> list[int]:
    """Where a pattern stands, nearest before `middle` first, then half as many after it."""
    end = len(text) if end is None else end
    middle = min(max(middle, start), end)
    found: list[int] = []
    high = middle
    while len(found) < most:
        at = text.rfind(pattern, start, high)
        if at < 0:
            break
        high = at + len(pattern) - 1
        if not at % step:
            found.append(at)
    low = middle
    for _ in range(most // 2):
        at = text.find(pattern, low, end)
        if at < 0:
            break
        low = at + 1
        if not at % step:
            found.append(at)
    return found


_FAR_STEP = [min(distance.bit_length() // 2, 4) for distance in range(256)]
"""A distance, in steps of 32 tokens, as one of five steps."""

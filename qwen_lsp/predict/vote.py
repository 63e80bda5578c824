"""One step of a guess: what the places that continue a context say comes next."""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

from qwen_lsp.predict.documents import Document
from qwen_lsp.predict.kinds import CLOSERS, FIRST_MARK, LAST_NAME, OPENERS
from qwen_lsp.predict.memory import LONGEST_MATCH, Memory
from qwen_lsp.predict.places import Finder, Place
from qwen_lsp.predict.scene import Scene
from qwen_lsp.predict.tokens import NEWLINE, UNKNOWN
from qwen_lsp.predict.weights import (
    ALIKE,
    CLOSES,
    COPIED,
    COPIED_FAR,
    COPIED_NEAR,
    ENDS,
    FIXED,
    MARK,
    NAMED,
    NONE,
    RECENT,
    REPLACED,
    REPLACED_FAR,
    REPLACED_NEAR,
    SAME,
    VALUES,
    WORD,
)

LONGEST_GUESS = 40  # tokens
ENOUGH = 6  # tokens matched from which no further places are looked up
ENOUGH_ALIKE = 2  # places alike from which no further ones are looked up
SURE = 10  # tokens matched from which names are not expected to differ
MOST = 8  # places followed after the first step
_BACK = 20  # tokens back that a name may be copied from

_steps = [0, 0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8]
LENGTH_STEP = _steps + [9] * (LONGEST_MATCH + LONGEST_GUESS + 2)
_steps = [0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]
SHAPE_STEP = _steps + [5] * (LONGEST_MATCH + LONGEST_GUESS + 2)
_OPERATORS = frozenset({"and", "or", "not", "in", "is", "if", "else"})


_length = itemgetter(1)


class Vote(NamedTuple):
    """For measuring: a vote of a place for a token, or what a token itself is worth, as rows of the table."""

    token: int  # 0 for none of the candidates
    rows: tuple[int, ...]
    place: bool


class Walk:
    """Follows the places token by token."""

    def __init__(
        self, memory: Memory, document: Document | None, scene: Scene, weights: list[float] = VALUES
    ) -> None:
        self._memory, self.scene, self.weights = memory, scene, weights
        self._finder = Finder(memory, document, scene, weights)
        self._exact: list[Place] = []
        self._alike: list[Place] = []
        self.longest = 0  # tokens matched by the place that matches most
        self.n = 0
        self.notes: list[Vote] | None = None  # filled when it is a list

    @property
    def support(self) -> int:
        """How many places have said all that was taken."""
        return len(self._exact)

    def ballot(self) -> dict[int, float]:
        """The votes for each next token; 0 stands for none of them."""
        n, notes, weights = self.n, self.notes, self.weights
        finder = self._finder
        if notes is not None and finder.rows is None:
            finder.rows, finder.alike_rows = {}, {}
        if self.longest < ENOUGH:
            self._exact += finder.exact(n, {place[0] + n for place in self._exact})
        if len(self._alike) < ENOUGH_ALIKE and self.longest < SURE:
            self._alike += finder.alike(n, {place[0] + n for place in self._alike})
        tokens, kinds = self._memory.tokens, self._memory.kinds
        votes: dict[int, float] = {}
        for place, length, row, weight in self._exact:
            slot = place + n
            token = tokens[slot]
            if token < NEWLINE:
                continue
            length += n
            row += LENGTH_STEP[length]
            weight *= weights[row]
            rows = finder.rows[place] if finder.rows else ()
            copied, back = self._copied(slot, token) if length < SURE and kinds[slot] <= LAST_NAME else (0, 0)
            if back > length and copied != token:
                votes[copied] = votes.get(copied, 0.0) + weight * weights[COPIED]
                votes[token] = votes.get(token, 0.0) + weight * weights[REPLACED]
                if notes is not None:
                    notes.append(Vote(copied, (*rows, row, COPIED), True))
                    notes.append(Vote(token, (*rows, row, REPLACED), True))
                continue
            votes[token] = votes.get(token, 0.0) + weight
            if notes is not None:
                notes.append(Vote(token, (*rows, row), True))
        for place, size, _, weight in self._alike:
            slot = place + n
            token = tokens[slot]
            if token < NEWLINE:
                continue
            size += n
            step = ALIKE + SHAPE_STEP[size]
            rows = finder.alike_rows[place] if finder.alike_rows else ()
            if kinds[slot] > LAST_NAME:
                row = step + 6 * FIXED
            else:
                copied, back = self._copied(slot, token)
                if copied and copied != token:
                    near = back <= size
                    row = step + 6 * (COPIED_NEAR if near else COPIED_FAR)
                    votes[copied] = votes.get(copied, 0.0) + weight * weights[row]
                    if notes is not None:
                        notes.append(Vote(copied, (*rows, row), True))
                    row = step + 6 * (REPLACED_NEAR if near else REPLACED_FAR)
                else:
                    row = step + 6 * (SAME if copied else NAMED)
            votes[token] = votes.get(token, 0.0) + weight * weights[row]
            if notes is not None:
                notes.append(Vote(token, (*rows, row), True))
        return self._weighed(votes)

    def _weighed(self, votes: dict[int, float]) -> dict[int, float]:
        """The votes, each times what the token itself is worth; closers of nothing are out."""
        scene, weights, notes = self.scene, self.weights, self.notes
        row = NONE + min(len(votes), 6)
        weighed = {0: weights[row]}
        if notes is not None:
            notes.append(Vote(0, (row,), False))
        here = len(scene.tokens)
        for token, worth in votes.items():
            if token == NEWLINE:
                row = self._end_row()
            else:
                bare = scene.word(token).lstrip(" ")
                kind = scene.kind(token)
                if kind >= FIRST_MARK:
                    row = MARK
                    if bare in CLOSERS:
                        if scene.closes_nothing(bare):
                            continue
                        row = CLOSES + (not scene.open[-1][1])
                elif kind <= LAST_NAME:
                    last = scene.last.get(bare)
                    if last is None:
                        row = RECENT + (6 if bare in scene.below else 7)
                    else:
                        row = RECENT + _back(here - last)
                else:
                    row = WORD
            weighed[token] = worth * weights[row]
            if notes is not None:
                notes.append(Vote(token, (row,), False))
        return weighed

    def _end_row(self) -> int:
        opened = self.scene.open
        state = 2 if opened and opened[-1][1] else 1 if opened else 0
        bare = self.scene.word(self.scene.tokens[-1]).lstrip(" ")
        kind = self.scene.kinds[-1]
        if bare in OPENERS:
            after = 0
        elif bare in CLOSERS:
            after = 1
        elif bare == ",":
            after = 2
        elif bare in (":", ";"):
            after = 3
        elif bare in ("'", '"', "`"):
            after = 4
        else:
            after = 5 if kind >= FIRST_MARK or bare in _OPERATORS else 6
        return ENDS + 7 * state + after

    def _copied(self, slot: int, token: int) -> tuple[int, int]:
        """What stands here where the token of a place stood before, and how far back; 0 if it did not."""
        scene = self.scene
        word = scene.vocabulary.words[token]
        twin = scene.vocabulary.get(word[1:] if word[:1] == " " else " " + word, 0)
        before = self._memory.tokens[slot - 1 : max(0, slot - _BACK) : -1]
        back = before.index(token) + 1 if token in before else 0
        if twin and twin in before:
            other = before.index(twin) + 1
            back = min(back, other) if back else other
        if not back or back >= len(scene.tokens) or scene.kinds[-back] != self._memory.kinds[slot - back]:
            return 0, 0
        here = scene.tokens[-back]
        return (scene.like(here, word), back) if here != UNKNOWN else (0, 0)

    def take(self, token: int) -> None:
        """Go on with this token; only places that agree stay."""
        n, tokens, kinds = self.n, self._memory.tokens, self._memory.kinds
        kind = self.scene.kind(token)
        exact = [place for place in self._exact if tokens[place[0] + n] == token]
        if len(exact) > MOST:
            exact.sort(key=_length, reverse=True)
            del exact[MOST:]
        self._exact = exact
        self._alike = [place for place in self._alike if kinds[place[0] + n] == kind]
        self.scene.take(token)
        self.n = n + 1
        self.longest = max(map(_length, exact), default=-self.n) + self.n


def _back(distance: int) -> int:
    """How far back a name stood last, as one of six steps."""
    return (
        0
        if distance < 6
        else 1
        if distance < 15
        else 2
        if distance < 40
        else 3
        if distance < 100
        else 4 + (distance >= 200)
    )

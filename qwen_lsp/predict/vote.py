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
    HOME,
    LEAD,
    LEAD_ALIKE,
    LENGTH,
    MARK,
    MOST,
    NAMED,
    NONE,
    NOWHERE,
    ONLY_BELOW,
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
FOLLOWED = 4  # places followed after the first step
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


class _Tally:
    """The votes of the places, and for each token how much the best of its places match."""

    __slots__ = ("alike", "home", "matched", "votes")

    def __init__(self) -> None:
        self.votes: dict[int, float] = {}
        self.matched: dict[int, int] = {}
        self.alike: dict[int, int] = {}
        self.home: set[int] = set()  # tokens with a place in the same file


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
        n = self.n
        finder = self._finder
        if self.notes is not None and finder.rows is None:
            finder.rows, finder.alike_rows = {}, {}
        if self.longest < ENOUGH:
            self._exact += finder.exact(n, {place[0] + n for place in self._exact})
        if len(self._alike) < ENOUGH_ALIKE and self.longest < SURE:
            self._alike += finder.alike(n, {place[0] + n for place in self._alike})
        tally = _Tally()
        self._count_exact(tally)
        self._count_alike(tally)
        return self._weighed(tally)

    def _count_exact(self, tally: _Tally) -> None:
        n, notes, weights, noted = self.n, self.notes, self.weights, self._finder.rows
        tokens, kinds = self._memory.tokens, self._memory.kinds
        votes, matched, home = tally.votes, tally.matched, tally.home
        for place, length, row, weight in self._exact:
            slot = place + n
            token = tokens[slot]
            if token < NEWLINE:
                continue
            length += n
            if row > LENGTH:
                home.add(token)
            if length > matched.get(token, 0):
                matched[token] = length
            row += LENGTH_STEP[length]
            weight *= weights[row]
            rows = noted[place] if noted else ()
            if length < SURE and kinds[slot] <= LAST_NAME:
                copied, back = self._copied(slot, token)
                if back > length and copied != token:
                    if length > matched.get(copied, 0):
                        matched[copied] = length
                    votes[copied] = votes.get(copied, 0.0) + weight * weights[COPIED]
                    weight *= weights[REPLACED]
                    if notes is not None:
                        notes.append(Vote(copied, (*rows, row, COPIED), True))
                        rows = (*rows, REPLACED)
            votes[token] = votes.get(token, 0.0) + weight
            if notes is not None:
                notes.append(Vote(token, (*rows, row), True))

    def _count_alike(self, tally: _Tally) -> None:
        n, notes, weights, noted = self.n, self.notes, self.weights, self._finder.alike_rows
        tokens, kinds = self._memory.tokens, self._memory.kinds
        votes, alike = tally.votes, tally.alike
        for place, size, _, weight in self._alike:
            slot = place + n
            token = tokens[slot]
            if token < NEWLINE:
                continue
            size += n
            step = ALIKE + SHAPE_STEP[size]
            rows = noted[place] if noted else ()
            if kinds[slot] > LAST_NAME:
                row = step + 6 * FIXED
            else:
                copied, back = self._copied(slot, token)
                if copied and copied != token:
                    near = back <= size
                    row = step + 6 * (COPIED_NEAR if near else COPIED_FAR)
                    votes[copied] = votes.get(copied, 0.0) + weight * weights[row]
                    if size > alike.get(copied, 0):
                        alike[copied] = size
                    if notes is not None:
                        notes.append(Vote(copied, (*rows, row), True))
                    row = step + 6 * (REPLACED_NEAR if near else REPLACED_FAR)
                else:
                    row = step + 6 * (SAME if copied else NAMED)
            votes[token] = votes.get(token, 0.0) + weight * weights[row]
            if size > alike.get(token, 0):
                alike[token] = size
            if notes is not None:
                notes.append(Vote(token, (*rows, row), True))

    def _weighed(self, tally: _Tally) -> dict[int, float]:
        """The votes, each times what the token itself is worth; closers of nothing are out."""
        weights, notes = self.weights, self.notes
        votes, matched, alike, home = tally.votes, tally.matched, tally.alike, tally.home
        row = NONE + min(len(votes), 6)
        weighed = {0: weights[row]}
        if notes is not None:
            notes.append(Vote(0, (row,), False))
        here = len(self.scene.tokens)
        leading, leading_alike = _leads(matched, LEAD), _leads(alike, LEAD_ALIKE)
        for token, worth in votes.items():
            row = self._own_row(token, here)
            if row is None:
                continue
            length = matched.get(token, 0)
            lead, most = leading[length], MOST + (length and LENGTH_STEP[length] + 1)
            lead_alike, at_home = leading_alike[alike.get(token, 0)], HOME + (token in home)
            weighed[token] = (
                worth * weights[row] * weights[lead] * weights[most] * weights[lead_alike] * weights[at_home]
            )
            if notes is not None:
                notes.append(Vote(token, (row, lead, most, lead_alike, at_home), False))
        return weighed

    def _own_row(self, token: int, here: int) -> int | None:
        """The row of what a token is; None for a bracket that closes nothing."""
        scene = self.scene
        if token == NEWLINE:
            return self._end_row()
        kind = scene.kind(token)
        if kind >= FIRST_MARK:
            bare = scene.word(token).lstrip(" ")
            if bare not in CLOSERS:
                return MARK
            return None if scene.closes_nothing(bare) else CLOSES + 3 * (not scene.open[-1][1]) + scene.deeper
        if kind > LAST_NAME:
            return WORD
        bare = scene.word(token).lstrip(" ")
        last = scene.last.get(bare)
        below = bare in scene.below
        if last is None:
            return ONLY_BELOW if below else NOWHERE
        return RECENT + 6 * below + _back(here - last)

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
        return ENDS + 21 * self.scene.deeper + 7 * state + after

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
        if len(exact) > FOLLOWED:
            exact.sort(key=_length, reverse=True)
            del exact[FOLLOWED:]
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


def _leads(matched: dict[int, int], row: int) -> dict[int, int]:
    """The row for each count of tokens matched: none, fewer than the most, as many as others, most of all."""
    rows = dict.fromkeys(matched.values(), row + 1)
    rows[0] = row
    if matched:
        most = max(matched.values())
        rows[most] = row + (3 if sum(length == most for length in matched.values()) == 1 else 2)
    return rows

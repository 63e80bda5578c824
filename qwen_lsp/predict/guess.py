"""The likeliest rest of a line: the places that continue a context vote for each next token in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qwen_lsp.predict.confidence import Step, probability
from qwen_lsp.predict.documents import Document
from qwen_lsp.predict.memory import LONGEST_MATCH, Memory
from qwen_lsp.predict.tokens import NEWLINE

LONGEST_GUESS = 40  # tokens
ENOUGH = 6  # tokens matched from which no further places are looked up for the next token
SAME_FILE = 4.0
NEARBY = 2.0  # a token that stands near the cursor
BELOW = (1.0, 1.5, 2.0, 5.0, 10.0, 15.0, 20.0)  # by tokens of the line below that match as well

_LENGTH_WEIGHT = [float(length**4) for length in range(LONGEST_MATCH + LONGEST_GUESS + 1)]


@dataclass(slots=True)
class Guess:
    """Tokens up to the line's end, without the line break; what each step rested on, the break included."""

    tokens: list[int]
    steps: list[Step]
    confidence: float


# A place as of the first step: slot, tokens matched, weight beside that of the length, tokens matched in the
# line below, in the same file. At step n it stands n tokens farther and has matched n tokens more.
_Place = tuple[int, int, float, int, bool]


def guess(
    memory: Memory,
    document: Document | None,
    context: Sequence[int],
    following: Sequence[int],
    floor: float,
    first: Callable[[int], bool] | None = None,
) -> Guess | None:
    """Follow the majority token by token to the end of the line; None below `floor` or at a dead end.

    `first` limits what the first token can be.
    """
    tokens = memory.tokens
    recent = [*context[-LONGEST_MATCH * 5 :]]
    near = {*recent, *following}
    places: list[_Place] = []
    chosen: list[int] = []
    steps: list[Step] = []
    confidence = 1.0
    longest = 0
    for n in range(LONGEST_GUESS):
        if longest < ENOUGH:
            known = {place[0] + n for place in places}
            places += [
                _place(tokens, document, slot, length, n, following)
                for slot, length in memory.places(recent, known)
            ]
        if first is not None:
            places = [place for place in places if first(tokens[place[0]])]
            first = None
        votes: dict[int, float] = {}
        for slot, length, weight, _, _ in places:
            token = tokens[slot + n]
            votes[token] = votes.get(token, 0.0) + _LENGTH_WEIGHT[length + n] * weight
        if not votes:
            return None
        for token in near.intersection(votes):
            votes[token] *= NEARBY
        token = max(votes, key=votes.__getitem__)
        share = votes[token] / sum(votes.values())
        if len(votes) > 1:
            places = [place for place in places if tokens[place[0] + n] == token]
        longest = max([place[1] for place in places]) + n
        step = Step(
            longest,
            share,
            len(places),
            any([place[4] for place in places]),
            token in near,
            max([place[3] for place in places]),
            token == NEWLINE,
        )
        steps.append(step)
        confidence *= probability(step)
        if confidence < floor or token < NEWLINE:
            return None
        if token == NEWLINE:
            return Guess(chosen, steps, confidence)
        chosen.append(token)
        recent.append(token)
    return None


def _place(
    tokens: Sequence[int], document: Document | None, slot: int, length: int, n: int, following: Sequence[int]
) -> _Place:
    below = _below(tokens, slot, following) if following else 0
    same_file = document is not None and document.holds(slot)
    return slot - n, length - n, BELOW[below] * (SAME_FILE if same_file else 1.0), below, same_file


def _below(tokens: Sequence[int], slot: int, following: Sequence[int]) -> int:
    """How many tokens of the line below the cursor also stand below the line of a place."""
    try:
        end = tokens.index(NEWLINE, slot, slot + LONGEST_GUESS)
    except ValueError:
        return 0
    same = 0
    for token, expected in zip(tokens[end + 1 : end + len(BELOW)], following, strict=False):
        if token != expected:
            break
        same += 1
    return same

"""The likeliest rest of a line: the places that continue a context vote for each next token in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qwen_lsp.predict.confidence import Step, needed, probability, settled
from qwen_lsp.predict.documents import Document
from qwen_lsp.predict.memory import LONGEST_MATCH, Memory
from qwen_lsp.predict.tokens import GAP, NEWLINE

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
    confidence: float  # that every one of them is right


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
    spans = [(piece.start, piece.end) for piece in document.pieces] if document else []
    near = {*recent, *following}
    places: list[_Place] = []
    chosen: list[int] = []
    steps: list[Step] = []
    product, least = 1.0, needed(floor)
    longest = 0
    for n in range(LONGEST_GUESS):
        if longest < ENOUGH:
            known = {place[0] + n for place in places}
            places += _places(memory, spans, recent, following, n, known)
        if first is not None:
            places = [place for place in places if first(tokens[place[0]])]
            first = None
        if not places:
            return None
        votes: dict[int, float] = {}
        for slot, length, weight, _, _ in places:
            token = tokens[slot + n]
            weight *= _LENGTH_WEIGHT[length + n]
            if token in votes:
                votes[token] += weight
            else:
                votes[token] = weight
        for token in near.intersection(votes):
            votes[token] *= NEARBY
        token = max(votes, key=votes.__getitem__)
        share = votes[token] / sum(votes.values())
        if len(votes) > 1:
            places = [place for place in places if tokens[place[0] + n] == token]
        longest, below, same_file = -n, 0, False
        for _, length, _, matching, same in places:
            if length > longest:
                longest = length
            if matching > below:
                below = matching
            if same:
                same_file = True
        longest += n
        step = Step(longest, share, len(places), same_file, token in near, below, token == NEWLINE)
        steps.append(step)
        product *= probability(step)
        if product < least or token < NEWLINE:
            return None
        if token == NEWLINE:
            return Guess(chosen, steps, settled(product))
        chosen.append(token)
        recent.append(token)
    return None


def _places(
    memory: Memory,
    spans: Sequence[tuple[int, int]],
    context: Sequence[int],
    following: Sequence[int],
    n: int,
    known: set[int],
) -> list[_Place]:
    """The places that continue a context, n tokens after the first step; the hot loop, hence one piece."""
    tokens = memory.tokens
    line_end = tokens.index
    main_start, main_end = spans[0] if spans else (0, 0)
    others = spans[1:]
    expected = following[0] if following else GAP
    most = min(len(following), len(BELOW) - 1)
    size = len(tokens)
    found: list[_Place] = []
    for slot, length in memory.places(context, known):
        same_file = main_start <= slot < main_end
        if others and not same_file:
            same_file = any(start <= slot < end for start, end in others)
        below = 0
        if expected:
            try:
                end = line_end(NEWLINE, slot, slot + LONGEST_GUESS)
            except ValueError:
                end = -1
            if end > 0 and end + len(BELOW) < size and tokens[end + 1] == expected:
                below = 1
                while below < most and tokens[end + 1 + below] == following[below]:
                    below += 1
        found.append(
            (slot - n, length - n, BELOW[below] * (SAME_FILE if same_file else 1.0), below, same_file)
        )
    return found

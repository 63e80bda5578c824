"""The likeliest rest of a line: the places that continue a context vote for each next token in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qwen_lsp.predict.confidence import Evidence, confidence
from qwen_lsp.predict.tokens import NEWLINE
from qwen_lsp.predict.vote import LONGEST_GUESS, Walk

LEAST = 0.05  # the product of the steps below which no guess comes to be shown


@dataclass(slots=True)
class Guess:
    """The rest of a line as text, and what it rests on."""

    text: str
    evidence: Evidence
    confidence: float  # that every character of it is right


def guess(walk: Walk, floor: float, first: Callable[[str], bool] | None = None) -> Guess | None:
    """Follow the majority token by token to the end of the line; None below `floor` or at a dead end.

    `first` limits what the first token can be.
    """
    scene = walk.scene
    start = len(scene.tokens)
    chances: list[float] = []
    product, least = 1.0, LEAST if floor > 0 else 0.0
    for _ in range(LONGEST_GUESS):
        votes = walk.ballot()
        nobody = votes.pop(0)
        if first is not None:
            votes = {token: worth for token, worth in votes.items() if first(scene.word(token))}
            first = None
        if not votes:
            return None
        token = max(votes, key=votes.__getitem__)
        chance = votes[token] / (nobody + sum(votes.values()))
        chances.append(chance)
        product *= chance
        if product < least:
            return None
        walk.take(token)
        if token == NEWLINE:
            break
    else:
        return None
    evidence = _evidence(walk, start, chances)
    sure = confidence(evidence)
    if sure < floor:
        return None
    return Guess("".join(map(scene.word, scene.tokens[start:-1])), evidence, sure)


def _evidence(walk: Walk, start: int, chances: list[float]) -> Evidence:
    scene = walk.scene
    tokens = scene.tokens
    end = len(tokens) - 1
    line = _line_start(tokens, start)
    written = tokens[line:end]
    above = tokens[_line_start(tokens, line - 1) : line - 1] if line > 1 else []
    again = written == above or (
        written == scene.following[: len(written)] and _ends(scene.following, len(written))
    )
    return Evidence(tuple(chances), start - line, walk.longest, walk.support, again)


def _line_start(tokens: list[int], at: int) -> int:
    """The index of the first token of the line before `at`."""
    while at > 0 and tokens[at - 1] > 0 and tokens[at - 1] != NEWLINE:
        at -= 1
    return at


def _ends(tokens: list[int], at: int) -> bool:
    return at >= len(tokens) or tokens[at] == NEWLINE

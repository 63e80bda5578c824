"""Fit the constants of the embedded default and print them, on other libraries than those that are reported.

    python bench/predict_fit.py py:/path/to/library go:/path/to/another …

First the table of `predict/weights.py`. At every step of the true rest of a line the votes are those of the
predictor itself, and the table is moved until the true token has as much of them as can be (the gradient of
the logarithm of its share; Adagrad). Then, with that table and at other places, the model of
`predict/confidence.py`: whether a whole guess is right (logistic regression). Seeds are fixed, so the same
libraries give the same constants.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from math import exp
from pathlib import Path

from predict import Place, choose, learnt, read, sources

from qwen_lsp.predict.confidence import features
from qwen_lsp.predict.predictor import Predictor
from qwen_lsp.predict.vote import Vote
from qwen_lsp.predict.weights import SIZE, VALUES

SUFFIXES = {"py": (".py",), "ts": (".ts", ".tsx"), "go": (".go",)}

Rows = tuple[int, ...]
Candidate = tuple[Rows, list[Rows]]  # of the token itself, and of each place that votes for it
Step = tuple[list[Candidate], int]  # the candidates, none of them first, and which one is right
Samples = list[tuple[tuple[float, ...], bool]]


def asked(
    root: Path, suffixes: tuple[str, ...], args: argparse.Namespace, seed: int
) -> Iterator[tuple[Predictor, Place, str]]:
    """Places of a library, each with a predictor that does not know the rest of its line."""
    files = sources(root, suffixes)
    known, _ = learnt(files, args.max_tokens)
    for place in choose(files, args.places, seed):
        text = read(files[place.path])
        known.learn(place.path, text)
        known.learn(place.path, text[: place.cursor] + text[place.end :])
        yield known, place, text
        known.learn(place.path, text)


def step_of(votes: Sequence[Vote], token: int) -> Step:
    """The votes of one step, by candidate."""
    places: dict[int, list[Rows]] = {}
    for vote in votes:
        if vote.place:
            places.setdefault(vote.token, []).append(vote.rows)
    own = {vote.token: vote.rows for vote in votes if not vote.place}
    order = [0, *(candidate for candidate in own if candidate)]
    candidates = [(own[candidate], places.get(candidate, [()])) for candidate in order]
    return candidates, order.index(token) if token in own else 0


def fit_table(steps: list[Step], seed: int, rounds: int) -> list[float]:
    """The table that gives the right tokens the largest share of the votes."""
    rng = random.Random(seed)
    table, squares = [0.0] * SIZE, [1e-4] * SIZE
    for _ in range(rounds):
        rng.shuffle(steps)
        for candidates, right in steps:
            worth: list[tuple[float, list[float]]] = []
            for own, places in candidates:
                each = [exp(sum([table[row] for row in rows])) for rows in places]
                worth.append((sum(each) * exp(sum([table[row] for row in own])), each))
            total = sum(one for one, _ in worth)
            slopes: dict[int, float] = {}
            for number, ((own, places), (one, each)) in enumerate(zip(candidates, worth, strict=True)):
                error = (number == right) - one / total
                if abs(error) < 1e-3:
                    continue
                for row in own:
                    slopes[row] = slopes.get(row, 0.0) + error
                whole = sum(each)
                for rows, part in zip(places, each, strict=True):
                    for row in rows:
                        slopes[row] = slopes.get(row, 0.0) + error * part / whole
            for row, slope in slopes.items():
                squares[row] += slope * slope
                table[row] += 0.1 * slope / squares[row] ** 0.5
    return [round(value, 2) for value in table]


def fit_model(samples: Samples, seed: int, rounds: int) -> tuple[float, ...]:
    """Logistic regression by stochastic gradient with a falling rate (Adagrad); no dependency needed."""
    rng = random.Random(seed)
    size = len(samples[0][0])
    weights, squares = [0.0] * size, [1e-6] * size
    for _ in range(rounds):
        rng.shuffle(samples)
        for values, right in samples:
            score = sum(w * v for w, v in zip(weights, values, strict=True))
            error = right - 1 / (1 + exp(-max(-30.0, min(30.0, score))))
            for i, value in enumerate(values):
                if value:
                    slope = error * value
                    squares[i] += slope * slope
                    weights[i] += 0.2 * slope / squares[i] ** 0.5
    return tuple(round(weight, 3) for weight in weights)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("roots", nargs="+", metavar="LANGUAGE:FOLDER")
    parser.add_argument("--places", type=int, default=700)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--max-tokens", type=int, default=6_000_000)
    parser.add_argument("--rounds", type=int, default=4)
    args = parser.parse_args()
    roots = [
        (Path(folder), SUFFIXES[name]) for name, _, folder in (root.partition(":") for root in args.roots)
    ]
    steps: list[Step] = []
    for root, suffixes in roots:
        for known, place, text in asked(root, suffixes, args, args.seed):
            rest = text[place.cursor : place.end]
            trial = known.trial(place.path, text[: place.cursor], rest, text[place.end :])
            steps += [step_of(votes, token) for votes, token in trial]
    table = fit_table(steps, args.seed, args.rounds)
    for start in range(0, SIZE, 14):
        print("   ", *(f"{value:.2f}" for value in table[start : start + 14]), flush=True)
    VALUES[:] = map(exp, table)
    samples: Samples = []
    for root, suffixes in roots:
        for known, place, text in asked(root, suffixes, args, args.seed + 1):
            found = known.guess(place.path, text[: place.cursor], text[place.end :], 0.0)
            if found is not None:
                samples.append((features(found[1].evidence), found[0] == text[place.cursor : place.end]))
    print("WEIGHTS =", fit_model(samples, args.seed, 12))
    print(f"on {len(steps)} steps and {len(samples)} guesses at {args.places * len(roots)} places each")
    return 0


if __name__ == "__main__":
    sys.exit(main())

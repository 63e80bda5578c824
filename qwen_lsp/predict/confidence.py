"""How sure a whole guess is: a logistic model over its steps, its length and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from operator import mul
from typing import NamedTuple


class Evidence(NamedTuple):
    """What a whole guess rests on."""

    chances: Sequence[float]  # of each step, the line break included
    prefix: int  # tokens of the line before the cursor
    longest: int  # tokens matched by the place that matches most, the guess included
    support: int  # places that say all of it
    again: bool  # the line above or below is the very same


def features(evidence: Evidence) -> tuple[float, ...]:
    """The numbers the model weighs."""
    chances, prefix, longest, support, again = evidence
    steps = len(chances)
    logs = [log(chance) for chance in chances]
    total = sum(logs)
    product = min(max(exp(total), 1e-6), 0.999)
    least = min(max(min(chances), 1e-4), 0.999)
    first = min(max(chances[0], 1e-4), 0.999)
    return (
        1.0,
        log(product / (1 - product)),
        log(least / (1 - least)),
        log(first / (1 - first)),
        total / steps,
        log(steps),
        float(steps == 1),
        float(steps == 2),
        log(prefix + 1),
        log(longest + 1),
        log(support + 1),
        float(not support),
        float(longest >= prefix + steps),
        float(again),
    )


# Fitted by `bench/predict.py --calibrate`, on other libraries than those reported.
WEIGHTS = (-0.053, 0.605, 0.342, -0.07, 0.67, -0.375, 0.0, -0.151, 0.022, -0.04, 0.448, 1.625, 0.201, -2.381)


def confidence(evidence: Evidence) -> float:
    """How often such a guess is right, every token of it."""
    return 1 / (1 + exp(-sum(map(mul, WEIGHTS, features(evidence)))))

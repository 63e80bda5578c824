"""How sure a step is: a logistic model over what the vote rested on."""

from __future__ import annotations

from functools import lru_cache
from math import exp, log
from operator import mul
from typing import NamedTuple


class Step(NamedTuple):
    """What the choice of one token rested on."""

    length: int  # tokens matched by the longest place
    share: float  # of the weighted votes
    places: int  # that voted for it
    same_file: bool
    nearby: bool
    below: int
    ends: bool  # the token is the line break


def features(step: Step) -> tuple[float, ...]:
    """The numbers the model weighs."""
    share = min(step.share, 0.9995)
    odds = log(share / (1 - share))
    length = log(min(step.length, 24))
    return (
        1.0,
        odds,
        length,
        odds * length,
        log(min(step.places, 32)),
        float(step.same_file),
        float(step.nearby),
        float(step.below),
        float(step.below > 0),
        float(step.ends),
        float(step.length <= 2),
        float(step.share > 0.999),
        float(step.places == 1),
    )


# Both fitted by `bench/predict.py --calibrate`, on other libraries than those reported.
WEIGHTS = (-2.236, 0.218, 0.212, 0.081, 0.287, 0.509, 0.851, -0.016, 0.151, 0.945, -0.627, -0.462, -0.421)
SETTLE = (0.849, 1.004)


@lru_cache(maxsize=1024)  # unanimous steps, the most frequent ones, look alike
def probability(step: Step) -> float:
    """How often such a step is right, all before it being right."""
    return 1 / (1 + exp(-sum(map(mul, WEIGHTS, features(step)))))


def settled(product: float) -> float:
    """How often a whole guess is right, from the product of its steps: where one is right, so are others."""
    offset, slope = SETTLE
    return 1 / (1 + exp(-offset - slope * _odds(product)))


def needed(confidence: float) -> float:
    """The product that `settled` turns into this confidence."""
    if confidence <= 0:
        return 0.0
    offset, slope = SETTLE
    return 1 / (1 + exp((offset - _odds(confidence)) / slope))


def _odds(chance: float) -> float:
    chance = min(max(chance, 1e-9), 1 - 1e-9)
    return log(chance / (1 - chance))

"""How sure a step is: a logistic model over what the vote rested on."""

from __future__ import annotations

from math import exp, log
from operator import mul
from typing import NamedTuple


class Step(NamedTuple):
    """What the choice of one token rested on."""

    length: int  # tokens matched by the longest place
    share: float  # of the weighted votes
    count: int  # places that voted for it
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
        log(min(step.count, 32)),
        float(step.same_file),
        float(step.nearby),
        float(step.below),
        float(step.below > 0),
        float(step.ends),
        float(step.length <= 2),
        float(step.share > 0.999),
        float(step.count == 1),
    )


WEIGHTS = (-1.784, 0.272, -0.115, 0.163, 0.416, 0.323, 0.807, 0.115, -0.110, 0.295, -0.559, -1.256, -0.392)


def probability(step: Step) -> float:
    """How often such a step is right."""
    return 1 / (1 + exp(-sum(map(mul, WEIGHTS, features(step)))))

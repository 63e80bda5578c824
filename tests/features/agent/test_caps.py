"""The limits of a run, each at its edge, and a clock that stands still while a person thinks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from qwen_lsp.features.agent.caps import Caps, Clock, Spent
from qwen_lsp.features.agent.ending import End
from qwen_lsp.model.messages import Usage
from qwen_lsp.settings import AgentSettings

LIMITS = {"max_turns": 100, "max_total_tokens": 1_000_000, "max_cost": 10.0, "max_seconds": 600.0}


def caps(**settings: Any) -> Caps:
    """With a price of 1 for 100,000 prompt tokens."""
    return Caps(AgentSettings.model_validate({**LIMITS, **settings}), lambda usage: usage.prompt / 100_000)


def spent(turns: int = 1, tokens: int = 0, seconds: float = 0.0, last: int = 0) -> Spent:
    return Spent(turns, Usage(prompt=tokens), seconds, Usage(prompt=last))


@pytest.mark.parametrize(
    ("used", "ended"),
    [
        (spent(turns=99, tokens=999_999), None),
        (spent(turns=100), "turns"),
        (spent(tokens=1_000_000), "tokens"),
    ],
)
def test_a_cap_ends_where_it_is_reached(used: Spent, ended: str | None) -> None:
    try:
        caps().check(used)
    except End as end:
        assert end.ended == ended
        assert "raise agent." in str(end)
    else:
        assert ended is None


def test_money_ends_a_run_only_where_there_is_a_limit_and_a_price() -> None:
    with pytest.raises(End, match=r"spending 2\.00"):
        caps(max_cost=2.0).check(spent(tokens=200_000))
    caps(max_cost=0.0).check(spent(tokens=900_000))
    Caps(AgentSettings(max_cost=2.0), lambda usage: None).check(spent(tokens=900_000))


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (spent(turns=95), "5 turns left"),
        (spent(tokens=910_000), "About 90,000 tokens left"),
        (spent(tokens=600_000, last=250_000), "About 400,000 tokens left"),
        (spent(seconds=550), "About 50 seconds left"),
    ],
)
def test_the_model_is_warned_once_near_the_end(used: Spent, said: str) -> None:
    limits = caps()
    assert limits.warning(spent(turns=50, tokens=400_000, seconds=300, last=20_000)) == ""
    assert said in limits.warning(used)
    assert limits.warning(used) == ""


def test_money_warns_too() -> None:
    assert "Almost no money left" in caps(max_total_tokens=10_000_000).warning(spent(tokens=950_000))


async def test_the_time_of_a_run_ends_it() -> None:
    with pytest.raises(End, match=r"agent\.max_seconds") as ended:
        async with Clock(0.01).running():
            await asyncio.Event().wait()
    assert ended.value.ended == "time"


async def test_a_time_limit_of_something_inside_is_not_the_runs() -> None:
    with pytest.raises(TimeoutError):
        async with Clock(60).running(), asyncio.timeout(0.01):
            await asyncio.Event().wait()


async def test_the_clock_stands_still_while_a_person_is_asked() -> None:
    clock = Clock(0.01)
    loop = asyncio.get_running_loop()
    async with clock.running():
        with clock.waiting(), clock.waiting():  # two questions at once
            passed = asyncio.Event()
            loop.call_later(0.05, passed.set)
            await passed.wait()
        assert clock.seconds < 0.05


async def test_before_a_run_a_question_costs_no_time_either() -> None:
    clock = Clock(60)
    with clock.waiting():
        pass
    async with clock.running():
        assert clock.seconds < 60

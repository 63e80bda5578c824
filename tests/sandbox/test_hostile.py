"""Every hostile command, in the sandbox: nothing outside the copy is read, written, reached or left."""

from __future__ import annotations

import os

import pytest

from tests.sandbox.canaries import bare, canaries, missing
from tests.sandbox.hostile import TABLE, Attack
from tests.sandbox.places import SECRET, WORKSPACE, Place

ALL = [pytest.param(each, id=f"{aim}: {each.name}") for aim, attacks in TABLE.items() for each in attacks]
GUARDED = [name for name in WORKSPACE if name.startswith((".vscode", ".github/workflows", ".npmrc"))]


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's environment has a secret in it."""
    monkeypatch.setenv("TOKEN", SECRET)


@pytest.mark.parametrize("attack", ALL)
async def test_nothing_gets_out(place: Place, attack: Attack) -> None:
    with canaries(place) as about:
        before = place.untouched()
        done = await place.run(about.fill_in(attack))
        assert about.effects(before, done.output) == [], done.output
    assert done.ending == "exited"
    assert {name: place.in_scratch(name) for name in GUARDED} == {n: WORKSPACE[n] for n in GUARDED}
    assert not list((place.scratch / ".git").iterdir())


@pytest.mark.parametrize("attack", ALL)
def test_the_attack_is_one_where_there_is_no_sandbox(place: Place, attack: Attack) -> None:
    if attack.bare == "never" or (attack.bare == "root" and os.geteuid() != 0):
        pytest.skip(f"not tried without a sandbox by {'root' if os.geteuid() == 0 else 'this user'}")
    if program := missing(attack):
        pytest.skip(f"{program} is not installed")
    with canaries(place) as about:
        before = place.untouched()
        output = bare(place, about.fill_in(attack), about.spare)
        assert about.effects(before, output) != [], output


def test_the_table_is_not_thinned_out() -> None:
    assert sum(map(len, TABLE.values())) >= 120
    assert all(len({each.name for each in attacks}) == len(attacks) for attacks in TABLE.values())

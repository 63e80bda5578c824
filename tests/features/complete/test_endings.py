"""Every request comes to an end: whatever fails, whoever goes away, and whatever changes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from qwen_lsp.features.complete.flight import Flight
from qwen_lsp.model.endpoint import connect
from qwen_lsp.settings import EndpointSettings
from tests.features.complete.typist import Typist, typing
from tests.support.endpoint import ScriptedEndpoint


@pytest.fixture
async def typist() -> AsyncIterator[Typist]:
    async with ScriptedEndpoint(kind="vllm", models=("one", "two")) as server, typing(server) as typist:
        yield typist


# -- failures ------------------------------------------------------------------------------------------


async def test_an_endpoint_with_several_models_and_none_chosen_is_a_failure_like_others(
    typist: Typist,
) -> None:
    await typist.endpoint.aclose()
    chosen = connect(EndpointSettings(base_url=typist.server.base_url, kind="vllm"))
    assert chosen is not None
    typist.endpoint = chosen
    async with asyncio.timeout(5):
        assert await typist.ask() is None
    assert typist.problems == [
        f"{chosen.host} has 2 models; set OPENAI_MODEL to one of them: one, two",
    ]
    assert not typist.state.flights


async def test_a_defect_in_a_request_is_logged_and_ends_it(
    typist: Typist, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Flight, at: int, why: str, first: float) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Flight, "_answer", broken)
    typist.server.reply(text="compute(a)")
    async with asyncio.timeout(5):
        assert await typist.ask() is None
    assert "ZeroDivisionError" in caplog.text
    assert typist.problems == ["internal error; the log says more"]
    assert not typist.state.flights


async def test_a_failure_is_told_of_although_the_request_that_met_it_was_overtaken(typist: Typist) -> None:
    go = asyncio.Event()
    typist.server.reply(status=500, hold=go)
    older = typist.begin()
    await typist.server.wait_requests(1)
    typist.type("c")
    newer = typist.begin()
    await asyncio.sleep(0)
    go.set()
    assert await older is None
    assert await newer is None
    assert len(typist.problems) == 1


# -- the older request goes after the newer one has come -----------------------------------------------


@pytest.mark.parametrize("typed", ["", "c"])
async def test_a_client_that_cancels_the_older_request_after_the_newer_one(
    typist: Typist, typed: str
) -> None:
    go = asyncio.Event()
    typist.server.reply(text="compute(a)", hold=go)
    older = typist.begin()
    await typist.server.wait_requests(1)
    typist.type(typed)
    newer = typist.begin()
    older.cancel()
    with pytest.raises(asyncio.CancelledError):
        await older
    assert not typist.state._left  # pyright: ignore[reportPrivateUsage]
    go.set()
    found = await newer
    assert found is not None
    assert found.text == "compute(a)"[len(typed) :]
    assert typist.asked == 1


async def test_a_request_for_which_there_is_nothing_to_say_ends_the_older_one_too(typist: Typist) -> None:
    typist.server.reply(text="never", hang="headers")
    older = typist.begin()
    await typist.server.wait_requests(1)
    typist.at = 2  # inside `def`
    assert await typist.ask() is None
    assert await older is None
    assert typist.problems == []  # it did not wait until the endpoint was given up


async def test_a_request_that_begins_to_speak_while_one_waits_for_it_is_waited_for(typist: Typist) -> None:
    speak = asyncio.Event()
    typist.server.reply(chunks=["compute", "(a)"], hold=speak, pace=0.05)
    typist.server.reply(text="never")
    older = typist.begin()
    await typist.server.wait_requests(1)
    (flight,) = typist.state.flights
    typist.type("c")
    typist.state.pace.answered(0.2)
    newer = typist.begin()
    await asyncio.sleep(0)
    speak.set()
    while not flight.said:  # noqa: ASYNC110 - its pieces wake nobody
        await asyncio.sleep(0)
    assert flight.waiter is not None
    flight.waiter.wake()  # its patience is over
    found = await newer
    assert await older is None
    assert found is not None
    assert found.text == "ompute(a)"
    assert typist.asked == 1

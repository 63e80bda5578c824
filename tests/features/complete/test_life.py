"""The life of a request while somebody types: kept, answered along, aborted, waited for, cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from qwen_lsp.features.complete import request
from qwen_lsp.model import tokens
from qwen_lsp.settings import CompletionSettings
from tests.features.complete.typist import TWO, Typist, typing
from tests.support.endpoint import ScriptedEndpoint
from tests.support.fixture import workspace


@pytest.fixture
async def typist() -> AsyncIterator[Typist]:
    async with ScriptedEndpoint(kind="vllm") as server, typing(server) as typist:
        yield typist


async def test_what_is_typed_along_is_stripped_from_the_answer_under_way(typist: Typist) -> None:
    go = asyncio.Event()
    typist.server.reply(text="compute(a)", hold=go)
    older = typist.begin()
    await typist.server.wait_requests(1)
    typist.type("comp")
    newer = typist.begin()
    await asyncio.sleep(0)
    go.set()

    assert await older is None
    found = await newer
    assert found is not None
    assert found.text == "ute(a)"
    assert typist.asked == 1
    assert typist.server.early_closes == 0


async def test_the_stream_is_closed_as_soon_as_something_else_is_typed(typist: Typist) -> None:
    typist.server.reply(chunks=["compute(", "a)"], hang_after=1)
    older = typist.begin()
    await typist.server.wait_requests(1)
    (flight,) = typist.state.flights
    while not flight.said:  # noqa: ASYNC110 - its pieces wake nobody
        await asyncio.sleep(0)
    typist.type("z")  # the change alone refutes it, before anybody asks again
    await typist.server.wait_early_closes(1)
    assert await older is None

    typist.server.reply(text="ip(a)")
    assert await typist.text_of() == "ip(a)"
    assert typist.asked == 2


async def test_a_stream_that_says_something_else_than_was_typed_is_closed(typist: Typist) -> None:
    go = asyncio.Event()
    typist.server.reply(chunks=["compute(", "a", ")", "\n"], hang_after=3, hold=go)
    typist.server.reply(text="ip(a)")
    older = typist.begin()
    await typist.server.wait_requests(1)
    typist.type("z")
    newer = typist.begin()
    await asyncio.sleep(0)
    go.set()

    assert await older is None
    found = await newer
    assert found is not None
    assert found.text == "ip(a)"
    await typist.server.wait_early_closes(1)


async def test_an_edit_elsewhere_ends_the_request(typist: Typist) -> None:
    typist.server.reply(text="never", hang="headers")
    task = typist.begin()
    await typist.server.wait_requests(1)
    typist.edit(0, 0, "# changed\n")
    await typist.server.wait_early_closes(1)
    assert await task is None


async def test_a_bracket_closed_by_the_editor_does_not_end_it(typist: Typist) -> None:
    go = asyncio.Event()
    typist.server.reply(text="compute(a)", hold=go)
    typist.begin()
    await typist.server.wait_requests(1)
    typist.type("compute")
    typist.edit(typist.at, typist.at, "()")
    typist.at += 1
    newer = typist.begin()
    await asyncio.sleep(0)
    go.set()
    found = await newer
    assert found is not None
    assert found.text == "a"
    assert typist.asked == 1


async def test_cancelling_closes_the_socket_and_the_next_key_is_answered_anew(typist: Typist) -> None:
    typist.server.reply(text="never", hang="headers")
    task = typist.begin()
    await typist.server.wait_requests(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await typist.server.wait_early_closes(1)


async def test_a_client_that_cancels_because_of_a_key_finds_its_request_again(typist: Typist) -> None:
    """VS Code does: the text changes, the old request is cancelled, a new one is sent."""
    go = asyncio.Event()
    typist.server.reply(text="compute(a)", hold=go)
    older = typist.begin()
    await typist.server.wait_requests(1)
    typist.type("c")
    older.cancel()
    await asyncio.sleep(0)
    newer = typist.begin()
    await asyncio.sleep(0)
    go.set()
    found = await newer
    assert found is not None
    assert found.text == "ompute(a)"
    assert typist.asked == 1


async def test_a_client_that_goes_away_after_a_key_does_not_leave_a_request_behind(typist: Typist) -> None:
    typist.server.reply(text="never", hang="headers")
    task = typist.begin()
    await typist.server.wait_requests(1)
    typist.type("c")
    task.cancel()
    await typist.server.wait_early_closes(1)


async def test_typing_all_of_it_asks_nothing_more(typist: Typist) -> None:
    said = "compute(a, first=1, second=[2])"
    typist.server.reply(text=said)
    assert await typist.text_of() == said
    for n, character in enumerate(said[:-1], 1):
        typist.type(character)
        assert await typist.text_of() == said[n:]
    assert typist.asked == 1


async def test_taken_back_and_typed_again(typist: Typist) -> None:
    typist.server.reply(text="compute(a)")
    typist.server.reply(text="elta(a)")
    assert await typist.text_of() == "compute(a)"
    typist.type("d")
    assert await typist.text_of() == "elta(a)"
    typist.back()
    assert await typist.text_of() == "compute(a)"
    typist.type("de")
    assert await typist.text_of() == "lta(a)"
    typist.back(2)
    typist.edit(0, 0, "# above\n")
    typist.edit(0, 8, "")
    assert await typist.text_of() == "compute(a)"
    assert typist.asked == 2


async def test_a_changed_line_below_is_asked_about_anew(typist: Typist) -> None:
    typist.server.reply(text="compute(a)")
    typist.server.reply(text="other(a)")
    assert await typist.text_of() == "compute(a)"
    typist.edit(len(typist.text), len(typist.text), "    return x\n")
    assert await typist.text_of() == "other(a)"


async def test_a_definition_changed_in_another_file_is_asked_about_anew(typist: Typist) -> None:
    typist.made = workspace(TWO)
    typist.at = typist.made.offset
    typist.settings = CompletionSettings(ranking_ms=5_000)
    typist.server.reply(text="ute(a)")
    typist.server.reply(text="ute(a, 1)")
    assert await typist.text_of() == "ute(a)"
    assert await typist.text_of() == "ute(a)"
    shapes = next(path for path in typist.made.texts if path == "shapes.py")
    at = typist.made.snapshot.text(shapes).index("r):") + 1
    typist.edit(at, at, ", unit", shapes)
    assert await typist.text_of() == "ute(a, 1)"
    assert "compute(r, unit)" in typist.server.requests[-1].prompt


async def test_an_invoked_request_never_waits(typist: Typist) -> None:
    """With a wait of two seconds set and somebody who types faster than the endpoint answers."""
    typist.settings = CompletionSettings(debounce_ms=2_000)
    loop = asyncio.get_running_loop()
    for n in range(4):
        typist.state.pace.key(loop.time() + n * 0.6 - 2.4)
    typist.state.pace.answered(10)
    assert typist.state.pace.wait(2) > 0.5
    typist.server.reply(text="1")
    began = loop.time()
    assert await typist.ask(invoked=True) is not None
    assert loop.time() - began < 0.5


async def test_of_many_keys_at_once_only_the_last_is_asked_about(typist: Typist) -> None:
    """The first key of a burst is asked about at once, the others wait for the end of it."""
    go = asyncio.Event()
    typist.server.reply(text="never what is typed", hold=go)
    typist.server.reply(text="last(a)")
    tasks = [typist.begin()]
    await typist.server.wait_requests(1)
    typist.state.pace.answered(0.1)
    for _ in range(20):
        typist.type("z")
        tasks.append(typist.begin())
        await asyncio.sleep(0)
    go.set()
    done = await asyncio.gather(*tasks)
    assert [found for found in done[:-1] if found is not None] == []
    assert done[-1] is not None
    assert done[-1].text == "last(a)"
    assert typist.asked == 2


async def test_the_beginning_of_the_prompt_stays_while_a_line_is_typed(typist: Typist) -> None:
    body = "".join(f"    value_{n} = compute(value_{n - 1}, {n})\n" for n in range(1, 300))
    typist.made = workspace(f"#- a.py\ndef f(value_0):\n{body}    x = <CURSOR>\n{body}")
    typist.at = typist.made.offset
    unchanged: list[float] = []
    before: list[int] = []
    for character in "zzz.qqq(k)":
        typist.server.reply(text="\n")
        await typist.ask()
        now = tokens.encode(typist.server.requests[-1].prompt, allow_special=True)
        if before:
            same = next((i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), len(before))
            unchanged.append(same / len(now))
        before = now
        typist.type(character)
    assert min(unchanged) >= 0.9


async def test_what_follows_a_suggestion_is_fetched_while_it_is_read(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "READING", 0.0)
    typist.server.reply(text="compute(a)")
    typist.server.reply(text="\n    return x", match="x = compute(a)<|fim_suffix|>")
    assert await typist.text_of() == "compute(a)"
    await typist.server.wait_requests(2)
    typist.edit(typist.at, typist.at, "compute(a)")
    typist.at += len("compute(a)")
    assert await typist.text_of() == "\n    return x"
    assert typist.asked == 2


async def test_what_follows_is_fetched_once_however_far_one_has_typed_along(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "READING", 0.0)
    typist.made = workspace("#- a.py\n<CURSOR>\n")
    typist.at = 0
    said = "def f(a):\n    return a"
    typist.server.reply(text=said)
    typist.server.reply(text="\n\n\nf(1)", match="    return a<|fim_suffix|>")
    assert await typist.text_of() == said
    for n, character in enumerate("def f(", 1):
        await typist.server.wait_requests(2)
        while typist.state.idle.waiting:  # noqa: ASYNC110 - what is done while idle tells nobody
            await asyncio.sleep(0)
        typist.type(character)
        assert await typist.text_of() == said[n:]
    assert typist.asked == 2


async def test_nothing_is_fetched_ahead_where_requests_cost_money(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "READING", 0.0)
    monkeypatch.setattr(request, "IDLE", 0.0)
    monkeypatch.setattr(type(typist.endpoint), "metered", property(lambda _: True))
    typist.server.reply(text="compute(a)")
    assert await typist.text_of() == "compute(a)"
    for _ in range(50):
        await asyncio.sleep(0)
    assert typist.state.idle.waiting is False
    assert typist.asked == 1


async def test_what_was_fetched_ahead_gives_way_to_what_somebody_asks_for(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "READING", 0.0)
    typist.server.reply(text="compute(a)")
    typist.server.reply(text="never", match="x = compute(a)<|fim_suffix|>", hang="headers")
    assert await typist.text_of() == "compute(a)"
    await typist.server.wait_requests(2)
    typist.server.reply(text="ip(a)")
    typist.type("z")
    assert await typist.text_of() == "ip(a)"
    await typist.server.wait_early_closes(1)


async def test_a_server_nearby_reads_the_next_prompt_while_nobody_types(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer had to do without another file; it is in the prompt that is given to read."""
    monkeypatch.setattr(request, "IDLE", 0.0)
    typist.made = workspace(TWO)
    typist.at = typist.made.offset
    typist.settings = CompletionSettings(ranking_ms=0)
    typist.server.reply(text="")
    typist.server.reply(text="x", match="def compute")
    assert await typist.text_of() is None
    await typist.server.wait_requests(2)
    first, warm = typist.server.requests
    assert "def compute" not in first.prompt
    assert warm.json["max_tokens"] == 1


async def test_what_is_being_fetched_when_it_is_accepted_is_asked_for_once(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where what was accepted declares something: it is there by then, and counts once."""
    monkeypatch.setattr(request, "READING", 0.0)
    typist.made = workspace("#- a.py\nx = 1\n\n\n<CURSOR>\n")
    typist.at = typist.made.offset
    go = asyncio.Event()
    typist.server.reply(text="def g(b):\n    c = b\n    return c")
    typist.server.reply(text=" + 1", match="return c<|fim_suffix|>", hold=go)
    first = await typist.text_of()
    assert first == "def g(b):\n    c = b\n    return c"
    await typist.server.wait_requests(2)
    typist.edit(typist.at, typist.at, first)
    typist.at += len(first)
    task = typist.begin()
    await asyncio.sleep(0)
    go.set()
    assert (found := await task) is not None
    assert found.text
    assert typist.asked == 2

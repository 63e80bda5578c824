"""A completion is there in time or not at all; a warm-up costs next to nothing and harms nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from qwen_lsp.errors import EndpointError, EndpointFailed, EndpointTimeout, MalformedReply, RateLimited
from qwen_lsp.model import profiles, resilience, routes
from qwen_lsp.model.messages import FimRequest, Usage
from qwen_lsp.model.profiles import PROFILES, ROUTE_NAMES, FimRoute
from qwen_lsp.settings import EndpointKind
from tests.model.test_endpoint import FIM, KINDS, PATHS, client_of, complete, ledger_of
from tests.model.test_probe import hanging_server
from tests.support.endpoint import Kind, ScriptedEndpoint, Spent

PATIENCE = 0.2
LATE = r"gave no text within 0\.2 s"

# --- the first text


@pytest.mark.parametrize(
    "talk",
    [
        {"hang": "headers"},
        {"hang_after": 0},
        {"chunks": [""] * 2_000, "pace": 0.005},
        {"body": b": still here\n\n" * 2_000, "piece": 14, "pace": 0.005},
    ],
    ids=["no headers", "headers alone", "empty pieces", "comments"],
)
async def test_what_is_no_text_does_not_hold_a_completion(talk: dict[str, Any]) -> None:
    async with ScriptedEndpoint() as server, client_of(server, first_token=PATIENCE) as client:
        server.reply(**talk)
        with pytest.raises(EndpointTimeout, match=LATE):
            await complete(client)
        await server.wait_early_closes()


@pytest.mark.parametrize(
    "event",
    [
        '{"choices": "text"}', '{"choices": {"0": 1}}', '{"choices": [null]}', '{"choices": ["text"]}',
        '{"choices": 5}', '{"choices": NaN}', '{"choices": [{"delta": "text"}]}',
        '{"choices": [{"text": [1]}]}',
        '{"choices": [], "usage": {"prompt_tokens": 1, "prompt_tokens_details": "none"}}',
        "[" * 100_000, '{"a":' * 100_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 500])
async def test_whatever_a_server_sends_in_place_of_a_reply_ends_in_an_error_of_the_endpoint(
    event: str, status: int
) -> None:
    for body, kind in ((f"data: {event}\n\n", "text/event-stream"), (event, "application/json")):
        async with ScriptedEndpoint() as server, client_of(server) as client:
            server.reply(body=body.encode(), status=status, headers={"Content-Type": kind})
            with pytest.raises((MalformedReply, EndpointFailed)):
                await complete(client)


@pytest.mark.parametrize("status", [200, 429, 500])
@pytest.mark.parametrize("pad", [0, 20, 70, 290])
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
async def test_a_key_that_a_server_says_again_is_in_no_message(kind: str, status: int, pad: int) -> None:
    key = "sk-0123456789abcdefghijklmnopqrstuvwxyz"
    async with ScriptedEndpoint() as server, client_of(server, api_key=key) as client:
        said = f"data: {'x' * pad}{key}\n\n" if "event" in kind else f"{'x' * pad}{key}"
        server.reply(body=said.encode(), status=status, headers={"Content-Type": kind})
        with pytest.raises(EndpointError) as caught:
            await complete(client)
    assert "sk-0" not in str(caught.value)


async def test_questions_about_an_unknown_endpoint_are_part_of_the_wait_and_not_asked_again() -> None:
    async with (
        ScriptedEndpoint() as server,
        client_of(server, first_token=PATIENCE, kind="auto", model="") as client,
    ):
        server.hold_probes = asyncio.Event()
        for _ in range(3):
            with pytest.raises(EndpointTimeout, match=LATE):
                await complete(client)
        assert len(server.probes) == 1
        server.hold_probes.set()
        assert (await client.survey()).model == server.model
        server.reply("pass")
        assert await complete(client) == "pass"
        assert [probe.path for probe in server.probes].count("/v1/models") == 2, "one was for the window"


async def test_a_server_that_accepts_and_says_nothing_holds_nobody() -> None:
    async with ScriptedEndpoint() as server, hanging_server() as port:
        url = f"http://127.0.0.1:{port}/v1"
        for kind in ("auto", "vllm"):
            async with client_of(server, base_url=url, first_token=PATIENCE, kind=kind) as client:
                with pytest.raises(EndpointTimeout, match=LATE):
                    await complete(client)


async def test_once_there_was_text_the_next_piece_has_its_own_time() -> None:
    async with ScriptedEndpoint() as server, client_of(server, first_token=2, idle_timeout=0.05) as client:
        server.reply(chunks=["a", "b"], hang_after=1)
        pieces: list[str] = []
        with pytest.raises(EndpointTimeout, match=r"sent nothing for 0\.05 s"):
            async for piece in client.complete(FIM):
                pieces.append(piece)
        assert pieces == ["a"]


async def test_an_empty_completion_is_one() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply("")
        assert await complete(client) == ""


async def test_what_a_completion_used_is_estimated_when_it_is_left_early() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply(chunks=["abcd"] * 8, hang_after=8)
        request = FimRequest("a", "x" * 400, "y" * 40, context=(("b", "z" * 40),))
        pieces = client.complete(request)
        said = ""
        while len(said) < 32:
            said += await anext(pieces)
        await pieces.aclose()
        booked = ledger_of(client)["completion"]
        assert (booked.cancelled, booked.usage) == (1, Usage(120, 8, estimated=True))


# --- stops


def test_no_route_is_sent_more_stops_than_servers_take() -> None:
    own = ("\n\n", "\ndef ", "\nclass ", "```", "#")
    for stops in (own[:n] for n in range(len(own) + 1)):
        request = FimRequest("a.py", "x", "y", stops=stops)
        for route in ROUTE_NAMES:
            body = routes.body(route, request, "m", PROFILES["openai"])
            sent = body["options"]["stop"] if route == "generate" else body["stop"]
            assert len(sent) <= 4
            assert len(set(sent)) == len(sent)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stop_that_was_not_sent_ends_the_completion_all_the_same(kind: Kind) -> None:
    request = FimRequest("a.py", "x = ", "\n", stops=("one", "two", "three", "four", "five"))
    async with ScriptedEndpoint(kind) as server, client_of(server) as client:
        server.reply("1 + 2 fi", chunks=["1 + 2 fi", "ve + 3"])
        assert await complete(client, request) == "1 + 2 "


# --- warming up

LEAST: dict[FimRoute, tuple[str, int]] = {
    "completions": ("max_tokens", 1),
    "infill": ("n_predict", 0),
    "generate": ("num_predict", 1),
    "partial": ("max_tokens", 1),
    "chat": ("max_tokens", 1),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_warm_up_asks_for_the_same_prompt_and_next_to_nothing(kind: Kind) -> None:
    async with ScriptedEndpoint(kind) as server, client_of(server) as client:
        server.reply("x", usage=Spent(50, 1))
        await client.warm(FIM)
        server.reply("x")
        await complete(client)
        warm, real = server.requests
        assert warm.path == real.path == PATHS[kind]
        name, least = LEAST[PROFILES[kind].fim]
        asked, wanted = warm.json, real.json
        if kind == "ollama":
            assert asked["options"].pop(name) == least
            assert wanted["options"].pop(name) == FIM.max_tokens
        else:
            assert asked.pop(name) == least
            assert wanted.pop(name) == FIM.max_tokens
        assert asked == wanted
        booked = ledger_of(client)["warm-up"]
        assert (booked.requests, booked.usage) == (1, Usage(50, 1))
        assert ledger_of(client)["completion"].requests == 1


async def test_a_warm_up_that_fails_is_neither_told_nor_repeated_nor_held_against_the_endpoint() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply("x", reset_after=0)
        await client.warm(FIM)
        for _ in range(2 * resilience.THRESHOLD):
            server.reply(status=500)
            await client.warm(FIM)
        server.reply("some text that is long enough", cut_after=100)
        await client.warm(FIM)
        assert len(server.requests) == 2 * resilience.THRESHOLD + 2
        # The last one had its prompt read, which is all it was for.
        assert ledger_of(client)["warm-up"].failed == len(server.requests) - 1
        server.reply("pass")
        assert await complete(client) == "pass"
    async with client_of(server) as client:
        await client.warm(FIM)


async def test_a_warm_up_is_left_out_where_a_completion_would_be() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        for _ in range(resilience.THRESHOLD):
            server.reply(status=500)
            with pytest.raises(EndpointFailed):
                await complete(client)
        await client.warm(FIM)
        assert len(server.requests) == resilience.THRESHOLD
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply(status=429, headers={"Retry-After": "30"})
        await client.warm(FIM)
        await client.warm(FIM)
        with pytest.raises(RateLimited):
            await complete(client)
        assert len(server.requests) == 1


async def test_a_cancelled_warm_up_closes_its_socket() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        hanging: tuple[dict[str, Any], ...] = ({"hang": "headers"}, {"chunks": ["a", "b"], "hang_after": 1})
        for count, fields in enumerate(hanging, 1):
            server.reply(**fields)
            task = asyncio.create_task(client.warm(FIM))
            await server.wait_requests(count)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.wait_early_closes(count)
        assert ledger_of(client)["warm-up"].cancelled == 2


@pytest.mark.parametrize(
    ("kind", "url", "metered"),
    [
        ("openai", "http://localhost:8000/v1", False),
        ("vllm", "http://127.0.0.1:8000/v1", False),
        ("ollama", "http://192.168.1.20:11434", False),
        ("llamacpp", "http://10.0.0.7:8080", False),
        ("sglang", "http://172.16.3.4:30000/v1", False),
        ("vllm", "http://100.101.102.103:8000/v1", False),
        ("lmstudio", "http://studio.local:1234/v1", False),
        ("vllm", "http://[fd12:3456::1]:8000/v1", False),
        ("vllm", "http://gpu:8000/v1", False),
        ("openai", "http://192.168.1.20:4000/v1", True),
        ("vllm", "https://gpu.example.com/v1", True),
        ("vllm", "http://172.32.0.1:8000/v1", True),
        ("vllm", "http://8.8.8.8:8000/v1", True),
        ("dashscope", "http://localhost:9000/v1", True),
        ("openrouter", "https://openrouter.ai/api/v1", True),
        ("openai", "https://api.openai.com/v1", True),
    ],
)
def test_what_costs_money(kind: EndpointKind, url: str, metered: bool) -> None:
    assert profiles.is_metered(kind, url) == metered


async def test_an_endpoint_knows_whether_it_is_metered() -> None:
    async with ScriptedEndpoint("dashscope") as server, client_of(server) as client:
        assert client.metered
    async with ScriptedEndpoint("vllm") as server, client_of(server, kind="auto") as client:
        assert not client.metered

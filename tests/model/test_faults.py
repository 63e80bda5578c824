"""Every fault of an endpoint ends in one typed error and one clear sentence; recovery needs no restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from qwen_lsp import errors
from qwen_lsp.errors import (
    AuthenticationFailed,
    ContextOverflow,
    EndpointError,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    MalformedReply,
    RateLimited,
    RequestRefused,
)
from qwen_lsp.model import faults, guard, resilience, target
from qwen_lsp.model.messages import TextDelta
from tests.model.test_endpoint import ASK, Clock, chat, client_of, complete
from tests.support.endpoint import ScriptedEndpoint

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
PAGE = b"<!DOCTYPE html><html><body>Welcome to nginx!</body></html>"

OVERFLOWS: list[tuple[Any, int | None]] = [
    (
        {
            "object": "error",
            "message": "This model's maximum context length is 32768 tokens. However, you requested "
            "40000 tokens (39000 in the messages, 1000 in the completion).",
            "code": 400,
        },
        32_768,
    ),
    ({"message": "The decoder prompt (length 9) is longer than the maximum model length of 8."}, 8),
    (
        {
            "error": {
                "message": "The input (9 tokens) is longer than the model's context length (40960 tokens)."
            }
        },
        40_960,
    ),
    (
        {"message": "Requested token count exceeds the model's maximum context length of 202752 tokens."},
        202_752,
    ),
    (
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size. try increasing the context size",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 14_429,
                "n_ctx": 8_192,
            }
        },
        8_192,
    ),
    ({"error": {"message": "request (9000 tokens) exceeds the available context size (4096 tokens)"}}, 4_096),
    (
        {
            "error": "Trying to keep the first 10136 tokens when context the overflows. However, the model "
            "is loaded with context length of only 7866 tokens, which is not enough."
        },
        7_866,
    ),
    (
        {
            "error": "The number of tokens to keep from the initial prompt is greater than the context "
            "length (n_keep: 13055>= n_ctx: 4096)."
        },
        4_096,
    ),
    (
        {
            "error": {
                "code": "context_length_exceeded",
                "message": "Your messages resulted in too many tokens.",
            }
        },
        None,
    ),
    ({"error": {"message": "InvalidParameter: Range of input length should be [1, 997952]"}}, 997_952),
    ({"error": "the input length exceeds the context length"}, None),
    ({"error": "prompt too long; exceeded context length by 12 tokens"}, None),
]


@pytest.mark.parametrize(("body", "limit"), OVERFLOWS)
def test_every_servers_words_for_a_full_window_are_understood(body: Any, limit: int | None) -> None:
    error = faults.from_status("h:1", 400, {}, json.dumps(body))
    assert isinstance(error, ContextOverflow), error
    assert error.limit == limit
    assert isinstance(faults.from_event("h:1", body.get("error", body)), ContextOverflow)


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "says"),
    [
        (401, {}, '{"error": {"message": "Incorrect API key"}}', AuthenticationFailed, "Incorrect API key"),
        (403, {}, "", AuthenticationFailed, "HTTP 403"),
        (404, {}, '{"detail": "Not Found"}', RequestRefused, "Not Found"),
        (404, {"content-type": "text/html"}, "<html>", RequestRefused, "usually ends in /v1"),
        (422, {}, '{"detail": [{"msg": "field required"}]}', RequestRefused, "field required"),
        (302, {"location": "https://login.example/"}, "", RequestRefused, "https://login.example/"),
        (429, {}, '{"error": {"code": "insufficient_quota", "message": "Pay"}}', RequestRefused, "Pay"),
        (429, {}, "slow down", RateLimited, "slow down"),
        (500, {}, "oops", EndpointFailed, "oops"),
        (529, {}, "", EndpointFailed, "529"),
        (501, {}, "", RequestRefused, "501"),
        (400, {}, '{"error": {"message": ["a", "b"]}}', RequestRefused, "a"),
    ],
)
def test_status_to_error(status: int, headers: dict[str, str], body: str, kind: type, says: str) -> None:
    error = faults.from_status("h:1", status, headers, body)
    assert type(error) is kind
    assert says in str(error)
    assert "h:1" in str(error)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", None),
        ("-1", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert faults.retry_after({"retry-after": value}, now=NOW) == seconds


def test_a_wait_is_never_shorter_than_asked_for_and_never_the_same() -> None:
    asked = {resilience.wait_before(1, RateLimited("", 3.0)) for _ in range(100)}
    assert min(asked) >= 3.0
    assert max(asked) < 3.5
    assert len(asked) > 50
    grown = [resilience.wait_before(attempt, EndpointFailed("")) for attempt in range(1, 20)]
    assert max(grown) <= resilience.LONGEST_WAIT


def test_the_breaker_lets_one_request_through_when_it_cooled_down() -> None:
    breaker = resilience.Breaker("h")
    for now in range(resilience.THRESHOLD):
        breaker.check(now)
        breaker.failed(now)
    with pytest.raises(EndpointFailed, match="5 times in a row"):
        breaker.check(4.5)
    later = 4.0 + resilience.COOL_DOWN
    breaker.check(later)
    with pytest.raises(EndpointFailed):
        breaker.check(later)
    breaker.gave_up()
    breaker.check(later)
    breaker.failed(later)
    with pytest.raises(EndpointFailed):
        breaker.check(later + 1)
    breaker.check(later + resilience.COOL_DOWN)
    breaker.succeeded()
    breaker.check(later)
    assert resilience.COOL_DOWN <= 5


# --- over real HTTP


async def test_a_chat_waits_as_long_as_it_was_told_and_tries_again() -> None:
    clock = Clock()
    async with ScriptedEndpoint() as server, client_of(server, clock=clock) as client:
        server.reply(status=429, headers={"Retry-After": "7"})
        server.reply(status=503)
        server.reply("hi")
        assert (await chat(client))[0] == "hi"
        assert len(server.requests) == 3
        assert 7.0 <= clock.waits[0] < 8
        totals = client.ledger.totals().all
        assert (totals.requests, totals.failed) == (3, 2)


async def test_a_chat_does_not_wait_for_minutes() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply(status=429, headers={"Retry-After": "600"})
        with pytest.raises(RateLimited) as caught:
            await chat(client)
        assert caught.value.retry_after == 600


async def test_retries_end() -> None:
    clock = Clock()
    async with ScriptedEndpoint() as server, client_of(server, clock=clock, max_retries=2) as client:
        for _ in range(3):
            server.reply(status=500)
        with pytest.raises(EndpointFailed):
            await chat(client)
        assert (len(server.requests), len(clock.waits)) == (3, 2)


async def test_completions_are_dropped_while_the_endpoint_asks_to_wait() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply(status=429, headers={"Retry-After": "30"})
        for _ in range(5):
            with pytest.raises(RateLimited):
                await complete(client)
        assert len(server.requests) == 1


async def test_an_endpoint_that_keeps_failing_is_left_alone_and_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        for _ in range(resilience.THRESHOLD):
            server.reply(status=500)
            with pytest.raises(EndpointFailed):
                await complete(client)
        with pytest.raises(EndpointFailed, match="in a row"):
            await complete(client)
        assert len(server.requests) == resilience.THRESHOLD
        server.reply("chat is not affected")
        await chat(client)
        monkeypatch.setattr(resilience, "COOL_DOWN", 0.0)
        server.reply("pass")
        assert await complete(client) == "pass"


async def test_a_refused_key_is_not_sent_again() -> None:
    async with ScriptedEndpoint(api_key="right") as server, client_of(server, api_key="wrong-key") as client:
        for _ in range(3):
            with pytest.raises(AuthenticationFailed, match="OPENAI_API_KEY"):
                await chat(client)
            with pytest.raises(AuthenticationFailed):
                await complete(client)
        assert server.connections == 1
        assert not server.requests
    async with (
        ScriptedEndpoint(api_key="right") as server,
        client_of(server, api_key="wrong-key", kind="auto", model="") as client,
    ):
        for _ in range(3):
            with pytest.raises(AuthenticationFailed):
                await complete(client)
        assert server.connections == 1


async def test_silence_before_the_reply_is_bounded() -> None:
    async with (
        ScriptedEndpoint() as server,
        client_of(server, first_token=0.05, first_byte_timeout=0.05) as client,
    ):
        server.reply("x", hang="headers")
        with pytest.raises(EndpointTimeout, match=r"sent nothing for 0\.05 s"):
            await chat(client)
        server.reply("x", hang="headers")
        with pytest.raises(EndpointTimeout, match=r"gave no text within 0\.05 s"):
            await complete(client)
        # Headers alone are no first token.
        server.reply("x", hang_after=0)
        with pytest.raises(EndpointTimeout):
            await complete(client)
        await server.wait_early_closes(3)


async def test_silence_in_the_middle_is_bounded_and_what_came_stays() -> None:
    async with ScriptedEndpoint() as server, client_of(server, idle_timeout=0.05) as client:
        server.reply(chunks=["so ", "far"], hang_after=2)
        seen: list[str] = []
        with pytest.raises(EndpointTimeout):
            async for event in client.chat(ASK, max_tokens=10):
                assert isinstance(event, TextDelta)
                seen.append(event.text)
        assert seen == ["so ", "far"]
        await server.wait_early_closes()


Fault = dict[str, Any]
BROKEN: list[tuple[Fault, type[EndpointError], str]] = [
    ({"cut_after": 400}, MalformedReply, "in the middle"),
    ({"reset_after": 400}, MalformedReply, "broke off"),
    ({"body": b"data: {nonsense\n\n"}, MalformedReply, "not JSON"),
    ({"body": b"data: 17\n\n"}, MalformedReply, "not an object"),
    ({"body": PAGE, "headers": {"Content-Type": "text/html"}}, MalformedReply, "web page"),
    ({"body": b"hello", "headers": {"Content-Type": "text/plain"}}, MalformedReply, "not JSON"),
    ({"body": b"", "headers": {"Content-Type": "application/json"}}, MalformedReply, "not JSON"),
    ({"body": b'data: {"error": {"message": "CUDA"}}\n\n'}, EndpointFailed, "CUDA"),
    ({"body": b'error: {"message": "n_keep: 9>= n_ctx: 8"}\n\n'}, ContextOverflow, "8 tokens"),
    ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, RequestRefused, "not followed"),
    ({"status": 400, "text": "maximum context length is 99 tokens"}, ContextOverflow, "99 tokens"),
    ({"status": 502, "body": PAGE, "headers": {"Content-Type": "text/html"}}, EndpointFailed, "502"),
]


@pytest.mark.parametrize(("fault", "kind", "says"), BROKEN, ids=[str(row[0])[:40] for row in BROKEN])
async def test_a_broken_reply_is_a_typed_error(fault: Fault, kind: type[EndpointError], says: str) -> None:
    async with ScriptedEndpoint() as server, client_of(server, max_retries=0, api_key="sk-secret") as client:
        asks: tuple[Callable[[], Any], ...] = (lambda: chat(client), lambda: complete(client))
        for ask in asks:
            server.reply(**({"text": "some text that is long enough"} | fault))
            with pytest.raises(kind) as caught:
                await ask()
            assert says in str(caught.value)
            assert "127.0.0.1" in str(caught.value)
            assert "sk-secret" not in str(caught.value)
        server.reply("well again")
        assert (await chat(client))[0] == "well again"


async def test_a_missing_done_harms_nothing_when_the_end_was_told() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply("hi", done=False)
        assert (await chat(client))[0] == "hi"
        server.reply("hi", done=False)
        assert await complete(client) == "hi"


async def test_a_window_that_was_refused_is_remembered() -> None:
    async with ScriptedEndpoint("openai") as server, client_of(server) as client:
        server.reply("maximum context length is 9999 tokens", status=400)
        with pytest.raises(ContextOverflow):
            await chat(client)
        assert await client.window() == 9_999


async def test_a_lost_connection_is_tried_again_only_while_nothing_was_shown() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply("x", reset_after=0)
        server.reply("hi")
        assert (await chat(client))[0] == "hi"
        server.reply("some text", reset_after=500)
        with pytest.raises(MalformedReply):
            await chat(client)
        assert len(server.requests) == 3


async def test_a_key_that_the_server_repeats_is_not_shown() -> None:
    async with ScriptedEndpoint() as server, client_of(server, api_key="sk-secret-1") as client:
        server.reply("bad request by sk-secret-1", status=400)
        with pytest.raises(RequestRefused) as caught:
            await chat(client)
        assert "[key]" in str(caught.value)
        assert "sk-secret" not in repr(caught.value)


async def test_nothing_listens() -> None:
    async with ScriptedEndpoint() as server:
        pass
    async with client_of(server, clock=Clock()) as client:
        for ask in (chat(client), complete(client)):
            with pytest.raises(EndpointUnreachable, match="is the server running"):
                await ask


async def test_an_endpoint_that_could_not_be_asked_is_not_asked_at_every_keystroke(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ScriptedEndpoint() as server, client_of(server, kind="auto", model="") as client:
        server.missing.add("/v1/models")
        with pytest.raises(RequestRefused, match="lists no models"):
            await complete(client)
        # With every connection closed, another question would need a new one.
        asked = server.connections
        await client.aclose()
        for _ in range(3):
            with pytest.raises(RequestRefused, match="lists no models"):
                await complete(client)
        assert server.connections == asked
        server.missing.clear()
    monkeypatch.setattr(target, "COOL_DOWN", 0.0)
    async with ScriptedEndpoint() as server, client_of(server, kind="auto", model="") as client:
        server.missing.add("/v1/models")
        with pytest.raises(RequestRefused):
            await complete(client)
        server.missing.clear()
        server.reply("pass")
        assert await complete(client) == "pass"
        assert client.model == server.model


async def test_no_proxy_stands_before_this_machine_and_one_does_before_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ScriptedEndpoint() as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        async with client_of(server) as client:
            server.reply("direct")
            assert await complete(client) == "direct"
        monkeypatch.setenv("HTTP_PROXY", server.root)
        async with client_of(server, base_url="http://model.example/v1") as client:
            server.reply("through the proxy")
            assert await complete(client) == "through the proxy"
            assert server.requests[-1].headers["host"] == "model.example"
            server.reply("chat through the proxy")
            assert (await chat(client))[0] == "chat through the proxy"
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        async with client_of(server, base_url="http://model.example/v1") as client:
            with pytest.raises(EndpointUnreachable):
                await complete(client)


async def test_a_request_tells_little_about_the_machine() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply("x")
        await chat(client)
        sent = server.requests[0].headers
        assert sent["user-agent"].startswith("qwen-lsp/")
        assert "authorization" not in sent
        assert not {"x-stainless-os", "x-stainless-arch", "x-stainless-runtime-version"} & set(sent)


def test_every_endpoint_error_is_about_health_or_about_the_request() -> None:
    ill = set(guard.BROKEN)
    every = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, EndpointError) and kind is not EndpointError
    }
    answers = {AuthenticationFailed, RateLimited, ContextOverflow, RequestRefused, errors.EndpointMissing}
    assert every == ill | answers

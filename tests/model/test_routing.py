"""Every kind of server completes by the best route it really has, and is told apart from one that is ill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwen_lsp.errors import (
    EndpointError,
    EndpointTimeout,
    EndpointUnreachable,
    MalformedReply,
    RequestRefused,
)
from qwen_lsp.model import profiles, resilience
from qwen_lsp.model.profiles import PROFILES, FimRoute
from qwen_lsp.model.routing import is_code
from tests.model.test_endpoint import FIM, KINDS, PATHS, client_of, complete
from tests.support.endpoint import Kind, Recorded, Reply, ScriptedEndpoint
from tests.support.wire import prefix

REFUSALS: tuple[dict[str, Any], ...] = (
    {"status": 400, "text": "this model does not know fill-in-the-middle"},
    {"status": 404, "text": "Not Found"},
    {"status": 405, "text": "Method Not Allowed"},
    {"status": 422, "text": "extra field"},
    {"status": 501, "text": "Infill is not supported by this model."},
)


def ladder(kind: Kind) -> list[FimRoute]:
    """The routes of a kind, best first; the last is chat."""
    routes: list[FimRoute] = []
    route: FimRoute | None = PROFILES[kind].fim
    while route is not None:
        routes.append(route)
        route = profiles.next_route(route)
    return routes


def by_chat(request: Recorded) -> bool:
    """Whether it is an ordinary question rather than a completion."""
    return bool(request.messages) and not request.messages[-1].get("partial")


@pytest.mark.parametrize("kind", KINDS)
async def test_it_works(kind: Kind) -> None:
    async with ScriptedEndpoint(kind) as server, client_of(server) as client:
        assert client.route is None
        server.reply("return a + b")
        assert await complete(client) == "return a + b"
        assert client.route == PROFILES[kind].fim
        assert [request.path for request in server.requests] == [PATHS[kind]]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[str(row["status"]) for row in REFUSALS])
@pytest.mark.parametrize("kind", KINDS)
async def test_it_refuses_fill_in_the_middle(kind: Kind, refusal: dict[str, Any]) -> None:
    first, second, *_ = ladder(kind)
    async with ScriptedEndpoint(kind) as server, client_of(server) as client:
        server.reply(**refusal)
        answer = "return a + b" if second != "chat" else "```python\nreturn a + b\n```"
        server.reply(answer)
        assert await complete(client) == "return a + b"
        assert client.route == second != first
        server.reply("again")
        assert await complete(client) == "again"
        assert len(server.requests) == 3, "the route that works is remembered"


@pytest.mark.parametrize("kind", KINDS)
async def test_it_only_chats(kind: Kind) -> None:
    async with ScriptedEndpoint(kind) as server, client_of(server) as client:
        server.missing |= {"/infill", "/api/generate", f"{prefix(kind)}/completions"}
        if kind == "dashscope":
            server.reply(status=400, text="Unsupported parameter: partial")
        server.reply("```python\n    return a + b\n```\nThis adds the two numbers.")
        assert await complete(client) == "    return a + b"
        assert client.route == "chat"
        question = server.requests[-1]
        assert question.path == f"{prefix(kind)}/chat/completions"
        assert "fim_" not in question.prompt
        assert "def add(a, b):" in question.prompt
        assert "print(add(1, 2))" in question.prompt


@pytest.mark.parametrize("kind", KINDS)
async def test_its_first_token_is_slow(kind: Kind) -> None:
    async with ScriptedEndpoint(kind) as server, client_of(server, first_token=0.05) as client:
        server.reply("too late", hang_after=0)
        with pytest.raises(EndpointTimeout, match="gave no text"):
            await complete(client)
        assert client.route is None, "slow is no reason for another route"
    async with ScriptedEndpoint(kind) as server, client_of(server) as client:
        server.reply("pass")
        assert await complete(client) == "pass"
        assert client.route == PROFILES[kind].fim


@pytest.mark.parametrize("kind", KINDS)
async def test_it_dies_in_the_middle(kind: Kind) -> None:
    deaths: tuple[dict[str, Any], ...] = ({"cut_after": 300}, {"reset_after": 300})
    async with ScriptedEndpoint(kind) as server, client_of(server) as client:
        for death in deaths:
            server.reply("a text that is long enough to be cut " * 4, **death)
            shown = ""
            with pytest.raises(MalformedReply):
                async for piece in client.complete(FIM):
                    shown += piece
            assert ("a text that is long enough to be cut " * 4).startswith(shown)
        assert len(server.requests) == 2, "nothing is asked twice"
        server.reply("pass")
        assert await complete(client) == "pass"
        assert client.route == PROFILES[kind].fim


# --- finding the route with a request whose answer is known


@pytest.mark.parametrize("kind", KINDS)
async def test_the_route_that_works_is_found(kind: Kind) -> None:
    async with ScriptedEndpoint(kind) as server, client_of(server) as client:
        server.reply("a + b\n")
        report = await client.find_route()
        assert (report.route, report.told) == (client.route, profiles.ROUTE_NAMES[PROFILES[kind].fim])
        assert client.route == PROFILES[kind].fim


PROSE = (
    "Here is the completed function:",
    "<|fim_middle|>",
    "",
    "def add(a, b):\n    return a + b",
    "print(1)",
)


@pytest.mark.parametrize("said", PROSE)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_takes_the_markers_for_text_is_asked_by_chat(kind: Kind, said: str) -> None:
    def answer(request: Recorded) -> Reply:
        return Reply("```python\nreturn a + b\n```" if by_chat(request) else said)

    async with ScriptedEndpoint(kind, responder=answer) as server, client_of(server) as client:
        report = await client.find_route()
        assert [trial.route for trial in report.tried] == ladder(kind)
        assert report.route == client.route == "chat"
        assert report.told.startswith("an ordinary question through chat, since ")
        assert "which is no code" in report.told
        await complete(client)
        assert by_chat(server.requests[-1])


@pytest.mark.parametrize("refusal", REFUSALS, ids=[str(row["status"]) for row in REFUSALS])
async def test_why_a_route_is_not_used_is_told(refusal: dict[str, Any]) -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply(**refusal)
        server.reply("a + b")
        report = await client.find_route()
        assert report.route == client.route == "chat"
        assert report.told.endswith(f"(HTTP {refusal['status']}): {refusal['text']}")


async def test_a_route_that_answers_with_a_web_page_is_passed_over_but_not_for_good() -> None:
    page: dict[str, Any] = {"body": b"<!DOCTYPE html>", "headers": {"Content-Type": "text/html"}}
    faults: tuple[dict[str, Any], ...] = (page, {"status": 500})
    for fault in faults:
        async with ScriptedEndpoint() as server, client_of(server) as client:
            server.reply(**fault)
            server.reply("a + b")
            report = await client.find_route()
            assert (report.route, client.route) == ("chat", None)
            server.reply("pass")
            assert await complete(client) == "pass"
            assert client.route == "completions"


async def test_where_nothing_answers_with_code_that_is_told() -> None:
    async with (
        ScriptedEndpoint(responder=lambda _: Reply("I am sorry.")) as server,
        client_of(server) as client,
    ):
        report = await client.find_route()
        assert (report.route, client.route) == (None, None)
        assert report.told.count("I am sorry.") == 2


ILL: tuple[tuple[Callable[[ScriptedEndpoint], object], type[EndpointError]], ...] = (
    (lambda server: server.reply(hang="headers"), EndpointTimeout),
    (lambda server: server.reply(reset_after=0), EndpointUnreachable),
    (lambda server: server.reply(status=404, text="The model `x` does not exist."), RequestRefused),
)


@pytest.mark.parametrize(("fault", "kind"), ILL)
async def test_of_an_endpoint_that_is_ill_nothing_is_learnt(
    fault: Callable[[ScriptedEndpoint], object], kind: type[EndpointError]
) -> None:
    async with ScriptedEndpoint() as server, client_of(server, first_byte_timeout=0.05) as client:
        fault(server)
        with pytest.raises(kind):
            await client.find_route()
        assert (len(server.requests), client.route) == (1, None)


async def test_a_found_route_is_not_lost_to_a_failure() -> None:
    async with ScriptedEndpoint() as server, client_of(server) as client:
        server.reply("a + b")
        await client.find_route()
        for refusal in REFUSALS[: resilience.THRESHOLD - 1]:
            server.reply(**refusal)
            with pytest.raises(RequestRefused):
                await complete(client)
        assert client.route == "completions"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("a + b", True),
        (" a+b  # the sum\n\nprint(3)", True),
        ("sum((a, b))", True),
        ("(\n        a\n        + b\n    )", True),
        ("", False),
        ("The sum of a and b.", False),
        ("Sure!", False),
        ("a", False),
        ("def add(a, b): return a + b", False),
        ("<|fim_suffix|>", False),
        ("-" * 200_000 + "a", False),
        ("(" * 200_000, False),
    ],
)
def test_what_looks_like_code(answer: str, code: bool) -> None:
    assert is_code(answer) == code

"""The scripted endpoint itself: what a test may rely on, seen with a bare HTTP client."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import get_args

import httpx2
import pytest

from tests.support.endpoint import Kind, Recorded, Reply, ScriptedEndpoint, Spent, echo, load_script

CHAT = {"messages": [{"role": "user", "content": "hello"}], "stream": True}


def bare() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(trust_env=False, timeout=10)


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_every_kind_lists_its_models_and_streams_a_chat(kind: Kind) -> None:
    async with ScriptedEndpoint(kind) as server, bare() as client:
        server.reply("héllo there", usage=Spent(7, 3, 2))
        models = (await client.get(f"{server.base_url}/models")).json()
        assert [row["id"] for row in models["data"]] == [server.model]
        sent = CHAT | {"stream_options": {"include_usage": True}}
        body = (await client.post(f"{server.base_url}/chat/completions", json=sent)).text
        assert body.endswith("data: [DONE]\n\n")
        lines = body.splitlines()
        events = [json.loads(x[6:]) for x in lines if x.startswith("data: {")]
        text = "".join(e["choices"][0]["delta"].get("content", "") for e in events if e["choices"])
        assert text == "héllo there"
        assert events[-1]["usage"]["prompt_tokens_details"] == {"cached_tokens": 2}
        assert server.requests[0].prompt == "hello"
        assert len(server.probes) == 1


async def test_a_request_that_nothing_was_scripted_for_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="without a scripted reply"):
        async with ScriptedEndpoint() as server, bare() as client:
            assert (await client.post(f"{server.base_url}/completions", json={})).status_code == 418


async def test_replies_wait_for_the_request_they_match() -> None:
    async with ScriptedEndpoint() as server, bare() as client:
        server.reply("second", match="B")
        server.reply("first")
        url = f"{server.base_url}/completions"
        assert (await client.post(url, json={"prompt": "A"})).json()["choices"][0]["text"] == "first"
        assert (await client.post(url, json={"prompt": "B"})).json()["choices"][0]["text"] == "second"
        assert server.left == 0
        assert server.connections == 1


async def test_a_client_that_leaves_is_counted_at_once() -> None:
    async with ScriptedEndpoint() as server, bare() as client:
        server.reply(chunks=["one", "two"], hang_after=1)
        async with client.stream("POST", f"{server.base_url}/chat/completions", json=CHAT) as response:
            async for line in response.aiter_lines():
                if "one" in line:
                    break
        await server.wait_early_closes()
        assert server.requests[0].closed_early


async def test_a_key_is_asked_for_when_one_is_set() -> None:
    async with ScriptedEndpoint(api_key="k") as server, bare() as client:
        assert (await client.get(f"{server.base_url}/models")).status_code == 401
        good = await client.get(f"{server.base_url}/models", headers={"Authorization": "Bearer k"})
        assert good.status_code == 200


async def test_a_stream_can_be_cut_reset_and_split() -> None:
    async with ScriptedEndpoint() as server, bare() as client:
        url = f"{server.base_url}/chat/completions"
        server.reply("héé", piece=1)
        assert "héé" in (await client.post(url, json=CHAT)).text
        server.reply("abc", cut_after=40)
        assert len((await client.post(url, json=CHAT)).content) == 40
        server.reply("abc", reset_after=40)
        with pytest.raises(httpx2.TransportError):
            await client.post(url, json=CHAT)
        server.reply("abc", hang="headers")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.post(url, json=CHAT)
        await server.wait_early_closes()


def test_echo_completes_from_the_prompt_alone() -> None:
    def asked(prompt: str) -> str:
        body = json.dumps({"prompt": prompt}).encode()
        return echo(Recorded("POST", "/v1/completions", {}, body, 0.0)).text

    assert asked("<|fim_prefix|>x = total(a)\nx = to<|fim_suffix|>\n<|fim_middle|>") == "tal(a)"
    assert asked("<|fim_prefix|>def f():\n    <|fim_suffix|><|fim_middle|>") == "pass"


def test_a_script_is_read_from_json_lines(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text(
        '{"text": "hi", "usage": {"prompt": 3}}\n\n'
        '{"tool_calls": [{"name": "glob", "arguments": {"pattern": "*.py"}}], "usage": null}\n',
        encoding="utf-8",
    )
    assert load_script(script) == [
        Reply("hi", usage=Spent(prompt=3)),
        Reply(tool_calls=(("glob", {"pattern": "*.py"}),), usage=None),
    ]

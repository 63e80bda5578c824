"""What a server is, has and allows is asked of it, and told truthfully."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import get_args

import pytest

from qwen_lsp.errors import EndpointTimeout, SettingsError
from qwen_lsp.model import probe, profiles, target
from qwen_lsp.model.transport import Transport
from qwen_lsp.settings import EndpointKind, EndpointSettings
from tests.model.test_endpoint import client_of
from tests.support.endpoint import Kind, ScriptedEndpoint

LOCAL: tuple[Kind, ...] = ("vllm", "sglang", "llamacpp", "ollama", "lmstudio")


@pytest.mark.parametrize("kind", LOCAL)
async def test_a_local_server_is_recognised_and_its_only_model_used(kind: Kind) -> None:
    async with (
        ScriptedEndpoint(kind, window=24_000) as server,
        client_of(server, kind="auto", model="") as client,
    ):
        survey = await client.survey()
        assert (survey.kind, survey.model, survey.window.tokens) == (kind, server.model, 24_000)
        assert survey.window.source == "server"
        assert "could read 262144 tokens" in survey.window.note
        assert (client.kind, client.model) == (kind, server.model)
        assert survey.fim_route == profiles.PROFILES[kind].fim
        assert survey.host == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("kind", "hidden"), [("llamacpp", ""), ("lmstudio", ""), ("sglang", ""), ("ollama", "")]
)
async def test_a_server_whose_list_of_models_tells_nothing_is_recognised_by_its_routes(
    kind: Kind, hidden: str
) -> None:
    async with ScriptedEndpoint(kind) as server:
        server.missing.add("/v1/models")
        async with client_of(server, kind="auto") as client:
            assert (await client.survey()).kind == kind


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_every_kind_tells_its_window(kind: Kind) -> None:
    async with ScriptedEndpoint(kind, window=50_000) as server, client_of(server) as client:
        expected = 262_144 if kind in ("openai", "dashscope") else 50_000
        assert await client.window() == expected
        asked = len(server.probes)
        assert await client.window() == expected
        assert len(server.probes) == asked


async def test_ollamas_window_is_what_it_loads_and_not_what_the_model_could_do() -> None:
    async with ScriptedEndpoint("ollama", window=4_096) as server, client_of(server) as client:
        survey = await client.survey()
        assert survey.window.tokens == 4_096
        assert "OLLAMA_CONTEXT_LENGTH" in survey.window.note
        server.missing.add("/api/ps")
    async with ScriptedEndpoint("ollama") as server, client_of(server) as client:
        server.missing.add("/api/ps")
        window = (await client.survey()).window
        assert (window.tokens, window.source) == (4_096, "assumed")
        assert "OLLAMA_CONTEXT_LENGTH" in window.note


async def test_a_model_that_lm_studio_has_not_loaded_has_no_window_yet() -> None:
    models = ["loaded", "qwen3-coder-30b"]
    async with (
        ScriptedEndpoint("lmstudio", models=models) as server,
        client_of(server, model="qwen3-coder-30b") as client,
    ):
        window = (await client.survey()).window
        assert (window.tokens, window.source) == (4_096, "assumed")
        assert "not loaded" in window.note


async def test_the_settings_overrule_what_the_server_says() -> None:
    async with ScriptedEndpoint(window=9_000) as server, client_of(server, context_window=5_000) as client:
        assert await client.window() == 5_000
        assert not server.probes


async def test_among_several_models_the_one_qwen_coder_is_used_or_the_user_is_asked() -> None:
    async with (
        ScriptedEndpoint(models=["phi-4", "Qwen3-Coder-Next"]) as server,
        client_of(server, model="") as client,
    ):
        assert (await client.survey()).model == "Qwen3-Coder-Next"
    async with ScriptedEndpoint(models=["a", "b"]) as server, client_of(server, model="") as client:
        with pytest.raises(SettingsError, match="OPENAI_MODEL to one of them: a, b"):
            await client.survey()


async def test_two_models_can_share_the_work() -> None:
    async with (
        ScriptedEndpoint(models=["big", "qwen2.5-coder-1.5b"]) as server,
        client_of(server, completion_model="qwen2.5-coder-1.5b") as client,
    ):
        survey = await client.survey()
        assert (survey.model, survey.completion_model) == ("big", "qwen2.5-coder-1.5b")


async def test_discover_finds_what_answers_on_this_machine() -> None:
    async with ScriptedEndpoint("ollama") as one, ScriptedEndpoint("llamacpp") as other:
        async with ScriptedEndpoint("vllm") as gone:
            pass
        async with ScriptedEndpoint("openai") as silent:
            silent.missing.add("/v1/models")
            ports: dict[int, EndpointKind] = {one.port: "ollama", other.port: "vllm"}
            ports |= {gone.port: "vllm", silent.port: "vllm"}
            found = await probe.discover(ports)
    assert [(server.kind, server.base_url, server.models) for server in found] == [
        ("ollama", one.base_url, one.models),
        ("llamacpp", other.base_url, other.models),
    ]


@asynccontextmanager
async def hanging_server() -> AsyncGenerator[int]:
    """Accepts connections and says nothing."""

    writers: list[asyncio.StreamWriter] = []

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError):
            await reader.read()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def test_discover_does_not_wait_for_what_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "LOCAL_TIMEOUT", 0.05)
    async with hanging_server() as port:
        assert await probe.discover({port: "vllm"}) == []


@pytest.mark.parametrize(
    ("url", "base", "root", "host"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1", "http://localhost:11434", "localhost:11434"),
        ("127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("https://a.b/compatible-mode/v1", "https://a.b/compatible-mode/v1", "https://a.b", "a.b"),
        (
            "https://openrouter.ai/api/v1",
            "https://openrouter.ai/api/v1",
            "https://openrouter.ai",
            "openrouter.ai",
        ),
        (
            "https://me:pw@gpu.lan/llm/v1",
            "https://me:pw@gpu.lan/llm/v1",
            "https://me:pw@gpu.lan/llm",
            "gpu.lan",
        ),
        ("[::1]:8000", "http://[::1]:8000/v1", "http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_parts_of_a_url(url: str, base: str, root: str, host: str) -> None:
    assert (profiles.base(url), profiles.root(url), profiles.host(url)) == (base, root, host)


@pytest.mark.parametrize(
    ("url", "kind", "guess", "local"),
    [
        ("http://localhost:11434", None, "ollama", True),
        ("http://127.0.0.1:8080/v1", None, "llamacpp", True),
        ("http://[::1]:8000/v1", None, "vllm", True),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "dashscope", "dashscope", False),
        ("https://openrouter.ai/api/v1", "openrouter", "openrouter", False),
        ("https://api.openai.com/v1", "openai", "openai", False),
        ("http://notopenrouter.ai/v1", None, "openai", False),
        ("http://gpu.lan:11434/v1", None, "openai", False),
    ],
)
def test_what_a_url_tells(url: str, kind: str | None, guess: str, local: bool) -> None:
    assert profiles.kind_of(url) == kind
    assert profiles.guess(url) == guess
    assert profiles.is_local(url) == local


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("qwen3-coder-plus", 1_000_000),
        ("qwen3-coder-plus-2025-07-22", 1_000_000),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct", 262_144),
        ("qwen3-coder:30b", 262_144),
        ("qwen2.5-coder:1.5b", 32_768),
        ("Qwen2.5-Coder-1.5B", 32_768),
        ("llama", None),
    ],
)
def test_the_table_of_models(model: str, window: int | None) -> None:
    found = profiles.limits(model)
    assert (found.window if found else None) == window


def test_every_kind_has_a_row() -> None:
    assert set(profiles.PROFILES) == set(get_args(Kind))
    assert set(profiles.LOCAL_SERVERS) == {11434, 8080, 8000, 30000, 1234}
    for row in profiles.PROFILES.values():
        assert profiles.fim_route(row.kind, "qwen3-coder", "http://h/v1") == row.fim
    assert profiles.fim_route("openai", "gpt-6", "https://api.openai.com/v1") == "chat"


async def test_asking_never_needs_more_than_the_server() -> None:
    async with ScriptedEndpoint() as server:
        transport = Transport(server.base_url)
        assert probe.names(await probe.models(transport)) == server.models
        await transport.aclose()


async def test_a_slow_list_of_models_does_not_stop_the_model_that_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(target, "LIST_TIMEOUT", 0.05)
    async with hanging_server() as port:
        transport = Transport(f"http://127.0.0.1:{port}/v1", connect_timeout=5.0)
        resolver = target.Resolver(EndpointSettings(base_url=transport.base, model="a-model"), transport)
        assert (await resolver.target()).model == "a-model"
        with pytest.raises(EndpointTimeout):
            await target.Resolver(EndpointSettings(base_url=transport.base), transport).target()
        await transport.aclose()

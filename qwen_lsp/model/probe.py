"""Questions to a server about itself: what kind it is, which models it has, how large their windows are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from qwen_lsp.errors import EndpointError
from qwen_lsp.model import profiles
from qwen_lsp.model.transport import Transport
from qwen_lsp.settings import EndpointKind

TIMEOUT = 2.0
"""Seconds for one question."""
LOCAL_TIMEOUT = 0.5
"""Seconds for one question while looking around on this machine."""
OLLAMA_WINDOW = 4_096
"""What Ollama gives a model when nothing was set and it knows of little graphics memory."""
UNKNOWN_WINDOW = 32_768
"""For a model that neither its server nor the table tells about."""


@dataclass(frozen=True, slots=True)
class Found:
    """A server that answered."""

    kind: EndpointKind
    base_url: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """A context length, and how it is known."""

    tokens: int
    source: Literal["settings", "server", "table", "assumed"]
    note: str = ""
    """For the user: that the model could read more and what to do, or why the number is a guess."""


Rows = list[dict[str, Any]]


def _rows(answer: object, name: str = "data") -> Rows:
    if not isinstance(answer, dict):
        return []
    rows = cast("dict[str, Any]", answer).get(name)
    if not isinstance(rows, list):
        return []
    return [cast("dict[str, Any]", row) for row in cast("list[Any]", rows) if isinstance(row, dict)]


async def models(transport: Transport, *, timeout: float = TIMEOUT) -> Rows:
    """What an endpoint says about its models; empty when it lists none."""
    return _rows(await transport.ask("GET", f"{transport.base}/models", timeout=timeout))


def names(rows: Rows) -> tuple[str, ...]:
    """The models in a list of models."""
    return tuple(str(row["id"]) for row in rows if row.get("id"))


async def kind_of(transport: Transport, rows: Rows, *, timeout: float = TIMEOUT) -> EndpointKind:
    """What kind of server it is, by its list of models, then by routes that only one kind has."""
    for row in rows:
        if kind := profiles.OWNERS.get(str(row.get("owned_by"))):
            return kind
    if any("max_model_len" in row for row in rows):
        return "vllm"
    signs: tuple[tuple[EndpointKind, str, str], ...] = (
        ("llamacpp", "/props", "default_generation_settings"),
        ("lmstudio", "/api/v0/models", "data"),
        ("sglang", "/model_info", "is_generation"),
        ("sglang", "/get_model_info", "is_generation"),
        ("ollama", "/api/tags", "models"),
    )
    answers = await asyncio.gather(
        *(_try(transport, path, timeout=timeout) for _, path, _ in signs),
    )
    for (kind, _, field), answer in zip(signs, answers, strict=True):
        if field in answer:
            return kind
    return "openai"


async def window(transport: Transport, kind: EndpointKind, model: str) -> Window:
    """The window a server really gives a model, which may be far below what the model was trained for."""
    known = profiles.limits(model)
    found, note = await _asked(transport, kind, model)
    if found is None:
        if known and kind in ("openai", "dashscope", "openrouter", "vllm", "sglang"):
            return Window(known.window, "table")
        tokens = OLLAMA_WINDOW if kind in ("ollama", "lmstudio") else UNKNOWN_WINDOW
        return Window(tokens, "assumed", note or "the server does not tell the window of this model")
    if known and found < known.window and profiles.PROFILES[kind].advice:
        advice = profiles.PROFILES[kind].advice
        note = f"the model could read {known.window} tokens: {advice}"
    return Window(found, "server", note)


async def _asked(transport: Transport, kind: EndpointKind, model: str) -> tuple[int | None, str]:
    match kind:
        case "llamacpp":
            props = await _try(transport, "/props")
            settings = props.get("default_generation_settings")
            return _number(settings, "n_ctx") or _number(props, "n_ctx"), ""
        case "sglang":
            row = _row(await _models(transport), model)
            for path in ("/server_info", "/get_server_info"):
                if found := _number(row, "max_model_len"):
                    return found, ""
                info = await _try(transport, path)
                row = {"max_model_len": _number(info, "context_length") or _number(info, "max_req_input_len")}
            return _number(row, "max_model_len"), ""
        case "ollama":
            return await _ollama(transport, model)
        case "lmstudio":
            row = _row(_rows(await _try(transport, "/api/v0/models")), model)
            found = _number(row, "loaded_context_length")
            return found, "" if found else "the model is not loaded; its window is known once it is"
        case "openrouter":
            row = _row(await _models(transport), model)
            return _number(row.get("top_provider"), "context_length") or _number(row, "context_length"), ""
        case "dashscope":
            return None, ""
        case _:
            row = _row(await _models(transport), model)
            return _number(row, "max_model_len") or _number(row, "context_length"), ""


async def _ollama(transport: Transport, model: str) -> tuple[int | None, str]:
    """Ollama loads a model with the window it is configured for, whatever the model could do."""
    for row in _rows(await _try(transport, "/api/ps"), "models"):
        loaded = model in (row.get("name"), row.get("model")) or f"{model}:latest" == row.get("name")
        if loaded and (found := _number(row, "context_length")):
            return found, ""
    shown = await _try(transport, "/api/show", {"model": model})
    if match := re.search(r"^num_ctx\s+(\d+)", str(shown.get("parameters", "")), re.MULTILINE):
        return int(match[1]), ""
    return None, (
        f"the model is not loaded and sets no num_ctx; Ollama's default may be as small as {OLLAMA_WINDOW} "
        f"tokens: {profiles.PROFILES['ollama'].advice}"
    )


async def _models(transport: Transport) -> Rows:
    try:
        return await models(transport)
    except EndpointError:
        return []


def _row(rows: Rows, model: str) -> dict[str, Any]:
    named = [row for row in rows if model in (row.get("id"), row.get("root"))]
    return (named or (rows if len(rows) == 1 else []) or [{}])[0]


def _number(value: object, name: str) -> int | None:
    found = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None


async def _try(
    transport: Transport, path: str, body: Mapping[str, Any] | None = None, *, timeout: float = TIMEOUT
) -> dict[str, Any]:
    """The answer of a route beside the OpenAI-compatible ones; empty when there is none."""
    method = "GET" if body is None else "POST"
    try:
        answer = await transport.ask(method, transport.root + path, body, timeout=timeout)
    except EndpointError:
        return {}
    return cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}


async def discover(ports: Mapping[int, EndpointKind] = profiles.LOCAL_SERVERS) -> list[Found]:
    """The model servers on this machine's usual ports. Asks this machine only, with short limits."""
    found = await asyncio.gather(*(_look(port) for port in ports))
    return [server for server in found if server is not None]


def ranked(found: Iterable[Found]) -> list[tuple[Found, str]]:
    """Every model with its server, those first that were made for code, and Qwen's before others."""

    def rank(one: tuple[Found, str]) -> int:
        wanted = ("qwen3-coder", "coder", "qwen")
        return next((at for at, name in enumerate(wanted) if name in one[1].lower()), len(wanted))

    return sorted(((server, model) for server in found for model in server.models), key=rank)


async def _look(port: int) -> Found | None:
    url = f"http://127.0.0.1:{port}/v1"
    transport = Transport(url, connect_timeout=LOCAL_TIMEOUT)
    try:
        rows = await models(transport, timeout=LOCAL_TIMEOUT)
        if not rows:
            return None
        return Found(await kind_of(transport, rows, timeout=LOCAL_TIMEOUT), url, names(rows))
    except EndpointError:
        return None
    finally:
        await transport.aclose()

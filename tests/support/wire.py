"""What each kind of model server really puts on the wire: probe answers, replies, errors.

Pure: nothing here opens a socket. `tests.support.endpoint` serves it; the fields and their nesting follow
the servers, the values are the test's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["openai", "vllm", "sglang", "llamacpp", "ollama", "lmstudio", "dashscope", "openrouter"]
Json = dict[str, Any]
Calls = Sequence[tuple[str, Any]]
"""(name, arguments); arguments given as a `str` are sent as they are."""

PREFIX: Mapping[str, str] = {"dashscope": "/compatible-mode/v1", "openrouter": "/api/v1"}
"""Where the OpenAI-compatible routes live; `/v1` for the kinds not named."""
OWNER: Mapping[str, str] = {
    "openai": "system",
    "vllm": "vllm",
    "sglang": "sglang",
    "llamacpp": "llamacpp",
    "ollama": "library",
    "lmstudio": "organization_owner",
    "dashscope": "system",
    "openrouter": "openrouter",
}
SERVER: Mapping[str, str] = {"vllm": "uvicorn", "sglang": "uvicorn", "llamacpp": "llama.cpp"}
"""The `Server` header, for the kinds that send one."""
CREATED = 1_790_000_000
TRAINED = 262_144
"""The window Qwen3-Coder was trained for; what a server allows may be less."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The usage a server reports."""

    prompt: int = 100
    completion: int = 10
    cached: int = 0

    def openai(self) -> Json:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached} if self.cached else None,
        }


def prefix(kind: Kind) -> str:
    """The path of the OpenAI-compatible routes of `kind`."""
    return PREFIX.get(kind, "/v1")


def probe(kind: Kind, method: str, path: str, models: Sequence[str], window: int, body: Json) -> Json | None:
    """The JSON a server of this kind answers to a question about itself; None: no such route."""
    if method == "GET" and path == prefix(kind) + "/models":
        return _models(kind, models, window)
    match kind, path:
        case "llamacpp", "/props":
            return {
                "default_generation_settings": {
                    "id": 0,
                    "n_ctx": window,
                    "is_processing": False,
                    "params": {},
                },
                "total_slots": 1,
                "model_path": models[0],
                "chat_template": "{{ messages }}",
                "build_info": "b7010-1f2e3d4c",
            }
        case "llamacpp", "/health":
            return {"status": "ok"}
        case "vllm", "/version":
            return {"version": "0.23.0"}
        case "sglang", "/get_server_info" | "/server_info":
            return {"model_path": models[0], "context_length": None, "max_req_input_len": window - 6} | {
                "version": "0.5.12",
                "internal_states": [{}],
            }
        case "sglang", "/get_model_info" | "/model_info":
            return {"model_path": models[0], "tokenizer_path": models[0], "is_generation": True}
        case "ollama", "/api/version":
            return {"version": "0.31.1"}
        case "ollama", "/api/tags":
            return {
                "models": [
                    {"name": name, "model": name, "details": {"family": "qwen3moe"}} for name in models
                ]
            }
        case "ollama", "/api/ps":
            return {"models": [{"name": models[0], "model": models[0], "context_length": window}]}
        case "ollama", "/api/show" if body.get("model") in models:
            return {
                "parameters": 'stop    "<|im_end|>"\ntemperature    0.7',
                "model_info": {"general.architecture": "qwen3moe", "qwen3moe.context_length": TRAINED},
                "capabilities": ["completion", "tools"],
            }
        case "ollama", "/api/generate" if "prompt" not in body:
            return {"model": body.get("model"), "response": "", "done": True, "done_reason": "load"}
        case "lmstudio", "/api/v0/models":
            loaded = {"state": "loaded", "loaded_context_length": window}
            rest = {"state": "not-loaded"}
            return {
                "object": "list",
                "data": [
                    {"id": name, "object": "model", "type": "llm", "max_context_length": TRAINED}
                    | (loaded if i == 0 else rest)
                    for i, name in enumerate(models)
                ],
            }
        case _:
            return None


def _models(kind: Kind, models: Sequence[str], window: int) -> Json:
    listed: list[Json] = []
    for name in models:
        row: Json = {"id": name, "object": "model", "created": CREATED, "owned_by": OWNER[kind]}
        if kind in ("vllm", "sglang"):
            row |= {"root": name, "parent": None, "max_model_len": window}
        elif kind == "llamacpp":
            row |= {"meta": {"n_vocab": 151_936, "n_ctx_train": TRAINED, "n_params": 30_532_122_624}}
        elif kind == "openrouter":
            row = {
                "id": name,
                "created": CREATED,
                "context_length": window,
                "pricing": {"prompt": "0.0000002", "completion": "0.0000008"},
                "top_provider": {"context_length": window, "max_completion_tokens": 65_536},
            }
        listed.append(row)
    return {"object": "list", "data": listed}


def error(kind: Kind, status: int, message: str) -> Json:
    """An error body in the shape of the kind."""
    if kind == "ollama":
        return {"error": message}
    code: Any = status if kind in ("vllm", "llamacpp", "openrouter") else None
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def calls_json(calls: Calls) -> list[Json]:
    """Tool calls as a whole reply holds them; a `str` in place of the arguments is sent as it is."""
    return [
        {
            "index": i,
            "id": f"call_{i}",
            "type": "function",
            "function": {"name": name, "arguments": args if isinstance(args, str) else json.dumps(args)},
        }
        for i, (name, args) in enumerate(calls)
    ]


def chat_events(
    kind: Kind,
    model: str,
    chunks: Sequence[str],
    calls: Sequence[tuple[str, Any]],
    finish: str,
    usage: Json | None,
) -> Iterator[Json]:
    """The events of a streamed chat reply, usage last and with empty choices, as include_usage asks."""

    def event(delta: Json, ended: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": ended}
        return _event("chat.completion.chunk", model) | {"choices": [choice]}

    yield event({"role": "assistant", "content": ""})
    for chunk in chunks:
        yield event({"content": chunk})
    for call in calls_json(calls):
        if kind in ("ollama", "lmstudio"):
            yield event({"tool_calls": [call]})
            continue
        arguments: str = call["function"]["arguments"]
        head = call | {"function": {"name": call["function"]["name"], "arguments": ""}}
        yield event({"tool_calls": [head]})
        middle = len(arguments) // 2
        for part in filter(None, (arguments[:middle], arguments[middle:])):
            yield event({"tool_calls": [{"index": call["index"], "function": {"arguments": part}}]})
    yield event({}, finish)
    if usage is not None:
        yield _event("chat.completion.chunk", model) | {"choices": [], "usage": usage}


def chat_whole(
    model: str, text: str, calls: Sequence[tuple[str, Any]], finish: str, usage: Json | None
) -> Json:
    """A chat reply that was not streamed."""
    message: Json = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = calls_json(calls)
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return _event("chat.completion", model) | {"choices": [choice], "usage": usage}


def completion_events(model: str, chunks: Sequence[str], finish: str, usage: Json | None) -> Iterator[Json]:
    """The events of a streamed raw completion."""
    for chunk in chunks:
        choice: Json = {"index": 0, "text": chunk, "logprobs": None, "finish_reason": None}
        yield _event("text_completion", model) | {"choices": [choice]}
    end = {"index": 0, "text": "", "logprobs": None, "finish_reason": finish}
    yield _event("text_completion", model) | {"choices": [end]}
    if usage is not None:
        yield _event("text_completion", model) | {"choices": [], "usage": usage}


def completion_whole(model: str, text: str, finish: str, usage: Json | None) -> Json:
    """A raw completion that was not streamed."""
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    return _event("text_completion", model) | {"choices": [choice], "usage": usage}


def infill_events(model: str, chunks: Sequence[str], finish: str, spent: Spent) -> Iterator[Json]:
    """llama.cpp's own stream, from /infill and /completion; it ends without [DONE]."""
    for i, chunk in enumerate(chunks):
        yield {"index": 0, "content": chunk, "tokens": [], "stop": False, "tokens_predicted": i + 1}
    yield {
        "index": 0,
        "content": "",
        "tokens": [],
        "stop": True,
        "model": model,
        "tokens_predicted": spent.completion,
        "tokens_evaluated": spent.prompt,
        "tokens_cached": spent.cached,
        "truncated": False,
        "stop_type": "limit" if finish == "length" else "eos",
    }


def generate_events(model: str, chunks: Sequence[str], finish: str, spent: Spent) -> Iterator[Json]:
    """Ollama's own stream: one JSON object per line."""
    head = {"model": model, "created_at": "2026-11-20T10:00:00.000000Z"}
    for chunk in chunks:
        yield head | {"response": chunk, "done": False}
    yield head | {
        "response": "",
        "done": True,
        "done_reason": finish,
        "prompt_eval_count": spent.prompt,
        "eval_count": spent.completion,
    }


def _event(what: str, model: str) -> Json:
    return {"id": "cmpl-1", "object": what, "created": CREATED, "model": model}

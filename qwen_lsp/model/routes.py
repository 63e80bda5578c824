"""A completion on the wire, one route each: the body to send, and the text in what comes back.

Pure. The chat-like routes bring messages; everything else brings text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from qwen_lsp.model import fim
from qwen_lsp.model.chat import messages_json, usage_of
from qwen_lsp.model.messages import FimRequest, Usage
from qwen_lsp.model.profiles import PROFILES, FimRoute, Profile
from qwen_lsp.model.stream import DONE, Event


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event of a completion holds."""

    text: str = ""
    ended: bool = False
    usage: Usage | None = None


def url(route: FimRoute, base: str, root: str) -> str:
    """Where a route lives: llama.cpp's and Ollama's own beside the OpenAI-compatible part."""
    match route:
        case "infill":
            return f"{root}/infill"
        case "generate":
            return f"{root}/api/generate"
        case "completions":
            return f"{base}/completions"
        case "partial" | "chat":
            return f"{base}/chat/completions"


def body(route: FimRoute, request: FimRequest, model: str, profile: Profile) -> dict[str, Any]:
    """The body of a streamed completion request. Greedy, as the model's authors ask for."""
    stop = fim.stops(request)
    match route:
        case "infill":
            # The server adds the markers itself and reads none in the texts: they go as they are.
            return {
                "input_prefix": request.prefix,
                "input_suffix": request.suffix,
                "input_extra": [{"filename": path, "text": text} for path, text in request.context],
                "prompt": "",
                "n_predict": request.max_tokens,
                "temperature": 0,
                "stop": stop,
                "stream": True,
                "cache_prompt": True,
            }
        case "generate":
            options = {"temperature": 0, "num_predict": request.max_tokens, "stop": stop}
            return {
                "model": model,
                "prompt": fim.prompt(request),
                "raw": True,
                "stream": True,
                "options": options,
            }
        case "completions":
            asked: dict[str, Any] = {"prompt": fim.prompt(request)}
        case "partial":
            messages = messages_json(fim.partial_messages(request), profile)
            messages[-1]["partial"] = True
            asked = {"messages": messages}
        case "chat":
            asked = {"messages": messages_json(fim.chat_messages(request), PROFILES["openai"])}
    return {
        "model": model,
        **asked,
        "max_tokens": request.max_tokens,
        "temperature": 0,
        "stop": stop,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def piece(route: FimRoute, event: Event) -> Piece:
    """The text, end and usage in one event of the reply."""
    match route:
        case "infill":
            ended = bool(event.get("stop"))
            usage = Usage(_count(event, "tokens_evaluated"), _count(event, "tokens_predicted"))
            return Piece(str(event.get("content") or ""), ended, usage if ended else None)
        case "generate":
            ended = bool(event.get("done"))
            usage = Usage(_count(event, "prompt_eval_count"), _count(event, "eval_count"))
            return Piece(str(event.get("response") or ""), ended, usage if ended else None)
        case _:
            choices = cast("list[Mapping[str, Any]]", event.get("choices") or [])
            if not choices:
                return Piece(ended=event is DONE, usage=usage_of(event))
            delta = choices[0].get("delta") or choices[0].get("message") or choices[0]
            text = delta.get("content") or delta.get("text") or ""
            return Piece(str(text), bool(choices[0].get("finish_reason")), usage_of(event))


def _count(event: Event, name: str) -> int:
    value = event.get(name)
    return value if isinstance(value, int) and value > 0 else 0

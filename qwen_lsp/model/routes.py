"""A completion on the wire, one route each: the body to send, and the text in what comes back.

Pure. The chat-like routes bring messages; everything else brings text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

from qwen_lsp.model import fim
from qwen_lsp.model.chat import messages_json, usage_of
from qwen_lsp.model.fim import ChatAnswer, Cutter
from qwen_lsp.model.messages import FimRequest, Usage
from qwen_lsp.model.profiles import PROFILES, FimRoute, Profile
from qwen_lsp.model.stream import DONE, Event


class Piece(NamedTuple):
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


def least_body(route: FimRoute, request: FimRequest, model: str, profile: Profile) -> dict[str, Any]:
    """The body that has the same prompt read and as little written as the route allows."""
    asked = body(route, replace(request, max_tokens=1), model, profile)
    # llama.cpp alone can be asked for nothing at all; others take 0 for "no limit" or refuse it.
    return asked | {"n_predict": 0} if route == "infill" else asked


def piece(route: FimRoute, event: Event) -> Piece:
    """The text, end and usage in one event of the reply."""
    match route:
        case "infill":
            ended = bool(event.get("stop"))
            usage = Usage(_count(event, "tokens_evaluated"), _count(event, "tokens_predicted"))
            return Piece(_text(event, "content"), ended, usage if ended else None)
        case "generate":
            ended = bool(event.get("done"))
            usage = Usage(_count(event, "prompt_eval_count"), _count(event, "eval_count"))
            return Piece(_text(event, "response"), ended, usage if ended else None)
        case _:
            choice = _object(event.get("choices"))
            if choice is None:
                return Piece(ended=event is DONE, usage=usage_of(event))
            delta = _object(choice.get("delta")) or _object(choice.get("message")) or choice
            text = _text(delta, "content") or _text(delta, "text")
            return Piece(text, bool(choice.get("finish_reason")), usage_of(event))


class Answer:
    """The text of one completion, put together from its events: markers, stops and fences cut off."""

    def __init__(self, route: FimRoute, request: FimRequest) -> None:
        self._route: FimRoute = route
        self._request = request
        self._chat = ChatAnswer(request.prefix) if route == "chat" else None
        self._cutter = Cutter(request.stops)
        self._generated = 0
        self.usage: Usage | None = None
        self.ended = False
        """Whether the server said that the completion is whole."""

    @property
    def begun(self) -> bool:
        """Whether there was any text."""
        return self._generated > 0

    @property
    def done(self) -> bool:
        """Whether an end was seen; nothing that follows is shown."""
        return self._cutter.done

    def feed(self, events: list[Event]) -> str:
        """What of the completion is certain after these events."""
        shown = ""
        for event in events:
            found = piece(self._route, event)
            self.ended = self.ended or found.ended
            self.usage = found.usage or self.usage
            if found.text:
                self._generated += len(found.text)
                text = self._chat.feed(found.text) if self._chat else found.text
                shown += self._cutter.feed(text)
        return shown

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        rest = self._cutter.feed(self._chat.finish()) if self._chat else ""
        return rest + self._cutter.finish()

    def size(self) -> tuple[int, int]:
        """About how many tokens were sent and generated: for when the server does not say."""
        asked = self._request
        sent = len(asked.prefix) + len(asked.suffix) + sum(len(text) for _, text in asked.context)
        return (sent + 3) // 4, (self._generated + 3) // 4


def _object(value: object) -> Mapping[str, Any] | None:
    """An object, or the first one of a list; None for whatever else a server sends in its place."""
    if isinstance(value, list):
        value = cast("list[object]", value)[0] if value else None
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _count(event: Event, name: str) -> int:
    value = event.get(name)
    return value if isinstance(value, int) and value > 0 else 0

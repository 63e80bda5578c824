"""Chat on the wire: messages and tools to a request body, streamed events back to text, calls and usage.

Pure. Calls that the server sent come first, then those that the text has besides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import pairwise
from typing import Any, cast

from qwen_lsp.errors import MalformedReply
from qwen_lsp.model.markers import Restorer, neutral, restore_all
from qwen_lsp.model.messages import ChatDone, FinishReason, Message, TextDelta, ToolCall, ToolSpec, Usage
from qwen_lsp.model.profiles import Profile
from qwen_lsp.model.stream import DONE, Event
from qwen_lsp.model.toolcalls import Reader
from qwen_lsp.model.toolcalls.schema import literal

MOST_MARKS = 4
"""Cache marks that an endpoint takes in one request."""


def messages_json(messages: Sequence[Message], profile: Profile) -> list[dict[str, Any]]:
    """The messages as an OpenAI-compatible endpoint takes them; of too many cache marks the last ones."""
    left = MOST_MARKS if profile.cache_marks else 0
    found: list[dict[str, Any]] = []
    for message in reversed(messages):
        ends = _marked(message)
        ends = ends[len(ends) - min(left, len(ends)) :]
        left -= len(ends)
        found.append(_message(message, ends))
    return found[::-1]


def _marked(message: Message) -> list[int]:
    """Where cache marks stand in a message, ascending, each once and none before the first character."""
    size = len(message.content)
    ends = (*message.marks, size) if message.cache else message.marks
    return sorted({end for end in ends if 0 < end <= size})


def _message(message: Message, ends: Sequence[int]) -> dict[str, Any]:
    content: Any = neutral(message.content)
    if ends:
        content = _blocks(message, set(ends))
    body: dict[str, Any] = {"role": message.role, "content": content}
    if message.role == "tool":
        body["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                # A server renders arguments into the prompt and fails on anything but an object.
                "function": {"name": call.name, "arguments": neutral(json.dumps(call.arguments))},
            }
            for call in message.tool_calls
        ]
    return body


def _blocks(message: Message, ends: Set[int]) -> list[dict[str, Any]]:
    """The text in blocks, those that end in a mark with it. Cut before markers are made harmless."""
    size = len(message.content)
    cuts = sorted({0, size, *ends, *(at for at in message.joints if 0 < at < size)})
    blocks: list[dict[str, Any]] = []
    for start, end in pairwise(cuts):
        blocks.append({"type": "text", "text": neutral(message.content[start:end])})
        if end in ends:
            blocks[-1]["cache_control"] = {"type": "ephemeral"}
    return blocks


def request_json(
    messages: Sequence[Message],
    profile: Profile,
    model: str,
    *,
    tools: Sequence[ToolSpec],
    max_tokens: int,
    sampling: Mapping[str, Any],
) -> dict[str, Any]:
    """The body of a streamed chat request."""
    body: dict[str, Any] = {
        "model": model,
        "messages": messages_json(messages, profile),
        "max_tokens": max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        **sampling,
    }
    if tools:
        body["tools"] = [dict(tool) for tool in tools]
    return body


def usage_of(event: Event) -> Usage | None:
    """The usage an event reports, None when it reports none."""
    usage = event.get("usage")
    if not isinstance(usage, dict):
        return None
    fields = cast("dict[str, Any]", usage)
    details = fields.get("prompt_tokens_details")
    cached = cast("dict[str, Any]", details).get("cached_tokens") if isinstance(details, dict) else 0
    return Usage(_count(fields.get("prompt_tokens")), _count(fields.get("completion_tokens")), _count(cached))


def _object(value: object) -> dict[str, Any]:
    """A JSON object of the server's; empty where it sent anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def arguments_of(text: str) -> tuple[dict[str, Any], str]:
    """The arguments of a call that a server sent as text, and what is wrong with them."""
    if not text.strip():
        return {}, ""
    value: Any = None
    for _ in range(2):
        try:
            # Line breaks inside strings are common and harmless.
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError) as error:
            # A Python literal does as well, as far as JSON can hold it: the call is sent back in the history.
            value = literal(text)
            if value is None:
                return {}, f"The arguments are not valid JSON ({error}). Send the call again with valid JSON."
        if not isinstance(value, str):
            break
        text = value
    if not isinstance(value, dict):
        return {}, "The arguments must be one JSON object. Send the call again."
    return {str(key): item for key, item in cast("dict[Any, Any]", value).items()}, ""


class _Slot:
    """One call of the server's while its pieces arrive."""

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.arguments = ""


class Assembler:
    """Puts a streamed chat reply together."""

    def __init__(self, host: str, tools: Sequence[ToolSpec], max_tokens: int) -> None:
        self._host = host
        self._known = [str(tool.get("function", {}).get("name", "")) for tool in tools]
        self._reader = Reader(tools) if tools else None
        self._restorer = Restorer()
        self._max_tokens = max_tokens
        self._slots: list[_Slot] = []
        self._shown: list[str] = []
        self._read: list[ToolCall] = []
        self.raw: list[str] = []
        """All that was generated so far, for an estimate of its size."""
        self.ended: str | None = None
        self.usage: Usage | None = None
        self.model = ""

    def feed(self, event: Event) -> list[TextDelta]:
        """The text that can be shown after this event."""
        if event is DONE:
            self.ended = self.ended or "stop"
        self.usage = usage_of(event) or self.usage
        self.model = str(event.get("model") or self.model)
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices:
            return []
        choice = _object(cast("list[Any]", choices)[0])
        ended = choice.get("finish_reason")
        self.ended = str(ended) if ended else self.ended
        # A server that does not stream sends the whole message where the pieces would be.
        delta = _object(choice.get("delta")) or _object(choice.get("message"))
        calls = delta.get("tool_calls")
        earlier = len(self._slots)
        for call in cast("list[Any]", calls if isinstance(calls, list) else []):
            self._call(_object(call), earlier)
        content = delta.get("content")
        return self._text(content) if isinstance(content, str) and content else []

    def _text(self, piece: str) -> list[TextDelta]:
        self.raw.append(piece)
        return self._show(self._reader.feed(piece) if self._reader else [TextDelta(piece)])

    def _show(self, events: Iterable[TextDelta | ToolCall]) -> list[TextDelta]:
        shown: list[TextDelta] = []
        for event in events:
            if isinstance(event, ToolCall):
                self._read.append(event)
            elif text := self._restorer.feed(event.text):
                shown.append(TextDelta(text))
        self._shown.extend(delta.text for delta in shown)
        return shown

    def _call(self, fields: Mapping[str, Any], earlier: int) -> None:
        """Take in a piece of a call; `earlier` calls were there before this event."""
        function = _object(fields.get("function"))
        index, id_, name = fields.get("index"), str(fields.get("id") or ""), str(function.get("name") or "")
        slot = self._slot(index if isinstance(index, int) else None, id_, name, earlier)
        slot.id = id_ or slot.id
        slot.name = name or slot.name
        arguments = function.get("arguments")
        # Ollama once sent the arguments as an object; OpenAI's format has text.
        piece = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        self.raw.append(piece)
        slot.arguments += piece

    def _slot(self, index: int | None, id_: str, name: str, earlier: int) -> _Slot:
        """The call that a piece belongs to: the one of its index, and without one the latest.

        Some servers number every call 0, or none: there a name with another id, or with none, begins one.
        """
        slots = [slot for slot in self._slots if slot.index == index]
        if slots:
            slot = next((slot for slot in slots if id_ and slot.id == id_), slots[-1])
            if index is None:
                another = not id_ or id_ != slot.id or slot in self._slots[earlier:]
            else:
                # An id alone begins nothing: vLLM once made one up for every piece.
                another = bool(id_ and slot.id) and id_ != slot.id
            if not (name and another):
                return slot
        self._slots.append(begun := _Slot(index))
        return begun

    def finish(self) -> tuple[list[TextDelta], ChatDone]:
        """The rest of the text, and the whole reply. Raises MalformedReply when the stream was cut."""
        if self.ended is None:
            raise MalformedReply(f"{self._host} ended its reply in the middle")
        ended: FinishReason = _finish_reason(self.ended)
        # Some servers say "tool_calls" of a reply that only ended because it reached the limit.
        cut = ended in ("length", "content_filter") or (
            self.usage is not None and 0 < self._max_tokens <= self.usage.completion
        )
        if cut and ended != "content_filter":
            ended = "length"
        rest = self._show(self._reader.finish("length" if cut else "stop").tail) if self._reader else []
        if text := self._restorer.finish():
            rest.append(TextDelta(text))
            self._shown.append(text)
        sent = self._server_calls(cut=cut)
        # A server's parser may miss some of the calls, or leave those it has read in the text as well.
        calls = (*sent, *(call for call in self._read if not any(_is_same(call, one) for one in sent)))
        calls = tuple(
            ToolCall(call.name, restore_all(call.arguments), call.id or f"call_{i}", call.problem)
            for i, call in enumerate(calls)
        )
        if calls and ended == "stop":
            ended = "tool_calls"
        content = "".join(self._shown)
        return rest, ChatDone(content, calls, ended, self.usage or Usage(), self.model)

    def _server_calls(self, *, cut: bool) -> tuple[ToolCall, ...]:
        slots = [slot for slot in self._slots if slot.name or slot.arguments]
        calls: list[ToolCall] = []
        for i, slot in enumerate(slots):
            arguments, problem = arguments_of(slot.arguments)
            if slot.name not in self._known:
                names = ", ".join(self._known) or "none"
                problem = f"There is no tool {slot.name!r}. The tools are: {names}."
            if cut and i == len(slots) - 1:
                problem = "The call was cut off because the reply reached its length limit; it was not run."
            calls.append(ToolCall(slot.name, arguments, slot.id, problem))
        return tuple(calls)


def _is_same(call: ToolCall, other: ToolCall) -> bool:
    return (call.name, call.arguments) == (other.name, other.arguments)


def _finish_reason(ended: str | None) -> FinishReason:
    match ended:
        case "length" | "max_tokens":
            return "length"
        case "tool_calls" | "function_call":
            return "tool_calls"
        case "content_filter":
            return "content_filter"
        case _:
            return "stop"

"""Calls written as JSON: Hermes bodies in `<tool_call>`, and a JSON object in place of parameters."""

from __future__ import annotations

import re
from typing import Any, cast

from qwen_lsp.model.messages import ToolCall
from qwen_lsp.model.toolcalls import reply
from qwen_lsp.model.toolcalls.schema import Tools, literal

_OUTSIDE = re.compile(r"[{}\[\]\"']")
_INSIDE = {'"': re.compile(r'["\\]'), "'": re.compile(r"['\\]")}


class JsonText:
    """Finds the end of one JSON (or Python) object that arrives in pieces, each looked at once."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._depth = 0
        self._quote = ""
        self._escaped = False

    @property
    def text(self) -> str:
        """What was read so far."""
        return "".join(self._parts)

    def feed(self, text: str, start: int) -> tuple[int, bool]:
        """Read from `start`; the place reached, and whether the object ended there."""
        at = start
        while at < len(text):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            found = (_INSIDE[self._quote] if self._quote else _OUTSIDE).search(text, at)
            if not found:
                at = len(text)
                break
            at = found.end()
            if self._close(found[0]):
                self._parts.append(text[start:at])
                return at, True
        self._parts.append(text[start:at])
        return at, False

    def _close(self, char: str) -> bool:
        if self._quote:
            self._escaped = char == "\\"
            if char == self._quote:
                self._quote = ""
        elif char in "\"'":
            self._quote = char
        else:
            self._depth += 1 if char in "{[" else -1
            return self._depth <= 0
        return False


def arguments_of(value: object) -> dict[str, Any] | None:
    """The arguments as an object; models also send them as a string of JSON. None: neither."""
    if value is None:
        return {}
    if isinstance(value, str):
        value = literal(value) if value.strip() else {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def hermes_call(text: str, tools: Tools) -> ToolCall:
    """The call of a Hermes body: {"name": …, "arguments": {…}}."""
    body = literal(text)
    if not isinstance(body, dict):
        return reply.refused("", {}, "its body is not a JSON object. Send it again as valid JSON.")
    fields = cast("dict[str, Any]", body)
    if isinstance(fields.get("function"), dict):
        fields = cast("dict[str, Any]", fields["function"])
    name = fields.get("name")
    if not isinstance(name, str) or not name.strip():
        return reply.refused("", {}, reply.NO_NAME)
    name = name.strip()
    arguments = arguments_of(fields.get("arguments", fields.get("parameters")))
    if arguments is None:
        return reply.refused(name, {}, "its arguments are not a JSON object.")
    return checked(name, arguments, tools)


def checked(name: str, arguments: dict[str, Any], tools: Tools, problem: str = "") -> ToolCall:
    """The call, refused when its name is none that may be called or `problem` already says why."""
    if name in tools:
        return reply.refused(name, arguments, problem) if problem else ToolCall(name, arguments)
    if not name:
        problem = reply.NO_NAME
    elif "{{" in name or "{%" in name:
        problem = reply.TEMPLATE
    else:
        problem = reply.unknown(name, tools.names)
    return reply.refused(name, arguments, problem)

"""An account of a run made without a model: what was called, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from qwen_lsp.model.messages import Message, ToolCall

_LONGEST_VALUE, _LONGEST_RESULT, _LONGEST_SAID = 80, 160, 600


def account(messages: Sequence[Message], count: Callable[[str], int], tokens: int) -> str:
    """What happened in these messages, in at most so many tokens; the oldest is left out first."""
    answers = {m.tool_call_id: m.content for m in messages if m.role == "tool"}
    lines: list[str] = []
    for message in messages:
        if message.role in ("user", "assistant") and message.content.strip():
            who = "The user said" if message.role == "user" else "You said"
            lines.append(f"{who}: {_short(message.content, _LONGEST_SAID)}")
        lines += [_called(call, answers.get(call.id, "")) for call in message.tool_calls]
    kept: list[str] = []
    left = tokens - count("[999,999 earlier steps left out]\n")
    for line in reversed(lines):
        left -= count(f"{line}\n")
        if left < 0:
            break
        kept.append(line)
    if len(kept) < len(lines):
        kept.append(f"[{len(lines) - len(kept):,} earlier steps left out]")
    return "\n".join(reversed(kept)) if left >= 0 or kept else ""


def _called(call: ToolCall, answer: str) -> str:
    arguments = ", ".join(f"{name}={_value(value)}" for name, value in call.arguments.items())
    first = next((line for line in answer.splitlines() if line.strip()), "")
    # What was read is in the files; what came of anything else is worth a line.
    told = f"{len(answer):,} characters" if call.name.startswith(("read_", "list_")) else first
    return f"You called {call.name}({arguments}): {_short(told, _LONGEST_RESULT)}"


def _value(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return repr(_short(said, _LONGEST_VALUE))


def _short(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"

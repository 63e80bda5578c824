"""The history of a run, and how many tokens a request with it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from qwen_lsp.model.messages import Message, ToolSpec, Usage

_FRAME = 6
"""Tokens around a message: its markers, its role, its line ends."""


class History:
    """The messages so far, each counted once.

    The endpoint's own count of a request is believed where it is the larger one: a request that was thought
    to fit and does not is worse than one that comes early.
    """

    def __init__(self, specs: Sequence[ToolSpec], count: Callable[[str], int]) -> None:
        self._count = count
        self._fixed = sum(count(json.dumps(spec, ensure_ascii=False)) + _FRAME for spec in specs)
        self._messages: list[Message] = []
        self._sizes: list[int] = []
        self._measured = (0, 0)
        """So many messages were so many tokens, tools included, as the endpoint counted."""

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    @property
    def tokens(self) -> int:
        """The tokens of a request with all of it, tools included."""
        known, tokens = self._measured
        return max(self._fixed + sum(self._sizes), tokens + sum(self._sizes[known:]))

    @property
    def fixed(self) -> int:
        """The tokens of the tools alone."""
        return self._fixed

    def add(self, message: Message) -> None:
        self._messages.append(message)
        self._sizes.append(self.size(message))

    def restart(self, messages: Iterable[Message]) -> None:
        """Become this history; what the endpoint counted was another one."""
        self._messages, self._sizes, self._measured = [], [], (0, 0)
        for message in messages:
            self.add(message)

    def measure(self, usage: Usage) -> None:
        """The endpoint's count of the request with all messages so far."""
        if not usage.estimated and usage.prompt > 0:
            self._measured = (len(self._messages), usage.prompt)

    def size(self, message: Message) -> int:
        """The tokens of a message in a request."""
        return _FRAME + self._count(message.content) + self._count(_calls(message))


def _calls(message: Message) -> str:
    """The calls of a message about as the model's template writes them."""
    lines: list[str] = []
    for call in message.tool_calls:
        lines.append(f"<tool_call>\n<function={call.name}>")
        for name, value in call.arguments.items():
            said = value if isinstance(value, str) else json.dumps(value, default=str)
            lines.append(f"<parameter={name}>\n{said}\n</parameter>")
        lines.append("</function>\n</tool_call>")
    return "\n".join(lines)

"""How much of a chat request a model server has read before: requests as the model's template orders them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast


def as_prompt(body: Mapping[str, Any]) -> str:
    """The request as one text in the order of Qwen3-Coder's template: system, tools, the other messages."""
    messages = cast("list[Mapping[str, Any]]", body["messages"])
    head = [m for m in messages[:1] if m["role"] == "system"]
    tools = cast("list[Any]", body.get("tools", []))
    parts = [*head, *tools, *messages[len(head) :]]
    return "".join(f"{json.dumps(_plain(part), ensure_ascii=False)}\n" for part in parts)


def kept(before: str, after: str) -> float:
    """The share of the earlier text that the later one begins with; 1.0: it extends it."""
    same = 0
    for one, other in zip(before.split("\n"), after.split("\n"), strict=False):
        if one != other:
            break
        same += len(one) + 1
    return 1.0 if after.startswith(before) else same / len(before)


def _plain(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without marks for caches, which are no text of the prompt."""
    content = part.get("content")
    if not isinstance(content, list):
        return part
    blocks = cast("list[Mapping[str, Any]]", content)
    return {**part, "content": "".join(str(block.get("text", "")) for block in blocks)}

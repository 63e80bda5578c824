"""Whether a reply without calls is the end: a final answer, or a call that got lost on the way. Pure.

A call that was not read is never taken for success: it is answered with what was wrong. A final answer that
only writes about calls or plans goes through, at the latest when it is said again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from qwen_lsp.model.messages import FinishReason

CUT = "Your reply was cut off by its length limit. Go on, in smaller steps."
UNPARSED = (
    "Your last reply contains tool-call markup that is not a well-formed call, so nothing was run. "
    "Repeat it as one complete call: <tool_call>, <function=NAME>, <parameter=KEY> for each argument."
)
EMPTY = (
    "Your last reply was empty. Go on with a tool call; if the task is complete, say in two or three "
    "sentences what you changed."
)
ANNOUNCED = (
    "Your last reply says what comes next but makes no tool call, so nothing was done. Make the call now; if "
    "the task is complete after all, say in two or three sentences what you changed."
)

Fault = Literal["cut", "unparsed", "empty", "announced"]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Why a reply is not the end, and what the model is told about it."""

    fault: Fault
    told: str


_FENCE = re.compile(
    r"^ {0,3}(`{3,}|~{3,})[^\n]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_SPAN = re.compile(r"(`+)(?!`)[^\n]+?(?<!`)\1(?!`)")
_MARKUP = re.compile(r"</?tool_call>|<function[ =]|</function>|<parameter[ =]|</parameter>|<invoke name=")
_JSON_HEAD = re.compile(r"\s*[\[{]")
_NEXT = re.compile(
    r"""^(?:(?:ok(?:ay)?|alright|great|good|perfect|first|next|now|then|so)\b[,.!:]?\s+)*
    (?:let\s+me|let's|i\s*(?:'ll|\ will|\ am\ going\ to|'m\ going\ to|\ need\ to|\ should))\b""",
    re.IGNORECASE | re.VERBOSE,
)
_FILLER = re.compile(r"^(?:(?:ok(?:ay)?|alright|great|good|perfect)[.!]\s+)+", re.IGNORECASE)
_DONE = re.compile(
    r"\b(?:done|complete[ds]?|finished|all (?:set|tests pass)|let me know|let's me know|you can now)\b",
    re.IGNORECASE,
)


def unfinished(
    content: str, reason: FinishReason, tools: Collection[str], *, steps_open: bool
) -> Unfinished | None:
    """What is wrong with a reply that has no call; None for a final answer.

    `tools` are the names that may be called; `steps_open` says that the model's own list has steps left.
    """
    if reason == "length":
        return Unfinished("cut", CUT)
    if not content.strip():
        return Unfinished("empty", EMPTY)
    if lost_call(content, tools):
        return Unfinished("unparsed", UNPARSED)
    if announces(content, steps_open=steps_open):
        return Unfinished("announced", ANNOUNCED)
    return None


def lost_call(content: str, tools: Collection[str]) -> bool:
    """Whether the text holds what was meant as a call and could not be read as one.

    Markup in code is an example and fine, unless it calls a tool there is and nothing follows it.
    """
    fences = list(_FENCE.finditer(content))
    plain = _SPAN.sub("", _FENCE.sub("", content))
    if _MARKUP.search(plain) or _is_json_call(plain, tools) or _is_element(plain, tools):
        return True
    if not fences or content[fences[-1].end() :].strip():
        return False
    body = fences[-1][2]
    named = any(f"<function={name}" in body or f'<invoke name="{name}"' in body for name in tools)
    return named or _is_json_call(body, tools) or _is_element(body, tools)


def announces(content: str, *, steps_open: bool) -> bool:
    """Whether a reply ends by saying what comes next: with a colon, or, while steps are open, "I will …"."""
    last = content.rstrip().rpartition("\n")[2].strip()
    if last.endswith((":", "：")) or re.search(r":\s*[`*_]+$", last):
        return True
    sentences = re.split(r"(?<=[.!?…])\s+", _FILLER.sub("", last))
    if _DONE.search(last) or not _NEXT.match(sentences[-1]):
        return False
    # Said of the future without steps that are open it may be advice, so it has to be all that was said.
    return steps_open or (len(sentences) == 1 and len(content) < 400)


def _is_json_call(text: str, tools: Collection[str]) -> bool:
    """Whether the text, or its last paragraph, is a JSON call of a tool there is."""
    for part in (text, text.rstrip().rpartition("\n\n")[2]):
        if not _JSON_HEAD.match(part):
            continue
        try:
            value: Any = json.loads(part, strict=False)
        except (ValueError, RecursionError):
            # Broken JSON that names a tool first thing was a call all the same.
            if re.match(rf'\s*[\[{{\s]*"name"\s*:\s*"(?:{_any(tools)})"', part):
                return True
            continue
        rows = cast("list[Any]", value if isinstance(value, list) else [value])
        if rows and all(_names_tool(row, tools) for row in rows):
            return True
    return False


def _names_tool(row: object, tools: Collection[str]) -> bool:
    if not isinstance(row, dict):
        return False
    fields = cast("dict[str, Any]", row)
    inner = fields.get("function")
    fields = cast("dict[str, Any]", inner) if isinstance(inner, dict) else fields
    return fields.get("name") in tools and ("arguments" in fields or "parameters" in fields)


def _is_element(text: str, tools: Collection[str]) -> bool:
    """Whether a line of the text begins with a tool's name as an XML element that holds others."""
    return bool(tools) and bool(re.search(rf"^\s*<({_any(tools)})>\s*<\w+>", text, re.MULTILINE))


def _any(names: Collection[str]) -> str:
    return "|".join(re.escape(name) for name in names)


def last_words(replies: Sequence[str]) -> str:
    """The summary of a run: the last reply that said something."""
    return next((text.strip() for text in reversed(replies) if text.strip()), "")

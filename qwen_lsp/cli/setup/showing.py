"""A change as a person sees it: the lines that differ, and of other people's values that there are some."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from qwen_lsp.cli.setup.changing import Change
from qwen_lsp.cli.setup.jsonc import NotJson, Value, parse
from qwen_lsp.cli.setup.splice import Put, value_at

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)
_AROUND = 2
"""Lines shown before and after those that differ."""


def difference(change: Change) -> list[str]:
    """The lines of a diff without its headers: `+`, `-` or a space, then the line."""
    before, after = (_lines(content, change) for content in (change.before, change.after))
    found = difflib.unified_diff(before, after, n=_AROUND, lineterm="")
    return [line for line in found if not line.startswith(("---", "+++", "@@"))]


def _lines(content: bytes | None, change: Change) -> list[str]:
    text = (content or b"").decode("utf-8", "replace").removeprefix("\ufeff")
    puts = change.ours or [done.put for step in change.record.steps for done in step.done]
    if puts or change.path.suffix == ".json":
        text = masked(text, puts)
    return text.splitlines()


def masked(text: str, ours: Sequence[Put]) -> str:
    """A text of JSON in which strings that are not ours, and comments, are only told to be there."""
    try:
        root = parse(text)
    except NotJson:
        return "…"
    shown = {value.start for value in _ours(root, ours)}

    def told(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("//"):
            return "// …"
        if token.startswith("/*"):
            return "/* … */"
        is_key = re.match(r"\s*:", text[match.end() : match.end() + 80]) is not None
        return token if is_key or match.start() in shown else '"…"'

    return _TOKEN.sub(told, text)


def _ours(root: Value | None, puts: Sequence[Put]) -> Iterator[Value]:
    for one in puts:
        found = value_at(root, one.path)
        if found is None:
            continue
        if one.item:
            yield from (member.value for member in found.members or () if member.value.plain == one.value)
        elif found.plain == one.value:
            yield from found.strings()
        elif found.is_object and (command := found.get("command")):
            yield command.value
        elif one.path[-1] == "command":
            yield found

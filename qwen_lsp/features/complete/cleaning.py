"""What is kept of an answer: no second copy of what stands around the cursor, the file's own indentation."""

from __future__ import annotations

import re

from qwen_lsp.features.complete.place import Place

_PAIRS = {")": "(", "]": "[", "}": "{"}
_FENCE = re.compile(r"^\s*```[\w+#.-]*\n(?P<body>.*?)(?:\n```\s*$|\Z)", re.DOTALL)


def clean(text: str, place: Place) -> str:
    """The answer as it may be shown; empty when nothing worth showing is left."""
    text = text.replace("\r\n", "\n")
    if fenced := _FENCE.match(text):
        text = fenced["body"]
    text = _without_echo(text, place)
    text = _with_file_indent(text, place)
    text = _without_line_rest(text, place)
    text = text.rstrip()
    if not text.strip() or _repeats_neighbour(text, place):
        return ""
    return text.replace("\n", "\r\n") if _crlf(place) else text


def _without_echo(text: str, place: Place) -> str:
    """Drop the start of the cursor's line where the model wrote it again."""
    said = place.line_before.lstrip()
    if len(said) >= 3 and text.lstrip(" \t").startswith(said):
        return text.lstrip(" \t")[len(said) :]
    indent = place.line_before if not place.line_before.strip() else ""
    return text[len(indent) :] if indent and text.startswith(indent) else text


def _without_line_rest(text: str, place: Place) -> str:
    """Drop the end of the answer where it repeats what already stands after the cursor."""
    rest = place.line_after.strip()
    if not rest:
        return text
    first, newline, more = text.partition("\n")
    if newline and not place.whole_line_ahead:
        return first if not first.endswith(rest) else first[: -len(rest)]
    if all(char in ")]}>\"'`,;:" for char in rest):
        return _balanced(text, place, rest)
    for length in range(min(len(rest), len(first)), 0, -1):
        if (length >= 3 or length == len(rest)) and first.endswith(rest[:length]):
            return first[:-length] + newline + more
    return text


def _balanced(text: str, place: Place, rest: str) -> str:
    """Drop closing brackets and quotes at the end that the editor has already put after the cursor."""
    for length in range(len(rest), 0, -1):
        if text.endswith(rest[:length]) and _surplus(place.line_before + text + place.line_after):
            return text[:-length]
    return text


def _surplus(line: str) -> bool:
    """Whether a bracket closes nothing, or a quote is left open."""
    stack: list[str] = []
    for char in line:
        if char in "([{":
            stack.append(char)
        elif char in _PAIRS and (not stack or stack.pop() != _PAIRS[char]):
            return True
    return any(line.count(quote) % 2 for quote in "\"'`")


def _with_file_indent(text: str, place: Place) -> str:
    """Indent with tabs where the file does, and with spaces where it does."""
    if "\n" not in text:
        return text
    uses_tabs = "\n\t" in place.text
    uses_spaces = "\n  " in place.text
    if uses_tabs == uses_spaces:
        return text
    first, *rest = text.split("\n")
    step = 4 if uses_tabs else _step(place.text)
    fixed: list[str] = []
    for line in rest:
        body = line.lstrip(" \t")
        width = len(line[: len(line) - len(body)].expandtabs(step))
        fixed.append(("\t" * (width // step) + " " * (width % step) if uses_tabs else " " * width) + body)
    return "\n".join([first, *fixed])


def _step(text: str) -> int:
    widths = {len(m[1]) for m in re.finditer(r"\n( +)\S", text[:20_000])}
    return min((w for w in widths if w > 1), default=4)


def _repeats_neighbour(text: str, place: Place) -> bool:
    """Whether the first line is what stands just above or below, so that accepting it would double it."""
    if place.line_before.strip():
        return False
    first = text.strip().partition("\n")[0].strip()
    return len(first) > 1 and (
        first == place.line_below.strip() or (text.strip() == place.line_above.strip() and len(first) > 3)
    )


def _crlf(place: Place) -> bool:
    return "\r\n" in place.text

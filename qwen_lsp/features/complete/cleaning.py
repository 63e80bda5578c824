"""What is kept of an answer: no second copy of what stands around the cursor, the file's own indentation."""

from __future__ import annotations

import math
import re

from qwen_lsp.features.complete.balance import OPENERS, balance
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.stopping import width

_FENCE = re.compile(r"^\s*```[\w+#.-]*\n(?P<body>.*?)(?:\n```\s*$|\Z)", re.DOTALL)
_WORD_END = re.compile(r"\w+$")
_WORD_START = re.compile(r"\w+")
_SEPARATORS = ",;:"
_LINES_ABOVE = 8
_TABS_BY_RULE = frozenset({"go", "makefile"})


def clean(text: str, place: Place) -> str:
    """The answer as it may be shown; empty when nothing worth showing is left."""
    text = text.replace("\r\n", "\n").replace("\r", "")
    if (fenced := _FENCE.match(text)) and not _is_markdown(place):
        text = fenced["body"]
    text = _without_start_again(text, place)
    text = _without_lines_above(text, place)
    text = _with_file_indent(text, place)
    text = _without_line_rest(text, place)
    text = _without_closer_below(text, place)
    text = _without_space_at_end(text, place)
    if not text.strip() or _repeats_neighbour(text, place):
        return ""
    return text.replace("\n", "\r\n") if _crlf(place) else text


# -- before the cursor -----------------------------------------------------------------------------------


def _without_start_again(text: str, place: Place) -> str:
    typed = place.line_before.strip()
    return _without_line_before(text, place) if typed else _without_blank_start(text, place)


def _without_line_before(text: str, place: Place) -> str:
    """Drop the start of the cursor's line, or of its last word, where the model wrote it again."""
    said = place.line_before.lstrip()
    start = text.lstrip(" \t")
    if len(said) >= 3 and start.startswith(said) and not _one_word(said, start[len(said) :]):
        return start[len(said) :]
    if (typed := _WORD_END.search(place.line_before)) and len(typed.group()) >= 3:
        again = _WORD_START.match(text)
        if again and again.group().startswith(typed.group()):
            return text[len(typed.group()) :]
    return start if place.line_before[-1:].isspace() and start else text


def _one_word(before: str, after: str) -> bool:
    return bool(_WORD_END.search(before) and _WORD_START.match(after))


def _without_blank_start(text: str, place: Place) -> str:
    """On a blank line: no blank lines first, and the indentation that stands there already not again."""
    while (newline := text.find("\n")) >= 0 and not text[:newline].strip():
        text = text[newline + 1 :]
    return text[len(place.indent) :] if place.indent and text.startswith(place.indent) else text


def _without_lines_above(text: str, place: Place) -> str:
    """Drop the first lines of an answer that says again what stands right above before it goes on."""
    if place.line_before.strip():
        return text
    lines = text.split("\n")
    above = [line.strip() for line in place.lines_above(_LINES_ABOVE)]
    said = [line.strip() for line in lines]
    for count in range(min(len(above), len(lines) - 1), 0, -1):
        again = said[:count]
        if again == above[-count:] and (count > 1 or len(again[0]) >= 8) and any(map(_telling, again)):
            rest = "\n".join(lines[count:])
            return _without_blank_start(rest, place)
    return text


def _telling(line: str) -> bool:
    return re.search(r"\w", line) is not None


# -- after the cursor ------------------------------------------------------------------------------------


def _without_line_rest(text: str, place: Place) -> str:
    """Drop the end of the answer where it repeats what already stands after the cursor."""
    rest = place.line_after.strip()
    if not rest:
        return text
    first, newline, more = text.partition("\n")
    if not place.whole_line_ahead:
        return first[: len(first) - _overlap(first, place, rest)]
    if not newline:
        return first[: len(first) - _overlap(first, place, rest)]
    body = f"{first}\n{more}".rstrip()
    if length := _overlap(body, place, rest):
        return body[:-length]
    return text


def _overlap(said: str, place: Place, rest: str) -> int:
    """How much of the end of `said` is the start of `rest` said again."""
    said = said.rstrip()
    for length in range(min(len(rest), len(said)), 0, -1):
        again = rest[:length]
        if not said.endswith(again):
            continue
        if re.search(r"\w\w", again) or again[0] in _SEPARATORS or length == len(rest) >= 3:
            return length
        if _faults(place, said[:-length], again) < _faults(place, said, again):
            return length
    return 0


def _faults(place: Place, said: str, again: str) -> int:
    left = balance(place.line_before + said + place.line_after)
    return left.faults + (abs(left.angles) if ">" in again else 0)


def _without_closer_below(text: str, place: Place) -> str:
    """Drop a closing bracket that stands on the line below, for a bracket that the cursor's line opened."""
    below = place.line_below
    closer = below.strip()[:1]
    if place.line_after.strip() or closer not in OPENERS.values() or not text.rstrip().endswith(closer):
        return text
    if width(below[: len(below) - len(below.lstrip())]) != width(place.indent):
        return text
    opened = balance(place.line_before).open
    if not opened or OPENERS[opened[-1]] != closer:
        return text
    kept = text.rstrip()[:-1]
    return kept if balance(place.line_before + kept).open.startswith(opened) else text


def _without_space_at_end(text: str, place: Place) -> str:
    """A bracket that the editor has put after the cursor goes on the line that the answer ends with."""
    kept = text.rstrip()
    blank = text[len(kept) :]
    closes = place.line_after.lstrip()[:1] in OPENERS.values() and place.line_after[:1].strip()
    if closes and "\n" in kept and blank.startswith("\n") and width(blank[1:]) == width(place.indent):
        return kept + blank
    return kept


def _repeats_neighbour(text: str, place: Place) -> bool:
    """Whether the first line is what stands just above or below, so that accepting it would double it."""
    if place.line_before.strip():
        return text.strip() == place.line_below.strip() and text.startswith("\n") and _telling(text)
    first = text.strip().partition("\n")[0].strip()
    return len(first) > 1 and (
        first == place.line_below.strip() or (text.strip() == place.line_above.strip() and len(first) > 3)
    )


# -- white space -----------------------------------------------------------------------------------------


def _with_file_indent(text: str, place: Place) -> str:
    """Indent with tabs where the file does, and with spaces where it does."""
    if "\n" not in text:
        return text
    tabs, spaces = place.text.count("\n\t"), place.text.count("\n  ")
    if not tabs and not spaces and place.language is not None and place.language.id in _TABS_BY_RULE:
        tabs = 1
    uses_tabs = tabs > 4 * spaces
    if not uses_tabs and spaces <= 4 * tabs:
        return text
    first, *rest = text.split("\n")
    step = _step_said(rest, place) if uses_tabs else _step(place.text)
    fixed: list[str] = []
    for line in rest:
        body = line.lstrip(" \t")
        size = len(line[: len(line) - len(body)].expandtabs(step))
        fixed.append(("\t" * (size // step) + " " * (size % step) if uses_tabs else " " * size) + body)
    return "\n".join([first, *fixed])


def _step_said(lines: list[str], place: Place) -> int:
    """How many spaces the answer means by one tab."""
    indented = [line for line in lines if line.startswith("  ") and line.strip()[:1] not in ("", "*")]
    widths = [len(line) - len(line.lstrip(" ")) for line in indented]
    if not widths:
        return 4
    levels = len(place.indent) + place.opens_block
    if levels and widths[0] % levels == 0 and widths[0] // levels in (2, 3, 4, 8):
        return widths[0] // levels
    step = math.gcd(*widths)
    return step if step in (2, 3, 4, 8) else 4


def _step(text: str) -> int:
    widths = {len(m[1]) for m in re.finditer(r"\n( +)\S", text[:20_000])}
    return min((w for w in widths if w > 1), default=4)


def _is_markdown(place: Place) -> bool:
    return place.language is not None and place.language.id == "markdown"


def _crlf(place: Place) -> bool:
    return "\r\n" in place.text

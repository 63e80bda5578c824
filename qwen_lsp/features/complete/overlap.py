"""What an answer says again of the text around the cursor: found and left out."""

from __future__ import annotations

import re

from qwen_lsp.features.complete.balance import OPENERS, QUOTES, balance, outer_closed_at
from qwen_lsp.features.complete.indentation import first_indent, indent_of
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.shape import TRIVIAL, telling
from qwen_lsp.syntax.languages import available
from qwen_lsp.syntax.parse import errors, parse

_WORD_END = re.compile(r"\w+$")
_WORD_START = re.compile(r"\w+")
_SEPARATORS = ",;:"
_ONLY_CLOSERS = re.compile(r"[\s)\]}>;,\"'`]+|\s*(?:end|fi|done|esac)\s*")
_AROUND = 3_000

# -- before the cursor -----------------------------------------------------------------------------------


def without_start_again(text: str, place: Place) -> str:
    """Without the start of the cursor's line, or the indentation that stands there, said again."""
    typed = place.line_before.strip()
    return _without_line_before(text, place) if typed else without_blank_start(text, place)


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
    # More than one space may be meant: columns of a table.
    one_too_many = place.line_before[-1:].isspace() and start == text[1:] and start
    return start if one_too_many else text


def _one_word(before: str, after: str) -> bool:
    return bool(_WORD_END.search(before) and _WORD_START.match(after))


def without_blank_start(text: str, place: Place) -> str:
    """On a blank line: no blank lines first, and no indentation besides the one that stands there."""
    while (newline := text.find("\n")) >= 0 and not text[:newline].strip():
        text = text[newline + 1 :]
    if not place.indent or not text[:1].isspace():
        return text
    line = text.partition("\n")[0]
    return first_indent(line, place).removeprefix(place.indent) + text.lstrip(" \t")


# -- after the cursor ------------------------------------------------------------------------------------


def without_line_rest(text: str, place: Place) -> str:
    """Drop the end of the answer where it repeats what already stands after the cursor."""
    rest = place.line_after.strip()
    if not rest:
        return text
    first, newline, more = text.partition("\n")
    if not place.whole_line_ahead or not newline:
        return _up_to_what_is_closed(first[: len(first) - _overlap(first, place, rest)], place)
    body = f"{first}\n{more}".rstrip()
    if length := _overlap(body, place, rest):
        return body[:-length]
    return text


def _up_to_what_is_closed(said: str, place: Place) -> str:
    """A line that closes what the rest of the line closes, and does not add up with it: only up to there."""
    before, rest = place.line_before, place.line_after
    if not said or balance(before + said + rest).faults <= balance(before + rest).faults:
        return said
    if rest[0] in QUOTES:
        at = said.replace("\\" + rest[0], "\\\\").find(rest[0])
        return said if at < 0 else said[:at]
    at = outer_closed_at(before, said)
    return said if at is None else said[:at]


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


def without_lines_below(text: str, place: Place) -> str:
    """Drop the last lines of an answer that are the first lines below, and stand as far in as those."""
    lines = text.rstrip().split("\n")
    first = 1 if place.line_before.strip() else 0
    if len(lines) == first:
        return text
    below = place.lines_below if len(lines) > 1 else [place.line_below]
    for count in range(min(len(below), len(lines) - first), 0, -1):
        last = lines[len(lines) - count :]
        if [line.strip() for line in last] != [line.strip() for line in below[:count]]:
            continue
        if not _as_far_in(lines, count, below, place):
            continue
        if any(line.strip() not in TRIVIAL for line in last) or _closes_nothing(lines, count, place):
            return "\n".join(lines[: len(lines) - count])
    return text


def _as_far_in(lines: list[str], count: int, below: list[str], place: Place) -> bool:
    """Whether the last lines stand as far in as those below; the first one stands where the cursor does."""
    at = len(lines) - count
    said = (place.indent if at == 0 else "") + indent_of(lines[at])
    return said.expandtabs(8) == indent_of(below[0]).expandtabs(8)


def _closes_nothing(lines: list[str], count: int, place: Place) -> bool:
    """Whether the last lines are brackets that close none of those that the answer opened."""
    kept = balance("\n".join(lines[: len(lines) - count]))
    return not kept.open


def without_closer_below(text: str, place: Place) -> str:
    """Drop a closing bracket that stands on the line below, for a bracket that the cursor's line opened."""
    below = place.line_below
    closer = below.strip()[:1]
    if place.line_after.strip() or closer not in OPENERS.values() or not text.rstrip().endswith(closer):
        return text
    if indent_of(below).expandtabs(8) != place.indent.expandtabs(8):
        return text
    opened = balance(place.line_before).open
    if not opened or OPENERS[opened[-1]] != closer or not may_be_closed_below(place):
        return text
    kept = text.rstrip()[:-1]
    return kept if balance(place.line_before + kept).open.startswith(opened) else text


def may_be_closed_below(place: Place) -> bool:
    """Whether a bracket at the cursor's column on the line below can be one for the cursor's line.

    At the margin it may belong to something further up, whose lines are not indented: a namespace.
    """
    return bool(place.indent) or place.offset > _AROUND or _missing_below(place) == 0


def _missing_below(place: Place) -> int:
    """How many of the brackets that are open at the cursor are not closed below it."""
    before = place.text[: place.offset] if place.offset <= _AROUND else place.head
    after = balance(place.text[place.offset : place.offset + _AROUND])
    return max(0, len(balance(before).open) - after.closing_nothing)


def closes_what_is_closed(text: str, place: Place) -> bool:
    """Whether an answer does nothing but close, and what it closes is closed below already."""
    if not _ONLY_CLOSERS.fullmatch(text):
        return False
    said = text.strip()
    if place.line_below.strip()[:1] != said[:1] and place.line_after.strip()[:1] != said[:1]:
        return False
    before = place.text[: place.offset] if place.offset <= _AROUND else place.head
    after = place.text[place.offset : place.offset + _AROUND]
    return _wrongs(before + text + after, place) > _wrongs(before + after, place)


def _wrongs(code: str, place: Place) -> int:
    """How much of some code does not add up."""
    if place.language is None or not available(place.language):
        return balance(code).faults
    return len(errors(parse(code, place.language)))


# -- both ------------------------------------------------------------------------------------------------


def repeats_neighbour(text: str, place: Place) -> bool:
    """Whether the first line is what stands just above or below, so that accepting it would double it."""
    if place.line_before.strip():
        return text.strip() == place.line_below.strip() and text.startswith("\n") and telling(text)
    first, _, more = text.strip().partition("\n")
    first = first.strip()
    below = place.line_below.strip()
    if first in TRIVIAL:
        return (
            first == below
            and len(first) > 1
            and indent_of(place.line_below) == place.indent + indent_of(text)
        )
    if len(first) > 1 and (first == below or (telling(first) and _squeezed(first) == _squeezed(below))):
        return True
    above = place.line_above.strip()
    return (
        len(first) > 3
        and first == above
        and (not more.strip() or more.strip().partition("\n")[0].strip() == above)
    )


def _squeezed(line: str) -> str:
    return "".join(line.split())

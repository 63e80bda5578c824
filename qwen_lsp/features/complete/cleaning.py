"""What is kept of an answer: no second copy of what stands around the cursor, the file's own indentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from qwen_lsp.features.complete.again import said_again
from qwen_lsp.features.complete.balance import OPENERS
from qwen_lsp.features.complete.indentation import with_file_indent
from qwen_lsp.features.complete.leaks import MARK, Code, code_in, without_marks
from qwen_lsp.features.complete.overlap import (
    closes_what_is_closed,
    repeats_neighbour,
    without_closer_below,
    without_line_rest,
    without_lines_below,
    without_start_again,
)
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.repeats import LONGEST, kept_of, without_circle_in_line
from qwen_lsp.features.complete.strays import without_strays
from qwen_lsp.workspace.secrets import Gate

_SECRET_AT_LEAST = 8
_SECRETS = Gate(None)
_BLANK_LINE = re.compile(r"\n[ \t]+(?=\n)")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The answer as it may be shown, and in a few words each what was taken out of it, or why all was."""

    text: str
    removed: tuple[str, ...] = ()


def clean(text: str, place: Place) -> Cleaned:
    """The answer as it may be shown; empty when nothing worth showing is left."""
    text = text.replace("\r\n", "\n").replace("\r", "") if "\r" in text else text
    place = place.nearby
    code = code_in(text, place, finished=True) or Code(0, len(text))
    removed = [*code.removed]
    if code.why:
        removed.append(code.why)
    text = text[code.start : code.end]
    for reason, step in _STEPS:
        kept = step(text, place)
        if kept != text:
            if reason and kept.split() != text.split():
                removed.append(reason)
            text = kept
    if not text.strip():
        return Cleaned("", tuple(removed) or ("white space only",))
    if reason := _unfit(text, place):
        return Cleaned("", (*removed, reason))
    return Cleaned(text.replace("\n", "\r\n") if _crlf(place) else text, tuple(removed))


def _without_marks(text: str, place: Place) -> str:
    return without_marks(text)


def _without_lines_above(text: str, place: Place) -> str:
    return text[said_again(text, place, finished=True) or 0 :]


def _without_circles(text: str, place: Place) -> str:
    text = without_circle_in_line(text)
    if text.count("\n") < 2:
        return text
    lines = text.split("\n")
    said = [line.strip() for line in lines]
    for end in range(3, len(said) + 1):
        start = max(0, end - LONGEST)
        if (kept := kept_of(said[start:end])) is not None:
            return "\n".join(lines[: start + kept])
    return text


def _without_space_at_end(text: str, place: Place) -> str:
    """A bracket that the editor has put after the cursor goes on the line that the answer ends with."""
    text = _BLANK_LINE.sub("\n", text) if "\n" in text else text
    kept = text.rstrip()
    blank = text[len(kept) :]
    closes = place.line_after.lstrip()[:1] in OPENERS.values() and place.line_after[:1].strip()
    if closes and "\n" in kept and blank.startswith("\n"):
        return kept + "\n" + place.indent
    return kept


_STEPS: tuple[tuple[str, Callable[[str, Place], str]], ...] = (
    (MARK, _without_marks),
    ("it repeats itself", _without_circles),
    ("the lines above again", _without_lines_above),
    ("what the line begins with", without_start_again),
    ("", with_file_indent),
    ("what the line ends with", without_line_rest),
    ("the lines below again", without_lines_below),
    ("a bracket that is closed below", without_closer_below),
    ("a bracket that nothing opened", without_strays),
    ("", _without_space_at_end),
)


def _unfit(text: str, place: Place) -> str:
    """Why nothing of an answer is shown; empty when it may be."""
    if repeats_neighbour(text, place):
        return "it is the line above or below again"
    if closes_what_is_closed(text, place):
        return "it closes what is closed"
    if secret := _secret_in(text, place):
        return f"it holds what looks like a real {secret}"
    return ""


def _secret_in(text: str, place: Place) -> str:
    """What an answer gives away that looks like a real key, with the line it goes on as its place."""
    if len(text) < _SECRET_AT_LEAST:
        return ""
    start = len(place.line_before)
    found = _SECRETS.secrets(place.path, place.line_before + text + place.line_after)
    return next(
        (found.reason for found in found if found.end > start and found.start < start + len(text)), ""
    )


def _crlf(place: Place) -> bool:
    """Whether lines end as on Windows, by the line the cursor is on or the one above it."""
    end = place.line_end
    return (
        place.text[end : end + 2] == "\r\n"
        or place.text[max(0, place.line_start - 2) : place.line_start] == "\r\n"
    )

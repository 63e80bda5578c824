"""Where an answer ends: decided while it streams, so that the model can be stopped at once.

Every rule looks at whole lines only; the line being written may still become anything.
"""

from __future__ import annotations

from qwen_lsp.features.complete.place import Place

_TRIVIAL = frozenset({"", "}", "{", ")", "]", "(", "[", "});", "};", ");", "end", "else:", "pass", "return"})
_REPEATS = 3
_CLOSING = ("}", ")", "]", "end", "</")


def end_of(text: str, place: Place, *, finished: bool = False) -> int | None:
    """Where `text`, the answer so far, must be cut; None while it may go on.

    `finished` says that nothing follows, so that the last line counts as whole.
    """
    if not place.whole_line_ahead or not _may_span_lines(place):
        newline = text.find("\n")
        return newline if newline >= 0 else None
    at = text.find("\n")
    if at < 0:
        return None
    lines = text.split("\n")
    whole = lines if finished else lines[:-1]
    seen: list[str] = [lines[0].strip()]
    floor = _width(place.indent)
    opened = place.opens_block or _opens(lines[0])
    for line in whole[1:]:
        stripped = line.strip()
        if stripped:
            width = _width(line[: len(line) - len(line.lstrip())])
            closes = opened and width == floor and stripped.startswith(_CLOSING)
            if width < floor or (opened and width == floor and not closes and place.line_before.strip()):
                return at
            if stripped not in _TRIVIAL and stripped == place.line_below.strip():
                return at
            if closes and stripped == place.line_below.strip():
                return at
            if closes and place.line_before.strip():
                return at + 1 + len(line.rstrip())
        seen.append(stripped)
        if len(seen) >= _REPEATS and stripped not in _TRIVIAL and len(set(seen[-_REPEATS:])) == 1:
            return _start_of_line(text, len(seen) - _REPEATS + 1)
        at += 1 + len(line)
    return None


def _may_span_lines(place: Place) -> bool:
    """A line that already says something is finished first; only an opened block goes on below it."""
    return not place.line_before.strip() or place.opens_block or not place.line_after.strip()


def _opens(line: str) -> bool:
    return line.rstrip().endswith((":", "{", "(", "["))


def _width(indent: str) -> int:
    return len(indent.expandtabs(8))


def _start_of_line(text: str, number: int) -> int:
    """The offset of the terminator before line `number` (0-based, at least 1)."""
    at = -1
    for _ in range(number):
        at = text.find("\n", at + 1)
    return at

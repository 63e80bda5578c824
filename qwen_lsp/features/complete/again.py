"""An answer that begins with what stands above the cursor already: the code begins behind that."""

from __future__ import annotations

from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.shape import telling

_SAYS_ENOUGH = 8
"""Characters of a single line that is no longer said twice by chance."""
_SAYS_SOMETHING = 4


def said_again(text: str, place: Place, *, finished: bool) -> int | None:
    """The offset behind the lines of an answer that stand right above; None while more of them may come.

    On a line that is begun, its beginning has to follow: else the lines are new ones.
    """
    if not place.whole_line_ahead or (finished and place.line_before.strip() and "\n" not in text):
        return 0
    above = [line.strip() for line in place.lines_above]
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    said = [line.strip() for line in (lines if finished else lines[:-1])[first:]]
    for count in range(len(above), 0, -1):
        run = above[-count:]
        if said[:count] != run[: len(said)]:
            continue
        if len(said) < count:
            if not finished:
                return None
            continue
        if not any(map(telling, run)):
            continue
        found = _behind(text, lines, first + count, place, run, finished=finished)
        if found != 0:
            return found
    return 0


def _behind(
    text: str, lines: list[str], number: int, place: Place, run: list[str], *, finished: bool
) -> int | None:
    """Where the code begins, when line `number` is the first that does not stand above; 0: it is no copy."""
    start = sum(len(line) + 1 for line in lines[:number])
    begun = place.line_before.strip()
    if not begun:
        if not "".join(lines[number:]).strip() and finished:
            return len(text) if len(run) > 1 or len(run[0]) >= _SAYS_SOMETHING else 0
        return min(start, len(text)) if len(run) > 1 or len(run[0]) >= _SAYS_ENOUGH else 0
    line = lines[number] if number < len(lines) else ""
    said = line.lstrip()
    if said.startswith(begun):
        return start + len(line) - len(said) + len(begun)
    return None if not finished and number == len(lines) - 1 and begun.startswith(said) else 0

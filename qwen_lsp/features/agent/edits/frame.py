"""Whether a place inside a line is meant literally, or is a line quoted without all of its indentation.

`x = 1` for `    x = 1` is found inside the line, and what replaces it stands behind the four blanks. That is
right for one line. Further lines would stand at the margin of the quotation instead of the file's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.agent.edits import refusal
from qwen_lsp.features.agent.edits.indent import indentation
from qwen_lsp.features.agent.edits.lines import ends_line, line_start, unify

_REST = re.compile(r"[ \t]*")
_DECLARES = re.compile(
    r"(?:async |export |pub |public |static )*(?:def|class|function|func|fn|interface)\b|@"
)
_GOES_ON = re.compile(
    r"(?:else|elif|elsif|except|catch|finally|rescue|ensure|case|default|end|then|fi|done)\b"
)
_OPENS = re.compile(r"(?::|\{|\(|\[|\b(?:then|do))\s*\Z")


def is_line(text: str, places: Sequence[tuple[int, int]], old: str, new: str) -> bool:
    """Whether `old` at these places is a line to be indented anew. Raises EditRejected where unclear."""
    if (
        not places
        or not old.strip()
        or ("\n" not in unify(new) and new[:1] not in " \t" and old[0] not in " \t")
    ):
        return False
    quoted, given = unify(old), unify(new)
    found = {_is_line(text, start, end, quoted, given) for start, end in places}
    if len(found) > 1:
        raise EditRejected(refusal.unclear_frame(text, places[0][0]))
    return found.pop()


def _is_line(text: str, start: int, end: int, old: str, new: str) -> bool:
    margin = text[line_start(text, start) : start]
    if not margin or margin.strip():
        return False
    said, want = indentation(old.partition("\n")[0]), indentation(new.partition("\n")[0])
    if "\n" in old.strip():
        if said and not new.partition("\n")[0].strip():
            return True
        if said != want and new.partition("\n")[0].strip():
            raise EditRejected(refusal.unclear_frame(text, start))
        return False
    lines = [line for line in new.split("\n") if line.strip()]
    rest = _REST.match(text, end)
    if not (ends_line(text, end) or (rest and ends_line(text, rest.end()))):
        return False
    if not lines:
        return bool(said)
    if said:
        return len(lines) > 1 or said != want
    if all(line.startswith(margin) for line in lines[1:]):
        return want == margin
    if not _is_one_block(new, lines):
        raise EditRejected(refusal.unclear_frame(text, start))
    return True


def without_margin(text: str, start: int, old: str, new: str) -> int:
    """Where a deletion begins: with the indentation of the line, when at most blank lines are left."""
    if new.strip() or new[:1] in (" ", "\t") or not old.endswith("\n") or not old.strip():
        return start
    begin = line_start(text, start)
    return start if text[begin:start].strip() else begin


def _is_one_block(new: str, lines: Sequence[str]) -> bool:
    """Whether these lines belong together, so that none of them is meant to end the block they are put in."""
    if "\n\n" in new.strip("\n") or indentation(lines[0]):
        return False
    if any(new.count(pair[0]) != new.count(pair[1]) for pair in ("()", "[]", "{}")):
        return False
    opened = False
    for line in lines:
        if not indentation(line):
            if _DECLARES.match(line) or (_GOES_ON.match(line) and not opened):
                return False
            opened = opened or _OPENS.search(line) is not None
    return True

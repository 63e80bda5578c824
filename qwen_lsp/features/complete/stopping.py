"""Where an answer ends: decided while it streams, so that the model can be stopped at once.

What is decided never depends on how much of the answer has come: a rule looks at whole lines, or at the
indentation of the last line once its first sign is there.
"""

from __future__ import annotations

import re

from qwen_lsp.features.complete.balance import balance
from qwen_lsp.features.complete.place import Place

_TRIVIAL = frozenset({"", "}", "{", ")", "]", "(", "[", "});", "};", ");", "end", "else:", "pass", "return"})
_REPEATS = 3
_CLOSES = re.compile(r"[)\]}]|</|;;|(?:end|fi|done|esac|until)\b(?!\s*[=:(\[])")
_JOINS = re.compile(r"(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure)\b")
_OPENS = (":", "{", "(", "[", "=>", "->", " do", " then", "else", "begin")
_COMMENT = ("#", "//", "--", "/*", "*", ";", "%")
_LONG_QUOTES = ('"""', "'''")


def end_of(text: str, place: Place, *, finished: bool = False) -> int | None:
    """Where `text`, the answer so far, must be cut; None while it may go on.

    `finished` says that nothing follows, so that the last line counts as whole.
    """
    if not place.whole_line_ahead:
        newline = text.find("\n")
        return newline if newline >= 0 else None
    reading = _Reading(place)
    lines = text.split("\n")
    start = 0
    for number, line in enumerate(lines):
        whole = finished or number < len(lines) - 1
        if (end := reading.take(text, start, line, whole=whole)) is not None:
            return end
        start += len(line) + 1
    return None


class _Reading:
    """What is known of an answer after some of its lines."""

    def __init__(self, place: Place) -> None:
        self.place = place
        said = place.line_before.strip()
        self.typed = bool(said)
        self.floor = width(place.indent)
        self.block = place.opens_block and not said.startswith(_COMMENT)
        """The cursor's line opened a block: the answer fills it and no more."""
        self.paragraph = not self.typed and not self.floor
        """Nothing around the answer says where it would end, so it ends at a blank line."""
        self.until = ""
        """The quote that the answer still has to close."""
        self.settled = False
        self.seen: list[str] = []

    def take(self, text: str, start: int, line: str, *, whole: bool) -> int | None:
        """The cut that one more line brings; a line that is not whole can bring one by its indentation."""
        said = line.strip()
        if said and self.seen and (self.typed or any(self.seen)):
            depth = width(line[: len(line) - len(line.lstrip())])
            if depth < self.floor:
                return start - 1
            if self._over_at_second(depth, said):
                return text.find("\n")
            if whole and (end := self._by_content(text, start, line, depth)) is not None:
                return end
        elif said and not self.typed and not self.floor:
            # A block that the editor has not indented yet: the answer brings its indentation along.
            self.floor = width(line[: len(line) - len(line.lstrip())])
            self.paragraph = not self.floor
        if whole:
            self.seen.append(said)
        return None

    def _over_at_second(self, depth: int, said: str) -> bool:
        """Whether the answer was over before its second line; from that line on its shape is known."""
        if self.settled:
            return False
        self.settled = True
        deeper = depth > self.floor or said.startswith("{")
        if not self.typed:
            self.paragraph = self.paragraph or deeper
            return False
        statement = self.place.line_before + self.seen[0]
        self.until = next((quote for quote in _LONG_QUOTES if statement.count(quote) % 2), "")
        if self.seen[0] and not deeper and not self.until:
            left = balance(statement)
            if not left.open and not statement.endswith(_OPENS):
                return True
        listed = depth == self.floor and said.startswith("- ")
        self.block = (self.block and not listed) or deeper or self.seen[0].endswith(_OPENS)
        self.paragraph = not self.block
        return False

    def _by_content(self, text: str, start: int, line: str, depth: int) -> int | None:
        said = line.strip()
        if self.until:
            return start + len(line.rstrip()) if self.until in said else None
        if self._stands_below(said, depth):
            return start - 1
        closes = _CLOSES.match(said) is not None
        if self.block and depth == self.floor and not said.startswith("{"):
            if closes and not said.endswith(_OPENS):
                return start + len(line.rstrip())
            if not closes and not _JOINS.match(said) and not self._in_brackets(text[:start]):
                return start - 1
        if self.paragraph and not self.seen[-1] and depth == self.floor and any(self.seen) and not closes:
            return start - 1
        last = [*self.seen[1 - _REPEATS :], said]
        if said not in _TRIVIAL and len(last) == _REPEATS and len(set(last)) == 1:
            return _end_of_line(text, len(self.seen) - _REPEATS + 1)
        return None

    def _stands_below(self, said: str, depth: int) -> bool:
        below = self.place.line_below
        if said != below.strip():
            return False
        return said not in _TRIVIAL or (
            self.block and depth == self.floor == width(below[: len(below) - len(below.lstrip())])
        )

    def _in_brackets(self, text: str) -> bool:
        return balance(self.place.line_before + text).open.endswith(("(", "["))


def width(indent: str) -> int:
    """Columns of white space; a tab goes to the next multiple of eight."""
    return len(indent.expandtabs(8))


def _end_of_line(text: str, number: int) -> int:
    """Where line `number` (0-based) ends."""
    at = -1
    for _ in range(number + 1):
        at = text.find("\n", at + 1)
    return at

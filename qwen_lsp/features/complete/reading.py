"""An answer read line by line, until a line says that it is over.

What is decided never depends on how much of the answer has come: a rule looks at whole lines, or at the
indentation of the last line once its first sign is there. Indentation proposes; where a grammar is
installed, the tokens of the language say whether what the cursor's line opened is still open, and whether
a line that looks like the end is inside a string. An answer of one line is never parsed.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

from qwen_lsp.features.complete.balance import balance
from qwen_lsp.features.complete.indentation import Ruler, first_indent, indent_of, lacking
from qwen_lsp.features.complete.overlap import may_be_closed_below
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.repeats import kept_of
from qwen_lsp.features.complete.shape import (
    COMMENT,
    LONG_QUOTES,
    OPENS,
    TRIVIAL,
    begins_definition,
    closes,
    is_label,
    joins,
    may_close,
    stands_above_definition,
)
from qwen_lsp.syntax.blocks import Nesting, nesting

SUFFIX = "the lines after the cursor begin"
CLOSED = "the block is closed"
OUTSIDE = "the block around the cursor is over"
DEFINITION = "another definition begins"
REPEATS = "it repeats itself"
ONE_LINE = "one line is enough here"
PARAGRAPH = "the paragraph is over"
TEXT = "the text is closed"
_MOST_LOOKS = 200
"""Times that the syntax of one answer is looked at: one that only closes would be parsed again and again."""


class Cut(NamedTuple):
    at: int
    why: str


class Reading:
    """What is known of an answer after some of its lines."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.language = place.language.id if place.language is not None else ""
        said = place.line_before.strip()
        self.typed = bool(said)
        self.ruler = Ruler(place)
        self.block = place.opens_block and not said.startswith(COMMENT)
        """The cursor's line opened a block: the answer fills it and no more."""
        self.definition = False
        """The answer began with a definition: it ends with it."""
        self.indent = place.indent
        self.paragraph = not self.typed and not self.indent
        """Nothing around the answer says where it would end, so it ends at a blank line."""
        self.until = ""
        """The quote that the answer still has to close."""
        self.in_text = False
        self.looks = 0
        self.outside = False
        """A line of the answer closed the block around the cursor, and was meant to."""
        self.settled = False
        self.shift = 0
        """Columns that the lines of the answer lack."""
        self.seen: list[str] = []
        self.comments_from = -1
        """Where comments, decorators and blank lines begin that may belong to the next definition."""

    def fork(self) -> Reading:
        """A reading that goes on from here without this one knowing."""
        other = copy.copy(self)
        other.ruler, other.seen = copy.copy(self.ruler), [*self.seen]
        return other

    @property
    def floor(self) -> int:
        """The columns below which the answer leaves the block around the cursor."""
        return self.ruler.columns(self.indent)

    def take(self, text: str, start: int, line: str, *, whole: bool) -> Cut | None:
        """The cut that one more line brings; a line that is not whole can bring one by its indentation."""
        said = line.strip()
        if said and self.seen and (self.typed or any(self.seen)):
            depth = self.ruler.read(line)
            if not self.settled:
                self.shift = self._lacking(said, depth)
            depth += self.shift
            if depth < self.floor and (cut := self._further_out(text, start, said, whole=whole)):
                return cut
            if self._over_at_second(text, start, depth, said):
                return Cut(text.find("\n"), ONE_LINE)
            if whole and (cut := self._by_content(text, start, line, depth)) is not None:
                return cut
        elif said and not self.typed:
            # A block that the editor has not indented yet: the answer brings its indentation along.
            self.indent = first_indent(line, self.place)
            self.paragraph = not self.indent
        if whole:
            self._note(start, said)
        return None

    def _note(self, start: int, said: str) -> None:
        if said and not self.settled and not self.typed and not self.definition:
            self.definition = begins_definition(said, self.language)
        if said and not stands_above_definition(said):
            self.comments_from = -1
        elif self.comments_from < 0:
            self.comments_from = start
        self.seen.append(said)

    def _lacking(self, said: str, depth: int) -> int:
        opener = self.place.line_before + next((line for line in self.seen if line), "")
        return lacking(opener, said, depth, self.floor, self.place)

    def _further_out(self, text: str, start: int, said: str, *, whole: bool) -> Cut | None:
        """What a line means that stands further to the left than the block around the cursor."""
        state = self._nesting(text[:start])
        if state is not None and (state.in_text or state.open):
            if not whole or state.in_text or not begins_definition(said, self.language):
                return None
        elif said.startswith("#") and self.language in ("c", "cpp", "csharp"):
            return None
        return Cut(_end_above(text, start), OUTSIDE)

    def _over_at_second(self, text: str, start: int, depth: int, said: str) -> bool:
        """Whether the answer was over before its second line; from that line on its shape is known."""
        if self.settled:
            return False
        if not self.typed and all(stands_above_definition(line) for line in self.seen if line):
            return False
        self.settled = True
        deeper = depth > self.floor or said.startswith("{")
        state, here = self._nesting(""), self._nesting(text[:start])
        if state is not None and here is not None and state.in_text:
            self.in_text = here.in_text
            return not here.in_text
        if not self.typed:
            self.paragraph = self.paragraph or deeper
            self.block = self.definition = self.definition and deeper
            return False
        statement = self.place.line_before + self.seen[0]
        self.until = next((quote for quote in LONG_QUOTES if statement.count(quote) % 2), "")
        if self.seen[0] and not deeper and not self.until and not self.in_text:
            left = balance(statement)
            if not left.open and not statement.endswith(OPENS):
                return True
        listed = depth == self.floor and said.startswith("- ")
        self.block = (self.block and not listed) or deeper or self.seen[0].endswith(OPENS)
        self.paragraph = not self.block
        return False

    def _by_content(self, text: str, start: int, line: str, depth: int) -> Cut | None:
        said, stop = line.strip(), start + len(line.rstrip())
        if self.until:
            return Cut(stop, TEXT) if self.until in said else None
        if self.in_text:
            state = self._nesting(text[: start + len(line)] + "\n")
            return Cut(stop, TEXT) if state is not None and not state.in_text else None
        if self._stands_below(said, depth):
            return Cut(_end_above(text, start), SUFFIX)
        if may_close(said) and (cut := self._by_closing(text, start, line, depth)) is not None:
            return cut
        if self.block and depth <= self.floor and not said.startswith("{") and self._left(text, start, said):
            begins = self.comments_from if 0 < self.comments_from < start else start
            return Cut(_end_above(text, begins), DEFINITION if self.definition else CLOSED)
        blank_above = any(self.seen) and not self.seen[-1]
        if self.paragraph and blank_above and depth == self.floor and not closes(said):
            return Cut(_end_above(text, start), PARAGRAPH)
        if (kept := kept_of([*self.seen, said])) is not None:
            return Cut(_end_of_line(text, kept - 1), REPEATS)
        return None

    def _by_closing(self, text: str, start: int, line: str, depth: int) -> Cut | None:
        """What a line means on which something is closed."""
        if self.outside:
            return None
        said, stop = line.strip(), start + len(line.rstrip())
        state = self._nesting(text[: start + len(line)] + "\n")
        if state is None:
            over = self.block and depth == self.floor and closes(said) and not said.endswith(OPENS)
            return Cut(stop, CLOSED) if over and not said.startswith("{") else None
        if state.outer_closed_at is not None:
            at = state.outer_closed_at - len(self.place.head)
            if at >= start:
                return Cut(_end_above(text, at), OUTSIDE)
            self.outside = True
            return None
        if not self.block or state.open or state.in_text:
            return None
        before = self._nesting(text[:start])
        opened = self._nesting("")
        if before is None or opened is None or not before.open:
            return None
        if depth > self.floor and not opened.open:
            return None
        # What the cursor's line opened goes on below, and is closed there.
        return Cut(_end_above(text, start) if closes(said) and self._goes_on_below() else stop, CLOSED)

    def _goes_on_below(self) -> bool:
        below = self.place.line_below
        deeper = self.ruler.columns(indent_of(below)) > self.floor
        return deeper and self.typed and self.place.opens_block and not self.place.line_after.strip()

    def _left(self, text: str, start: int, said: str) -> bool:
        """Whether a line as far to the left as the one that opened the block is no part of it."""
        if closes(said) or joins(said):
            return False
        state = self._nesting(text[:start])
        if state is not None and (state.open or state.in_text):
            return False
        if state is None:
            return not balance(self.place.line_before + text[:start]).open.endswith(
                ("(", "[")
            ) and not is_label(said)
        return True

    def _stands_below(self, said: str, depth: int) -> bool:
        below = self.place.line_below
        if said != below.strip():
            return False
        below_depth = self.ruler.columns(indent_of(below))
        if said in TRIVIAL:
            return self.block and depth == self.floor == below_depth and may_be_closed_below(self.place)
        return depth <= below_depth

    def _nesting(self, said: str) -> Nesting | None:
        place = self.place
        self.looks += bool(said)
        if place.language is None or self.looks > _MOST_LOOKS:
            return None
        return nesting(place.language, place.head, said, len(place.head) - len(place.line_before))


def _end_above(text: str, at: int) -> int:
    """The end of the last line above an offset that says something."""
    return len(text[:at].rstrip())


def _end_of_line(text: str, number: int) -> int:
    """Where line `number` (0-based) ends."""
    at = -1
    for _ in range(number + 1):
        at = text.find("\n", at + 1)
    return at

"""The place of a completion: the text around the cursor and what its line says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from qwen_lsp.syntax.languages import Language
from qwen_lsp.workspace.paths import RelPath

CLOSERS = ")]}>\"'`,;: \t"


@dataclass(frozen=True)
class Place:
    """A cursor in one text. Offsets are code points; lines exclude their terminator."""

    path: RelPath
    text: str
    offset: int
    language: Language | None = None

    @cached_property
    def line_start(self) -> int:
        return self.text.rfind("\n", 0, self.offset) + 1

    @cached_property
    def line_end(self) -> int:
        end = self.text.find("\n", self.offset)
        end = len(self.text) if end < 0 else end
        return end - 1 if end > self.offset and self.text[end - 1] == "\r" else end

    @property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.text[self.line_start : self.offset]

    @property
    def line_after(self) -> str:
        """The cursor's line from the cursor on."""
        return self.text[self.offset : self.line_end]

    @property
    def indent(self) -> str:
        """The white space the cursor's line begins with, up to the cursor."""
        before = self.line_before
        return before[: len(before) - len(before.lstrip())]

    @cached_property
    def line_above(self) -> str:
        """The nearest line above with something on it."""
        return self._nearest(self.text[max(0, self.line_start - 2_000) : self.line_start].splitlines()[::-1])

    def lines_above(self, most: int) -> list[str]:
        """The lines right above that say something, in order, from the last blank line on."""
        found: list[str] = []
        for line in self.text[max(0, self.line_start - 4_000) : self.line_start].splitlines()[::-1]:
            if len(found) == most or (not line.strip() and found):
                break
            if line.strip():
                found.append(line)
        return found[::-1]

    @cached_property
    def line_below(self) -> str:
        """The nearest line below with something on it."""
        return self._nearest(self.text[self.line_end : self.line_end + 2_000].splitlines())

    @property
    def whole_line_ahead(self) -> bool:
        """Whether nothing but closing brackets, quotes and separators stands after the cursor."""
        return not self.line_after.strip(CLOSERS)

    @property
    def opens_block(self) -> bool:
        """Whether the line up to the cursor ends in what opens a block."""
        return self.line_before.rstrip().endswith((":", "{", "(", "[", "=>", "->", "do", "then"))

    @property
    def in_word(self) -> bool:
        """Whether the cursor stands inside a word, where nothing can be inserted that fits."""
        around = self.text[max(0, self.offset - 1) : self.offset + 1]
        return len(around) == 2 and all(char.isalnum() or char == "_" for char in around) and self.offset > 0

    @staticmethod
    def _nearest(lines: list[str]) -> str:
        return next((line for line in lines if line.strip()), "")

"""The place of a completion: the text around the cursor and what its line says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from qwen_lsp.syntax.languages import Language
from qwen_lsp.workspace.paths import RelPath

CLOSERS = ")]}>\"'`,;: \t"
_HEAD = 3_000
_FAR = 2_000
_NEAR = (3_000, 1_500)
_LINE = 4_000
_TOP = re.compile(r"^[A-Za-z_@#\[<]", re.MULTILINE)
_DEFINES = re.compile(
    r"^(?:@|#\[|(?:export |public |pub |async |static |local |abstract |final )*"
    r"(?:def|class|func|fn|function|impl|struct|interface|trait|enum|module|namespace|type)\b)",
    re.MULTILINE,
)


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

    @cached_property
    def line_before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.text[self.line_start : self.offset]

    @cached_property
    def line_after(self) -> str:
        """The cursor's line from the cursor on."""
        return self.text[self.offset : self.line_end]

    @cached_property
    def nearby(self) -> Place:
        """The same cursor in no more of its line than anybody writes: there are lines of megabytes."""
        text, start, end = self.text, 0, len(self.text)
        if len(self.line_before) > _LINE:
            start = self.offset - _LINE
        if len(self.line_after) > _LINE:
            end = self.offset + _LINE
        whole = (start, end) == (0, len(text))
        return self if whole else Place(self.path, text[start:end], self.offset - start, self.language)

    @cached_property
    def indent(self) -> str:
        """The white space the cursor's line begins with, up to the cursor."""
        before = self.line_before
        return before[: len(before) - len(before.lstrip())]

    @cached_property
    def line_above(self) -> str:
        """The nearest line above with something on it."""
        return next((line for line in self._upwards() if line.strip()), "")

    @cached_property
    def lines_above(self) -> list[str]:
        """The lines right above that say something, in order, from the last blank line on; at most eight."""
        found: list[str] = []
        for line in self._upwards():
            if len(found) == 8 or (not line.strip() and found):
                break
            if line.strip():
                found.append(line)
        return found[::-1]

    @cached_property
    def line_below(self) -> str:
        """The nearest line below with something on it."""
        return next(self._downwards(), "")

    @cached_property
    def lines_below(self) -> list[str]:
        """The lines right below that say something, in order; at most eight."""
        return list(islice(self._downwards(), 8))

    @cached_property
    def near(self) -> str:
        """What stands around the cursor, as much as the habits of a file take to show."""
        before, after = _NEAR
        return self.text[max(0, self.offset - before) : self.offset + after]

    @cached_property
    def head(self) -> str:
        """The code up to the cursor, from the definition around it on, or from where it can be read."""
        start = max(0, self.line_start - _HEAD)
        if start:
            start = self.text.find("\n", start, self.line_start) + 1 or self.line_start
        above = self.text[start : self.line_start]
        tops = [match.start() for match in _DEFINES.finditer(above)]
        if tops:
            start += tops[-1]
        elif start and (top := _TOP.search(above)):
            start += top.start()
        return self.text[start : self.offset]

    @cached_property
    def whole_line_ahead(self) -> bool:
        """Whether only closing brackets, quotes, separators and an empty call follow on the line."""
        return not self.line_after.replace("()", "").strip(CLOSERS)

    @cached_property
    def opens_block(self) -> bool:
        """Whether the line up to the cursor ends in what opens a block."""
        return self.line_before.rstrip().endswith((":", "{", "(", "[", "=>", "->", "do", "then"))

    @property
    def in_word(self) -> bool:
        """Whether the cursor stands inside a word, where nothing can be inserted that fits."""
        around = self.text[max(0, self.offset - 1) : self.offset + 1]
        return len(around) == 2 and all(char.isalnum() or char == "_" for char in around) and self.offset > 0

    def _upwards(self) -> Iterator[str]:
        """The lines above, the nearest first, as far as anybody looks."""
        end, least = self.line_start - 1, self.line_start - _FAR
        while end >= max(0, least):
            start = self.text.rfind("\n", 0, end) + 1
            yield self.text[start:end].removesuffix("\r")
            end = start - 1

    def _downwards(self) -> Iterator[str]:
        """The lines below that say something, the nearest first, as far as anybody looks."""
        start, most = self.text.find("\n", self.line_end) + 1, self.line_end + _FAR
        while 0 < start <= most:
            end = self.text.find("\n", start)
            line = self.text[start : len(self.text) if end < 0 else end].removesuffix("\r")
            if line.strip():
                yield line
            start = end + 1

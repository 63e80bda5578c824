"""The text outside calls as it streams: what is shown, and whether a place in it is code or starts a line."""

from __future__ import annotations

import re

from qwen_lsp.model.messages import TextDelta

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEAD = 24


class Prose:
    """Collects the text outside calls; blank stretches beside a call belong to the format, not to it."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.blank = True
        """Whether nothing but white space came since the start or the last call."""
        self._withheld: list[str] = []
        self._line_head = ""
        self._line_blank = True
        self._ticks = 0
        self._fence = ""
        self._last = ""

    def add(self, text: str) -> list[TextDelta]:
        """Text outside calls; what of it may be shown now."""
        if not text:
            return []
        self._follow(text)
        if self.blank:
            self._withheld.append(text)
            if text.isspace():
                return []
            text = "".join(self._withheld)
            self._withheld.clear()
            self.blank = False
        self.parts.append(text)
        return [TextDelta(text)]

    def call(self) -> None:
        """A call came: white space since the last one is dropped, and a new line begins after it."""
        self._withheld.clear()
        self.blank = True
        self._line_head, self._line_blank, self._ticks, self._last = "", True, 0, ""

    def end(self, any_call: bool) -> list[TextDelta]:
        """The reply ends; a reply of nothing but white space is still its text."""
        if not self._withheld or any_call:
            return []
        text = "".join(self._withheld)
        self._withheld.clear()
        self.parts.append(text)
        return [TextDelta(text)]

    @property
    def line_start(self) -> bool:
        """Whether only white space stands before this place in its line."""
        return self._line_blank

    @property
    def in_fence(self) -> bool:
        """Whether this place is inside a fenced code block."""
        return bool(self._fence)

    @property
    def in_inline_code(self) -> bool:
        """Whether an inline code span is open in this line."""
        return self._ticks % 2 == 1

    @property
    def after_tick(self) -> bool:
        """Whether the character before this place is a backtick."""
        return self._last == "`"

    def _follow(self, text: str) -> None:
        self._last = text[-1]
        first, *others = text.split("\n")
        self._extend_line(first)
        for line in others:
            self._end_line()
            self._extend_line(line)

    def _extend_line(self, text: str) -> None:
        if len(self._line_head) < _HEAD:
            self._line_head += text[: _HEAD - len(self._line_head)]
        self._line_blank = self._line_blank and not text.strip()
        self._ticks += text.count("`")

    def _end_line(self) -> None:
        found = _FENCE.match(self._line_head)
        if found and not self._fence:
            # ```code``` on one line is a span, not the opening of a block.
            if found[1][0] == "~" or self._ticks == len(found[1]):
                self._fence = found[1]
        elif found and found[1].startswith(self._fence) and not self._line_head.strip(" `~\r"):
            self._fence = ""
        self._line_head, self._line_blank, self._ticks = "", True, 0

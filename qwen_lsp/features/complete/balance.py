"""Brackets and quotes of a piece of code: which are open, which close nothing. A scan, not a parser."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPENERS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = {closer: opener for opener, closer in OPENERS.items()}
QUOTES = "\"'`"
_ARROWS = re.compile(r"->|=>|>=|<=|\s[<>]\s")


@dataclass(frozen=True, slots=True)
class Balance:
    """What a piece of code leaves over. `open` are brackets not closed, outermost first."""

    open: str
    closing_nothing: int
    quote: str
    """The quote that is still open, or nothing."""
    angles: int
    """How many more `<` than `>` there are, arrows and comparisons aside."""

    @property
    def faults(self) -> int:
        """How far from balanced, not counting angle brackets, which are often no brackets."""
        return len(self.open) + self.closing_nothing + len(self.quote)


def balance(code: str) -> Balance:
    """Scan `code`; what stands in a string does not count, and an apostrophe is not a string."""
    found, began = _scan(code, -1)
    # A quote that never ends was none: a lifetime, or an apostrophe in a comment.
    return _scan(code, began)[0] if found.quote == "'" else found


def _scan(code: str, ordinary: int) -> tuple[Balance, int]:
    stack: list[str] = []
    closing_nothing = 0
    quote, began = "", -1
    escaped = False
    for at, char in enumerate(code):
        if quote:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == quote:
                quote = ""
        elif char in QUOTES and at != ordinary and not (char == "'" and _in_word(code, at)):
            quote, began = char, at
        elif char in OPENERS:
            stack.append(char)
        elif char in _CLOSERS:
            if stack and stack[-1] == _CLOSERS[char]:
                stack.pop()
            else:
                closing_nothing += 1
    plain = _ARROWS.sub("  ", code)
    return Balance("".join(stack), closing_nothing, quote, plain.count("<") - plain.count(">")), began


def _in_word(code: str, at: int) -> bool:
    """An apostrophe, as in `don't`; `f'…'` and `b'…'` begin strings."""
    word = re.search(r"\w+$", code[max(0, at - 3) : at])
    return word is not None and word.group().lower() not in ("f", "b", "r", "u", "rb", "br", "fr", "rf", "l")

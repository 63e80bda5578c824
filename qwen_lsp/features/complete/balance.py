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
    return _read(code, len(code))[0]


def outer_closed_at(before: str, said: str) -> int | None:
    """Where `said` first closes a bracket that `before` opened; None when it closes none of them."""
    at = _read(before + said, len(before))[2]
    return None if at < 0 else at - len(before)


def _read(code: str, mark: int) -> tuple[Balance, int, int]:
    found = _scan(code, -1, mark)
    # A quote that never ends was none: a lifetime, or an apostrophe in a comment.
    return _scan(code, found[1], mark) if found[0].quote == "'" else found


def _scan(code: str, ordinary: int, mark: int) -> tuple[Balance, int, int]:
    """What the code leaves, where its last quote began, and where a bracket from before `mark` is closed."""
    stack: list[str] = []
    kept = 0  # brackets from before the mark that are still open
    outer = -1
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
            kept += at < mark
        elif char in _CLOSERS:
            if stack and stack[-1] == _CLOSERS[char]:
                stack.pop()
                if len(stack) < kept:
                    kept = len(stack)
                    outer = at if outer < 0 and at >= mark else outer
            else:
                closing_nothing += 1
    plain = _ARROWS.sub("  ", code)
    return Balance("".join(stack), closing_nothing, quote, plain.count("<") - plain.count(">")), began, outer


def _in_word(code: str, at: int) -> bool:
    """An apostrophe, as in `don't`; `f'…'` and `b'…'` begin strings."""
    word = re.search(r"\w+$", code[max(0, at - 3) : at])
    return word is not None and word.group().lower() not in ("f", "b", "r", "u", "rb", "br", "fr", "rf", "l")

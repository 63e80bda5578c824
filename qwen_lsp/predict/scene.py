"""What stands around a cursor, as tokens: the context to continue, its names, the brackets still open."""

from __future__ import annotations

import re

from qwen_lsp.predict.kinds import CLOSERS, OPENERS, kind
from qwen_lsp.predict.tokens import GAP, LONGEST_WORD, UNKNOWN, Vocabulary, split

BEFORE_CHARS = 600
AFTER_CHARS = 120
LOCAL = 1 << 30  # from here on numbers are of words that only the scene knows
_BRACKETS = re.compile(r"[()\[\]{}]")


class Scene:
    """A context that grows by each token taken; words that nobody has learnt yet have numbers here."""

    def __init__(self, vocabulary: Vocabulary, before: str, below: str) -> None:
        """`before` ends at the cursor; `below` starts after the cursor's line."""
        self.vocabulary = vocabulary
        self._fresh: dict[str, int] = {}
        self._local: list[str] = []
        text = before[-BEFORE_CHARS:]
        if len(text) < len(before):
            text = text.partition(" ")[2] or text  # not the second half of a word
        line = text.rpartition("\n")[2]
        words = ["\n", *split(text)]
        if len(words) > 1 and (not line or line.isspace()):
            words.append("\n")
        get = vocabulary.get
        numbers = [get(word, UNKNOWN) for word in words]
        kind_of = vocabulary.kinds
        self.tokens: list[int] = [GAP, *numbers]
        self.kinds = bytearray(map(kind_of.__getitem__, self.tokens))
        if UNKNOWN in numbers:
            for at, word in enumerate(words, 1):
                if self.tokens[at] == UNKNOWN:
                    self.tokens[at] = self.number(word)
                    self.kinds[at] = kind(word)
        # Where each word stood last, whatever the space before it.
        self.last: dict[str, int] = dict(zip(map(str.lstrip, words), range(1, len(words) + 1)))  # noqa: B905
        self.open: list[tuple[str, bool]] = []  # the brackets still open, and whether this line opened them
        for mark in _BRACKETS.findall(text[: len(text) - len(line)]):
            self._bracket(mark, here=False)
        for mark in _BRACKETS.findall(line):
            self._bracket(mark, here=True)
        self.deeper = _deeper(before, below)
        next_words = split(below[:AFTER_CHARS])
        self.following: list[int] = [get(word, UNKNOWN) for word in next_words]
        self.following_kinds = bytes(map(kind_of.__getitem__, self.following[:8]))
        self.below: set[str] = set(map(str.lstrip, next_words))

    def number(self, word: str) -> int:
        """The number of a token, be it known or not."""
        known = self.vocabulary.get(word) or self._fresh.get(word)
        if known is None:
            if len(word) > LONGEST_WORD:
                return UNKNOWN
            known = self._fresh[word] = LOCAL + len(self._local)
            self._local.append(word)
        return known

    def word(self, number: int) -> str:
        """The token of a number."""
        return self._local[number - LOCAL] if number >= LOCAL else self.vocabulary.words[number]

    def kind(self, number: int) -> int:
        """The kind of a token."""
        if number < LOCAL:
            return self.vocabulary.kinds[number]
        return kind(self._local[number - LOCAL])

    def like(self, number: int, model: str) -> int:
        """The same word with or without the space before it, as the model has it."""
        word = self.word(number)
        if (word[:1] == " ") == (model[:1] == " "):
            return number
        return self.number(word[1:] if word[:1] == " " else " " + word)

    def take(self, number: int) -> None:
        """Go one token on."""
        word = self.word(number)
        self.tokens.append(number)
        self.kinds.append(self.kind(number))
        bare = word.lstrip(" ")
        self.last[bare] = len(self.tokens) - 1
        if bare in OPENERS or bare in CLOSERS:
            self._bracket(bare, here=True)

    def closes_nothing(self, bare: str) -> bool:
        """Whether this mark would close a bracket that is not the last one open."""
        opener = CLOSERS.get(bare)
        return opener is not None and not (self.open and self.open[-1][0] == opener)

    def _bracket(self, mark: str, *, here: bool) -> None:
        if mark in OPENERS:
            self.open.append((mark, here))
        elif self.open and self.open[-1][0] == CLOSERS[mark]:
            self.open.pop()


def _deeper(before: str, below: str) -> int:
    """Whether the line below is indented more than the cursor's: 0 if there is none, 1 if it is, else 2."""
    bare = below[: 2 * AFTER_CHARS].lstrip()
    if not bare:
        return 0
    at = below.find(bare[0])
    below_indent = at - below.rfind("\n", 0, at) - 1
    line = before.rfind("\n") + 1
    at = line
    while at < len(before) and before[at].isspace():
        at += 1
    return 1 if below_indent > at - line else 2

"""Text as small numbers: a word or a mark with the space before it, and one token for any line break.

Indentation and blank lines vanish into the line break, so code matches at any depth; the single space
before a token is part of it, so the text of a completion comes back exactly as it was written.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable

from qwen_lsp.predict.kinds import GAP_KIND, NAME, NEWLINE_KIND, kind

GAP = 0  # before a text, between two pieces, in place of what was forgotten: matches nothing
UNKNOWN = 1  # a word never seen, or too long to remember: never suggested
NEWLINE = 2
FIRST_WORD = 3

LONGEST_WORD = 48  # beyond it are keys, digests and data, which nobody wants suggested

TOKEN = re.compile(r"\n| ?(?:\w+|[^\w\s])|[^\S\n]+")


class Vocabulary(dict[str, int]):
    """The number of each token; a number whose token is no longer remembered is given out again."""

    def __init__(self) -> None:
        super().__init__({"\n": NEWLINE})
        self.words: list[str] = ["", "", "\n"]
        self.kinds = bytearray((GAP_KIND, NAME, NEWLINE_KIND))
        self._free: list[int] = []

    def __missing__(self, word: str) -> int:
        if len(word) > LONGEST_WORD:
            return UNKNOWN
        if self._free:
            number = self._free.pop()
            self.words[number] = word
            self.kinds[number] = kind(word)
        else:
            number = len(self.words)
            self.words.append(word)
            self.kinds.append(kind(word))
        self[word] = number
        return number

    def learn(self, text: str) -> array[int]:
        """The numbers of a text's tokens, new words included."""
        return array("I", map(self.__getitem__, split(text)))

    def look_up(self, text: str) -> list[int]:
        """The numbers of a text's tokens; a new word is UNKNOWN and stays unknown."""
        get = self.get
        return [get(word, UNKNOWN) for word in split(text)]

    def retain(self, used: Iterable[int]) -> None:
        """Drop every word whose number is not in `used`."""
        dropped = set(range(FIRST_WORD, len(self.words))).difference(used, self._free)
        for number in dropped:
            del self[self.words[number]]
            self.words[number] = ""
        self._free.extend(dropped)


def split(text: str) -> list[str]:
    """The tokens of a text, without indentation, trailing space and blank lines."""
    return TOKEN.findall("\n".join(filter(None, map(str.strip, text.split("\n")))))

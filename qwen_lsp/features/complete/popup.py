"""Completion lists, for editors without inline completion: when it is worth asking, and what an item says.

To the protocol a request that typing caused and one that somebody made by hand are the same, and lists are
opened at the first letter of a word, where the language's own server knows more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qwen_lsp.features.complete.latest import keep_latest
from qwen_lsp.features.complete.pace import PAUSE
from qwen_lsp.features.complete.place import Place
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.workspace.paths import RelPath

ONE_LETTER = "one letter of a word says too little to ask for a list item"
_LONGEST_LABEL = 72
_FILES = 48


@dataclass(slots=True)
class Typing:
    """Tells a request that follows from typing from one that somebody made. Times are in seconds."""

    _typed: dict[RelPath, tuple[int, float]] = field(default_factory=dict[RelPath, tuple[int, float]])
    """Where the last change of each file ended, and when it came; until a request has come for it."""

    def changed(self, path: RelPath, edit: TextEdit, now: float) -> None:
        keep_latest(self._typed, path, (edit.span.start + len(edit.text), now), _FILES)

    def caused(self, path: RelPath, offset: int, now: float) -> bool:
        """Whether a request at `offset` is the one that the last change there has caused."""
        end, at = self._typed.pop(path, (-1, 0.0))
        return end == offset and now - at <= PAUSE


def word_before(place: Place) -> str:
    """The beginning of the word in which the cursor stands, by which clients filter a list."""
    before = place.line_before
    at = len(before)
    while at and (before[at - 1].isalnum() or before[at - 1] == "_"):
        at -= 1
    return before[at:]


def label_of(word: str, text: str) -> str:
    """A suggestion in one line: its first line that says something, and whether there is more."""
    lines = [line.strip() for line in (word + text).split("\n")]
    first = next((line for line in lines if line), "")
    if len(first) > _LONGEST_LABEL:
        return first[: _LONGEST_LABEL - 1] + "…"
    return f"{first} …" if sum(map(bool, lines)) > 1 else first

"""Qwen's control markers in other people's text: made harmless on the way out, put back on the way in.

A server reads `<|im_end|>` in a file as the end of a turn, because it tokenises the rendered prompt as a
whole. So every text that goes into a prompt is sent with a look-alike, and what the model copies from it is
turned back before anyone sees it: an edit of a file about chat templates still matches that file.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

from qwen_lsp.model.tokens import SPECIAL

CONTROL = tuple(name for name in SPECIAL if name.startswith("<|"))
"""The markers that steer the model; `<tool_call>` and `<think>` are ordinary text to it in a prompt."""
_NAMES = "|".join(re.escape(name[2:-2]) for name in CONTROL)
_REAL = re.compile(rf"<\|({_NAMES})\|>")
_LOOK = re.compile(rf"<¦({_NAMES})¦>")
_LOOKS = tuple(f"<¦{name[2:-2]}¦>" for name in CONTROL)


def neutral(text: str) -> str:
    """The text with every control marker replaced by its look-alike."""
    return _REAL.sub(r"<¦\1¦>", text) if "<|" in text else text


def restore(text: str) -> str:
    """The text with every look-alike turned back into the marker."""
    return _LOOK.sub(r"<|\1|>", text) if "<¦" in text else text


def restore_all(value: Any) -> Any:
    """`restore` for every string inside a JSON value."""
    if isinstance(value, str):
        return restore(value)
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return {restore(key): restore_all(item) for key, item in mapping.items()}
    if isinstance(value, list):
        return [restore_all(item) for item in cast("list[Any]", value)]
    return value


def held(text: str, markers: tuple[str, ...]) -> int:
    """How many characters at the end of the text may be the beginning of a marker not yet whole."""
    firsts, longest = _beginnings(markers)
    for size in range(min(len(text), longest - 1), 0, -1):
        if text[-size] in firsts:
            end = text[-size:]
            if any(len(marker) > size and marker.startswith(end) for marker in markers):
                return size
    return 0


@lru_cache(maxsize=64)
def _beginnings(markers: tuple[str, ...]) -> tuple[str, int]:
    """The first characters of the markers, and the length of the longest."""
    return "".join({marker[:1] for marker in markers}), max(map(len, markers), default=1)


class Restorer:
    """`restore` for a text that arrives in pieces: a look-alike that was split comes out whole."""

    def __init__(self) -> None:
        self._kept = ""

    def feed(self, piece: str) -> str:
        """What can be shown after this piece."""
        if not self._kept and "<" not in piece:
            return piece
        text = self._kept + piece
        # Only a tail that begins as a look-alike does is worth the search.
        at = text.rfind("<")
        keep = held(text[at:], _LOOKS) if at >= 0 else 0
        shown, self._kept = text[: len(text) - keep], text[len(text) - keep :]
        return restore(shown)

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        text, self._kept = self._kept, ""
        return text

"""The markup of a call, recognised at one place of unfinished text: a token, none, or not yet known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

GAP = 4096
"""How much white space may stand between two tokens; bounds what is looked at again with each piece."""
_NAME = 256


class Kind(Enum):
    """What stands at a place."""

    CALL_OPEN = auto()
    CALL_CLOSE = auto()
    FUNCTION_OPEN = auto()
    FUNCTION_CLOSE = auto()
    PARAMETER_OPEN = auto()
    PARAMETER_CLOSE = auto()
    BRACE = auto()
    OTHER = auto()
    END = auto()
    MORE = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `name` of an opening tag, `whole` whether the tag was written as the format says."""

    kind: Kind
    start: int
    end: int
    name: str = ""
    whole: bool = True


_FIXED = {
    "<tool_call>": Kind.CALL_OPEN,
    "</tool_call>": Kind.CALL_CLOSE,
    "</function>": Kind.FUNCTION_CLOSE,
}
_OPENERS = {"<function=": Kind.FUNCTION_OPEN, "<parameter=": Kind.PARAMETER_OPEN}
_LAST_WORDS = ("</function>", "</tool_call>", "</parameter>", "<tool_call>")
_MARKERS = (*_FIXED, *_OPENERS, "</parameter>", "<function ", "<parameter ")
_NAME_END = re.compile(r"[>=<\r\n]")
# Closers drift under load: </parameter1>, </parameter_path>, </parameter with no bracket. Not
# </parameters>, which is markup of its own.
_CLOSER = re.compile(r"</parameter(?:\d{1,9}|_\w{0,64})?[ \t]{0,8}(?:>|(?=[\r\n<])|\Z)")
_SPACE = re.compile(rf"\s{{0,{GAP}}}")
HEAD = re.compile(r"</?(?:tool_call|function|parameter)")


def held_suffix(text: str) -> int:
    """Where the longest end of `text` that may still become a tag begins; its length if there is none."""
    at = text.rfind("<", max(0, len(text) - 12))
    if at >= 0 and any(marker.startswith(text[at:]) for marker in _MARKERS):
        return at
    return len(text)


def token_at(text: str, at: int, final: bool) -> Token:
    """The token that begins exactly at `at`. `final`: no more text will come."""
    if at >= len(text):
        return Token(Kind.END if final else Kind.MORE, at, at)
    if text[at] == "{":
        return Token(Kind.BRACE, at, at + 1)
    if text[at] != "<":
        return Token(Kind.OTHER, at, at)
    for marker, kind in _FIXED.items():
        if text.startswith(marker, at):
            return Token(kind, at, at + len(marker))
    if text.startswith("</parameter", at):
        return _closer(text, at, final)
    for marker, kind in _OPENERS.items():
        if text.startswith(marker, at):
            return _opener(text, at, at + len(marker), kind, final)
    rest = text[at : at + 12]
    if not final and len(text) - at < 12 and any(marker.startswith(rest) for marker in _MARKERS):
        return Token(Kind.MORE, at, at)
    if final and len(rest) > 1 and any(marker.startswith(rest) for marker in _LAST_WORDS):
        # The reply ends within a tag that could only have ended the call or begun the next.
        return Token(Kind.END, len(text), len(text))
    return Token(Kind.OTHER, at, at)


def next_token(text: str, at: int, final: bool) -> Token:
    """The token that follows white space at `at`."""
    gap = _SPACE.match(text, at)
    after = gap.end() if gap else at
    if after - at >= GAP:
        return Token(Kind.OTHER, after, after)
    return token_at(text, after, final)


def _closer(text: str, at: int, final: bool) -> Token:
    found = _CLOSER.match(text, at)
    if not found:
        return Token(Kind.OTHER, at, at)
    if found.end() == len(text) and not found[0].endswith(">"):
        if not final:
            return Token(Kind.MORE, at, at)
        return Token(Kind.OTHER, at, at)
    return Token(Kind.PARAMETER_CLOSE, at, found.end(), whole=found[0] == "</parameter>")


def _opener(text: str, at: int, name_at: int, kind: Kind, final: bool) -> Token:
    """`<function=NAME>`; without its bracket the tag is not `whole` and ends where the name does."""
    end = _NAME_END.search(text, name_at, name_at + _NAME)
    if end is None:
        if len(text) - name_at < _NAME:
            # Cut inside the name: at the end of a reply the part that came still says what was meant.
            state = Kind.END if final else Kind.MORE
            return Token(state, at, len(text), text[name_at:].strip(), whole=False)
        return Token(Kind.OTHER, at, at)
    name = text[name_at : end.start()].strip().removesuffix("/").strip("\"'")
    if end[0] == ">":
        return Token(kind, at, end.end(), name)
    # <parameter=command=create</parameter>: the value follows the second equals sign.
    after = end.end() if end[0] == "=" else end.start()
    return Token(kind, at, after, name, whole=False)

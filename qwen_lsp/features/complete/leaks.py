"""What comes along with an answer and is no code: the model's own marks, Markdown fences, a chat's words.

Everything here is decided on what has come so far and never taken back: a line that may still become a
fence, and a mark that is not whole, are waited for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qwen_lsp.features.complete.balance import balance
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.shape import COMMENT, LONG_QUOTES

MARK = "the model's own mark"
FENCE_ENDS = "the code block ends"
FENCE = "a Markdown fence"
WORDS = "words instead of code"

_CURSOR = re.compile(r"<\|cursor\|>")
# Behind a quote it is a text about such marks.
_MARK = re.compile(
    r"(?<![\"'`])(?:<\|(?!cursor\|)[a-z_]{2,24}\|>|</?fim[_-](?:prefix|middle|suffix|pad)>|<file_sep>|<EOT>|"
    r"<｜[^｜\n]{2,30}｜>)"
)
_SIGNS_OF_MARKS = ("<|", "fim", "<file_sep>", "<EOT>", "<｜")
_HALF_MARK = re.compile(r"(?<![\"'`])(?:<\|[a-z_]{0,24}\|?|<｜[^｜\n]{0,30}|</?fim[_-][a-z]*)$")
_MAY_GROW = re.compile(r"<[^\s<>]{0,32}$|(?<=\n)[ \t]*[`~]+[ \t]*$")
_OPENING = re.compile(r"[ \t]*(?:`{3,}|~{3,})[^\n`]*\n?")
_MAY_OPEN = re.compile(r"[ \t]*(?:`{1,2}|~{1,2}|(?:`{3,}|~{3,})[^\n`]*)")
_CLOSING = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*$", re.MULTILINE)
_TALK = re.compile(
    r"(?:sure|certainly|of course|okay|here(?:'s| is| are)|below is|this is the|to complete|"
    r"i(?:'ll| will|'ve| have)|the (?:completed?|completion|missing|following|code|rest)|"
    r"you can|explanation|based on|let me)\b.*",
    re.IGNORECASE,
)
_MAY_TALK = {
    "s": ("sure",), "c": ("certainly",), "o": ("of course", "okay"), "h": ("here's", "here is", "here are"),
    "b": ("below is", "based on"), "t": ("this is the", "to complete", "the "), "y": ("you can",),
    "i": ("i'll", "i will", "i've", "i have"), "e": ("explanation",), "l": ("let me",),
}  # fmt: skip
"""How a line begins that may be talk, by its first letter."""
_SIGNS_OF_CODE = re.compile(r"[={}();]")
_AFTERWARDS = re.compile(
    r"^(?:(?:This|The|In this|That) (?:code|function|method|completion|implementation|example|snippet)\b|"
    r"Explanation\b|Note:|Note that\b|\*\*)[^\n;{}]*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Code:
    """The part of an answer that is code. `why` says why it ends where it does; empty: it may go on."""

    start: int
    end: int
    why: str = ""
    removed: tuple[str, ...] = ()


def code_in(text: str, place: Place, *, finished: bool) -> Code | None:
    """The code of what has come of an answer; None while it cannot be told where it begins."""
    if not text.strip():
        return Code(0, len(text)) if finished else None
    talk = _may_talk(text.lstrip())
    if not talk and "<" not in text and "`" not in text and "~" not in text:
        return Code(0, len(text))
    fences, talks = _is_none_of_ours(place)
    found = _beginning(text, talks=talks and talk, finished=finished) if fences else (0, ())
    if found is None:
        return None
    start, removed = found
    end, why = len(text), ""
    if any(sign in text for sign in _SIGNS_OF_MARKS) and (mark := _MARK.search(text, start)):
        end, why = mark.start(), MARK
    if fences and (closing := _closing(text, start, end, place, finished=finished)) is not None:
        end, why = closing, FENCE_ENDS
    elif (
        # In a code block the block says where it ends, and words only where it never does.
        removed
        and (finished or FENCE not in removed)
        and (after := _AFTERWARDS.search(text, start, end))
        and (finished or after.end() < len(text))
    ):
        end, why = max(start, after.start() - 1), WORDS
    if not why and not finished:
        last = max(text.rfind("\n") + 1, start)
        if held := _MAY_GROW.search(text, last):
            end = held.start()
    return Code(start, end, why, removed)


def without_marks(text: str) -> str:
    """Without the marks that stand for the cursor, and without one that was cut off at the end."""
    return _HALF_MARK.sub("", _CURSOR.sub("", text)) if "<" in text else text


def _is_none_of_ours(place: Place) -> tuple[bool, bool]:
    """Whether a fence, and whether plain words, can be no part of what is written at this place."""
    language, said = place.language, place.line_before.strip()
    if language is None or language.id == "markdown":
        return place.path.rpartition(".")[2].lower() not in (
            "md",
            "mdx",
            "markdown",
            "rst",
            "txt",
            "adoc",
        ), False
    in_long_text = any(place.head.count(quote) % 2 for quote in LONG_QUOTES)
    in_text = in_long_text or said.startswith(COMMENT) or balance(place.line_before).quote != ""
    return not in_long_text, language.is_code and not in_text


def _may_talk(text: str) -> bool:
    """Whether a line begins, or may begin when more of it has come, as a chat would."""
    start = text[:12].lower()
    return any(start.startswith(words[: len(start)]) for words in _MAY_TALK.get(start[:1], ()))


def _is_talk(line: str) -> bool:
    said = line.strip()
    return len(said.split()) >= 3 and _TALK.fullmatch(said) is not None and not _SIGNS_OF_CODE.search(said)


def _beginning(text: str, *, talks: bool, finished: bool) -> tuple[int, tuple[str, ...]] | None:
    """Where the code begins, behind a fence and what is said before it; None while that is not known."""
    at, talked = 0, False
    for line in text.splitlines(keepends=True):
        whole = finished or line.endswith("\n")
        if not whole:
            may_talk = talks and _may_talk(line.lstrip()) and not _SIGNS_OF_CODE.search(line)
            if may_talk or not line.strip() or _MAY_OPEN.fullmatch(line):
                return None
        elif _OPENING.fullmatch(line):
            return at + len(line), ("words before the code", FENCE) if talked else (FENCE,)
        elif talks and _is_talk(line):
            talked = True
            at += len(line)
            continue
        elif not line.strip():
            at += len(line)
            continue
        break
    else:
        # Nothing but words and blank lines so far.
        return (len(text), (WORDS,)) if finished else None
    return (at, ("words before the code",)) if talked else (0, ())


def _closing(text: str, start: int, end: int, place: Place, *, finished: bool) -> int | None:
    """Where the line ends that stands above a closing fence; a text in long quotes may hold one."""
    if "```" not in text and "~~~" not in text:
        return None
    for match in _CLOSING.finditer(text, start, end):
        if match.end() == len(text) and not finished:
            return None
        said = place.line_before + text[start : match.start()]
        if not any(said.count(quote) % 2 for quote in LONG_QUOTES):
            return max(start, match.start() - 1)
    return None

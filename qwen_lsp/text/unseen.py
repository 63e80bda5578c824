"""Characters that a person does not see, or takes for others: spelled out for people, taken out for models.

Pure text. What decides about running or changing something is shown with `spelled`; what comes from files
and programs goes to a model through `without_hidden` and `without_control`.
"""

from __future__ import annotations

import re
import unicodedata

_LONGEST_BLANK, _MOST_EMPTY_LINES = 40, 3

_ODD = re.compile(r"[^\x20-\x7e\n\t]")
_BLANK = re.compile(rf"[ \t]{{{_LONGEST_BLANK + 1},}}|\n{{{_MOST_EMPTY_LINES + 2},}}")
_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w*")
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\U0001d159\U000e0000-\U000e0fff]"
)
"""What Unicode calls a letter, a mark or a symbol, and what an eye calls nothing."""
_UNSEEN_KINDS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_UNCLEAR_KINDS = frozenset({*_UNSEEN_KINDS, "Zs", "Cn", "Co"})
_OTHER_ALPHABETS = ("CYRILLIC ", "GREEK ", "COPTIC ", "ARMENIAN ", "CHEROKEE ", "LISU ")
_LOOK_LATIN = frozenset("асеорхуіјѕһԁԛԝАВСЕНІЈКМОРЅТХУαινορτυχκωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")

# One flag of a region, and what a sign or two joined ones need to be drawn as an emoji.
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f"
_EMOJI = "[\u00a9\u00ae\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
_SKIN = "[\U0001f3fb-\U0001f3ff]?"
_DRAWN = re.compile(
    f"{_FLAG}|{_EMOJI}{_SKIN}\ufe0f?(?:\u200d{_EMOJI}{_SKIN}\ufe0f?)+|{_EMOJI}\ufe0f|[0-9#*]\ufe0f\u20e3"
)

_CONTROL_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def spelled(text: str) -> str:
    """The text as a person must see it: what is invisible or looks like something else stands as `\\u{202e}`.

    That is: controls, marks of direction, joiners, tags, fillers, blanks other than the space, letters in
    another form, letters of another alphabet within a Latin word or a word that only looks Latin. Long
    blanks, which push the rest out of sight, are counted instead. Line ends and tabs stay.
    """
    text = _WORD.sub(lambda match: _word(match[0]), text)
    text = _ODD.sub(lambda match: match[0] if _clear(match[0]) else _number(match[0]), text)
    return _BLANK.sub(_counted, text)


def without_hidden(text: str) -> tuple[str, int]:
    """The text without what nobody sees, and how many characters that were. Emoji keep what draws them, and
    lines end as they do on Unix."""
    text = text.replace("\r\n", "\n")
    if text.isascii() and not _CONTROLS.search(text):
        return text, 0
    kept: list[str] = []
    at = 0
    for drawn in _DRAWN.finditer(text):
        kept += (_seen(text[at : drawn.start()]), drawn[0])
        at = drawn.end()
    kept.append(_seen(text[at:]))
    shown = "".join(kept)
    return shown, len(text) - len(shown)


def without_control(text: str) -> str:
    """What a program printed, without sequences for a terminal and without control characters."""
    return _CONTROLS.sub("", _CONTROL_SEQUENCES.sub("", text.replace("\r\n", "\n")))


def _seen(text: str) -> str:
    return _ODD.sub(lambda match: "" if _hidden(match[0]) else match[0], text)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN_KINDS or _FILLERS.match(character) is not None


def _clear(character: str) -> bool:
    if unicodedata.category(character) in _UNCLEAR_KINDS or _FILLERS.match(character):
        return False
    # A letter whose plain form is ASCII looks like it and is not it.
    return not unicodedata.normalize("NFKC", character).isascii()


def _word(word: str) -> str:
    letters = [c for c in word if not c.isascii() and c.isalpha()]
    if not letters or not (any(c.isascii() and c.isalpha() for c in word) or _LOOK_LATIN.issuperset(letters)):
        return word
    return "".join(_number(c) if not c.isascii() and _foreign(c) else c for c in word)


def _foreign(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_OTHER_ALPHABETS)


def _number(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def _counted(match: re.Match[str]) -> str:
    blank = match[0]
    if blank[0] == "\n":
        return f"\n[{len(blank) - 1} empty lines]\n"
    return f"[{len(blank)} blanks]"

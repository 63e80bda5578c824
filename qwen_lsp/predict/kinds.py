"""The kind of a token, one byte: marks and keywords are kinds of their own, names and numbers are alike.

Two stretches of code with the same kinds have the same shape, whatever their names are.
"""

from __future__ import annotations

GAP_KIND = 0
NAME, SPACED_NAME, CAPITAL, SPACED_CAPITAL, NUMBER, SPACED_NUMBER, OTHER, NEWLINE_KIND = range(1, 9)
LAST_NAME = SPACED_CAPITAL  # kinds from 1 to this are names
FIRST_KEYWORD, FIRST_MARK, SPACED_MARKS = 16, 128, 40

OPENERS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}

_KEYWORDS = (
    "and as assert async await break case catch class const continue def default defer del delete do "
    "elif else enum except export extends fallthrough false False finally fn for from func function "
    "global go goto if impl implements import in instanceof interface is lambda let loop match mod mut "
    "namespace new nil None nonlocal not null or package pass private protected pub public raise range "
    "return select self static struct super switch this throw throws trait true True try type typeof "
    "undefined unsafe use var void where while with yield cls int str string bool number boolean char "
    "float double"
)
_MARKS = [chr(code) for code in range(33, 127) if not (chr(code).isalnum() or chr(code) == "_")]

_KNOWN = {
    **{word: FIRST_KEYWORD + number for number, word in enumerate(_KEYWORDS.split())},
    **{" " + word: FIRST_KEYWORD + number for number, word in enumerate(_KEYWORDS.split())},
    **{mark: FIRST_MARK + number for number, mark in enumerate(_MARKS)},
    **{" " + mark: FIRST_MARK + SPACED_MARKS + number for number, mark in enumerate(_MARKS)},
}


def kind(word: str) -> int:
    """The kind of a token, the space before it included."""
    known = _KNOWN.get(word)
    if known is not None:
        return known
    spaced = word[:1] == " "
    first = word[spaced : spaced + 1]
    if first.isdigit():
        return NUMBER + spaced
    if first.isupper():
        return CAPITAL + spaced
    if first.isalpha() or first == "_":
        return NAME + spaced
    return OTHER

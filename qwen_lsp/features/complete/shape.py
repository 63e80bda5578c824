"""What a line of code says about the lines around it: opens, closes, joins, begins a definition."""

from __future__ import annotations

import re

from qwen_lsp.features.complete.balance import balance

TRIVIAL = frozenset({"", "}", "{", ")", "]", "(", "[", "});", "};", ");", "end", "else:", "pass", "return"})
"""Lines that say nothing by themselves: they may come twice, and are no sign of anything."""
OPENS = (":", "{", "(", "[", "=>", "->", " do", " then", "else", "begin")
COMMENT = ("#", "//", "--", "/*", "*", ";", "%")
LONG_QUOTES = ('"""', "'''")

_CLOSES = re.compile(r"[)\]}]|</|;;|(?:end|fi|done|esac|until)\b(?!\s*[=:(\[])")
_WORD_THAT_CLOSES = re.compile(r"</|/>|\b(?:end|fi|done|esac|until)\b")
_BRACKET_THAT_CLOSES = re.compile(r"[)\]}]")
_JOINS = re.compile(r"(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure)\b")
_LABEL = re.compile(r"(?:case|default|public|private|protected|when|else|signals|slots)\b|#")
_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|virtual|override|sealed|"
    r"partial|pub(?:\([\w: ]+\))?|unsafe|extern|inline|const|local|open|data|declare|mut|suspend)\s+)*"
)
_DEFINITION = re.compile(
    _MODIFIERS
    + r"(?:(?:def|defp|defmodule|class|func|fn|fun|struct|enum|interface|trait|impl|module|namespace|sub|"
    r"record|object|protocol|extension)\s+[\w$<~&]|function\*?\s+[\w$]|"
    r"func\s+\([^)]*\)\s*\w|type\s+\w+.*\b(?:struct|interface)\b)"
)
_CONTROL = frozenset(
    ("if", "for", "while", "switch", "catch", "return", "else", "do", "try", "throw", "new", "await", "yield",
     "using", "lock", "match", "with", "foreach", "synchronized", "assert", "delete", "case", "elif", "goto",
     "loop")
)  # fmt: skip
_HEADER = re.compile(r"(?:[\w:<>,*&\[\]?.~@#$]+\s+)*[*&]*[\w:~$#]+\s*\((?P<inside>[^;]*)\)[^;=()]*\{?$")
_IN_BRACES = frozenset(
    ("c", "cpp", "java", "csharp", "javascript", "typescript", "typescriptreact", "php", "kotlin", "scala")
)
_ABOVE_DEFINITION = re.compile(r"@\w|#\[|\[[A-Z]\w*[\](]|//|#|/\*|\*|--|<!--|template\s*<|%")
_WORD = re.compile(r"\w+")


def closes(said: str) -> bool:
    """Whether a line begins by closing something."""
    return _CLOSES.match(said) is not None


def may_close(said: str) -> bool:
    """Whether a line may close anything that began above it; brackets that it opened itself are no sign."""
    if _WORD_THAT_CLOSES.search(said):
        return True
    if not _BRACKET_THAT_CLOSES.search(said):
        return False
    left = balance(said)
    return left.closing_nothing > 0 or left.quote != ""


def joins(said: str) -> bool:
    """Whether a line goes on with the block above it: `else`, `except`."""
    return _JOINS.match(said) is not None


def is_label(said: str) -> bool:
    """Whether a line may stand as far to the left as what it is inside: `case`, `public:`, `#ifdef`."""
    return _LABEL.match(said) is not None


def telling(said: str) -> bool:
    return _WORD.search(said) is not None


def begins_definition(said: str, language: str) -> bool:
    """Whether a line begins a function, a class or the like. `language` is the protocol's id."""
    if _DEFINITION.match(said):
        return True
    if language not in _IN_BRACES:
        return False
    word = _WORD.match(said)
    if word is None or word.group() in _CONTROL or "=" in said.partition("(")[0]:
        return False
    if not said.endswith("{") and (language.startswith(("java", "type")) and language != "java"):
        return False
    return _HEADER.fullmatch(said) is not None and (said.endswith("{") or " " in said.partition("(")[0])


def stands_above_definition(said: str) -> bool:
    """Whether a line belongs to the definition below it: a decorator, an attribute, a comment."""
    return _ABOVE_DEFINITION.match(said) is not None

"""Whether a definition's body is a stub: `pass`, `...`, `todo!()`, an empty block, a lone TODO."""

from __future__ import annotations

import re

from qwen_lsp.syntax.languages import Language

_SAYS_MISSING = re.compile(
    r"(?:pass|\.\.\.|return(?:\s+(?:None|null|nil|undefined))?"
    r"|raise\s+NotImplementedError(?:\s*\(.*\))?|raise\s+NotImplementedError.*"
    r"|(?:todo|unimplemented)!\s*\(.*\)|TODO\s*\(.*\)|fatalError\s*\(.*\)|\?\?\?"
    r"|throw\s+(?:new\s+)?\w*(?:NotImplemented|Unsupported)\w*\s*\(.*\)"
    r"|throw\s+(?:new\s+)?\w*(?:Error|Exception)\w*\s*\(\s*[\"'`].*(?:not\s+implemented|todo|unimplemented).*\)"
    r"|panic!?\s*\(\s*[\"'`].*(?:not\s+implemented|todo|unimplemented|implement\s+me).*\))\s*;?",
    re.IGNORECASE | re.DOTALL,
)
_DOCSTRING = re.compile(r"^\s*[rRuUbB]*(\"\"\"|''').*?\1\s*", re.DOTALL)
_PLAIN_DOCSTRING = re.compile(r"^\s*(\"[^\"\n]*\"|'[^'\n]*')\s*$", re.MULTILINE)
_TODO = re.compile(r"\b(?:TODO|FIXME|XXX)\b|implement", re.IGNORECASE)


def is_stub(definition: str, language: Language | None) -> bool:
    """Whether the body says only that it is missing. A bare `return` counts only beside a TODO."""
    body = _body(definition, language)
    if body is None:
        return False
    inner, comments = _without_comments(body, language)
    if language is not None and language.id == "python":
        inner = _PLAIN_DOCSTRING.sub("", _DOCSTRING.sub("", inner), count=1)
    said = inner.strip()
    if not said:
        return language is None or language.block == "brace" or bool(_TODO.search(comments))
    if said.startswith("return"):
        return bool(_TODO.search(comments)) and _SAYS_MISSING.fullmatch(said) is not None
    return _SAYS_MISSING.fullmatch(said) is not None


def _body(definition: str, language: Language | None) -> str | None:
    """What follows the signature; None when there is no body at all."""
    text = definition.rstrip()
    if language is not None and language.block == "indent":
        return _after_colon(text)
    if language is not None and language.block == "keyword":
        match = re.match(r"[^\n]*\n(.*?)\n?[ \t]*end\s*$", text, re.DOTALL)
        return match.group(1) if match else None
    depth = 0
    for i, char in enumerate(text):
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "{" and depth == 0:
            return text[i + 1 :].rstrip().removesuffix(";").rstrip().removesuffix("}")
    return None


def _after_colon(text: str) -> str | None:
    """Python: behind the colon that ends the signature, past decorators, brackets and strings."""
    start = re.search(r"^[ \t]*(?:async[ \t]+)?(?:def|class)\b", text, re.MULTILINE)
    depth, quote = 0, ""
    for i in range(start.start() if start else 0, len(text)):
        char = text[i]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == ":" and depth == 0:
            return text[i + 1 :]
    return None


def _without_comments(body: str, language: Language | None) -> tuple[str, str]:
    comments: list[str] = []

    def drop(match: re.Match[str]) -> str:
        comments.append(match.group())
        return ""

    if language is not None and language.block_comment:
        opening, closing = map(re.escape, language.block_comment)
        body = re.sub(f"{opening}.*?{closing}", drop, body, flags=re.DOTALL)
    if language is not None and language.line_comment:
        body = re.sub(rf"(?:^|(?<=[\s;{{])){re.escape(language.line_comment)}[^\n]*", drop, body)
    return body, "\n".join(comments)

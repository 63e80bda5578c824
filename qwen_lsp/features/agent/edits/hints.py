"""What a quotation may have too much: escapes, line numbers, marks of a diff."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from qwen_lsp.features.agent.edits.canonical import loose, loose_file

_NUMBERED = (
    re.compile(r"[ \t]*(\d+)(?:\t|\u2192)"),
    re.compile(r"[ \t]*(\d+)[ \t]*[|\u2502:][ \t]?"),
    re.compile(r"[ \t]*(\d+)(?: {2}|\t)"),
    re.compile(r"[ \t]*L(\d+):[ \t]?"),
    re.compile(r"[^\s:]+:(\d+):[ \t]?"),
)
_ESCAPE = re.compile(r"\\([nt\"'\\])")
_ESCAPES = {"n": "\n", "t": "\t"}
_MARKED = re.compile(r"[-+ ]", re.ASCII)
_HUNK = re.compile(r"^(?:@@ .*|(?:---|\+\+\+) \S.*|diff --git .*)\n", re.MULTILINE)
_FENCED = re.compile(r"\s*```[^\n]*\n(.*?)\n?```\s*", re.DOTALL)
_MARKDOWN = re.compile(r"^(?:\s*(?:```|~~~)|#{2,6} \S|[=-]{3,}\s*$)", re.MULTILINE)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+);")
_OPERATOR = re.compile(r"&amp;&amp;|[-=]&gt;|(?<=\s)&[lg]t;(?==?\s)")
_MARKUP = re.compile(r"</\w|/>|<!")
_TOO_MUCH = "which would be written into the file. Leave"


def hint(text: str, old: str) -> str:
    """One sentence on what to leave out of `old` so that it is in the text; empty when nothing helps."""
    there = loose_file(text).text
    for plain, sentence in _readings(old):
        wanted = loose(plain).text
        if plain != old and wanted.strip() and wanted in there:
            return sentence
    return ""


def dressed(text: str, old: str, new: str) -> str:
    """A refusal where `new` has marks or escapes that `old` does not have and that are not meant as text."""
    lines, quoted = new.splitlines(), [line for line in old.splitlines() if line.strip()]
    if _FENCED.fullmatch(new) and not _FENCED.fullmatch(old) and not _MARKDOWN.search(text):
        return f"new_string has ``` around it, {_TOO_MUCH} it out."
    removed = [line[1:] for line in lines if line[:1] == "-"]
    if (
        any(line[:1] == "+" for line in lines)
        and any(line.strip() for line in removed)
        and all(_MARKED.match(line) or not line for line in lines)
        and set(removed) <= set(quoted)
    ):
        return f"new_string has the - and + of a diff in front of its lines, {_TOO_MUCH} them out."
    plain = _unescaped(new)
    shared = {line.strip() for line in plain.splitlines()} & {line.strip() for line in quoted}
    if "\\n" in new and "\n" not in new and "\\n" not in old and len(quoted) > 1 and any(shared):
        return "new_string has \\n where a line is to end: write line breaks, tabs and quotes as they are."
    escaped, quotes = new.count('\\"'), old.count('"')
    if escaped > 1 and escaped == new.count('"') and quotes > 1 and '\\"' not in old and plain != old:
        return 'new_string has \\" for every quote, and the file has ": write quotes as they are.'
    if _OPERATOR.search(new) and not _ENTITY.search(text + old) and not _MARKUP.search(text + new):
        return "new_string has &lt; &gt; or &amp; for < > or &: write these signs as they are."
    return _numbered(new, old)


def _numbered(new: str, old: str) -> str:
    plain = unnumbered(new)
    if plain is None or unnumbered(old) is not None or new.count("\n") < 1:
        return ""
    have = {line.strip() for line in old.splitlines() if len(line.strip()) > 3}
    if not have & {line.strip() for line in plain.splitlines()}:
        return ""
    return f"new_string has line numbers in front of its lines, {_TOO_MUCH} them out."


def unnumbered(text: str) -> str | None:
    """The text without the line numbers in front of its lines; None unless they count up one by one."""
    lines = text.splitlines(keepends=True)
    for form in _NUMBERED:
        found = [form.match(line) for line in lines]
        numbers = [int(match[1]) for match in found if match]
        pairs = list(zip(found, lines, strict=True))
        if not numbers or not all(match or not line.strip() for match, line in pairs):
            continue
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return "".join(line[match.end() :] if match else line for match, line in pairs)
    return None


def _readings(old: str) -> Iterator[tuple[str, str]]:
    """What `old` may have meant, with what to say when that is in the file."""
    if "\\" in old:
        again = "write line breaks, tabs and quotes as they are, in new_string too."
        yield _unescaped(old), f" It would match if it were not escaped: {again}"
    if "&" in old:
        yield (
            html.unescape(old),
            " It would match if it were not escaped: write < > & and quotes as they are.",
        )
    if any(mark in old for mark in "<>&\"'"):
        yield html.escape(old, quote=False), " The file has &lt; &gt; &amp; there: quote them as they are."
    if (plain := unnumbered(old)) is not None:
        sentence = " It would match without the line numbers in front of its lines: leave them out"
        yield plain, f"{sentence}, in new_string too."
    lines = _HUNK.sub("", old).splitlines(keepends=True)
    if all(_MARKED.match(line) or not line.strip() for line in lines):
        sentence = (
            " It would match without the + and - of a diff in front of its lines: quote what the file has"
        )
        for marks in ("- ", "+ "):
            kept = [line[1:] if line.strip() else line for line in lines if line[:1] in marks + "\r\n"]
            yield "".join(kept), f"{sentence}, without them."
    if fenced := _FENCED.fullmatch(old):
        yield fenced[1], " It would match without the ``` around it."


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), text)

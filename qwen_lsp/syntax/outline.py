"""A file reduced to what it declares: imports, signatures and members, with every body elided.

Works on lines and facts alone, so that no tree is needed for a file whose facts are cached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from qwen_lsp.syntax.facts import Definition, FileFacts
from qwen_lsp.syntax.languages import Language, by_id

ELLIPSIS = "..."
_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_WIDEST = 200
"""Characters of one line shown; a longer one is a value rather than a signature."""
_LONGEST_HEADER = 30
_LONGEST_IMPORT = 60
_LONGEST_GROUP = 1000
_FUNCTIONS = frozenset(("function", "method", "constructor"))
_OPENERS = {"(": ")", "[": "]", "{": "}"}
_STRING_OPENER = re.compile(r"""[rRbBuUfF]{0,2}(\"\"\"|'''|"|')""")
_COMMENT_LINE = re.compile(r"\s*(///?!?|#(?!\[|!\[)|--+|;+|%+)")
_COMMENT_MARK = re.compile(r"^\s*(/\*\*?!?|\*/|\*(?!/)|///?!?|#+|--+\[*|;+|%+)? ?")
_AFTER_COLON = re.compile(r":\s*#.*$")
_OPENING = re.compile(
    r"[({\[]$|^\s*(class|module|begin|if|unless|elif|else|try|except|with|public|private|protected)\b"
)
_CLOSING = re.compile(r"[\])}]+[;,]?|end\b.*")


def split_lines(text: str) -> list[str]:
    """The lines of a text as facts count them; form feeds and the like break no line."""
    return _LINE_BREAK.split(text) if "\r" in text else text.split("\n")


def header(text_lines: Sequence[str], d: Definition) -> str:
    """The lines of a signature as written, from its decorators on, the body left out; empty for lines that
    are not there."""
    last = min(d.header_end, d.line + _LONGEST_HEADER)
    lines = [_clipped(line.rstrip()) for line in text_lines[d.line : last + 1]]
    if d.name_line >= len(text_lines):
        return ""
    if last < d.header_end:
        lines.append(f"{_indent(lines[-1])}{ELLIPSIS}")
    if d.name_line > d.header_end:
        lines[-1] = f"{lines[-1]} {ELLIPSIS} {_clipped(text_lines[d.name_line].strip())}"
    return "\n".join(lines)


def outline(text: str, facts: FileFacts, *, depth: int | None = None, docs: bool = False) -> str:
    """Imports and signatures as text, ending in a newline; empty for a file that declares nothing."""
    lines = outline_lines(text, facts, depth=depth, docs=docs)
    return "".join(f"{line}\n" for _, line in lines)


def outline_lines(
    text: str, facts: FileFacts, *, depth: int | None = None, docs: bool = False
) -> list[tuple[int, str]]:
    """The lines of the outline, each with the zero-based line of the file it stands for."""
    text_lines = split_lines(text)
    language = by_id(facts.language)
    result = _imports(text_lines, facts, language)
    shown_imports = {line for line, _ in result}
    levels: list[int] = []
    children: set[int] = set()
    for d in facts.definitions:
        hidden = d.parent >= 0 and (levels[d.parent] < 0 or facts.definitions[d.parent].kind in _FUNCTIONS)
        level = -1 if hidden else 0 if d.parent < 0 else levels[d.parent] + 1
        levels.append(-1 if depth is not None and level >= depth else level)
        if levels[-1] >= 0 and d.parent >= 0 and d.name_line > facts.definitions[d.parent].header_end:
            children.add(d.parent)
    starts = set(shown_imports)
    printed = -1
    known: set[tuple[int, str]] = set()
    closed: set[int] = set()
    for index, d in enumerate(facts.definitions):
        if levels[index] < 0 or d.name_line <= printed or d.line in shown_imports or d.name_line in closed:
            continue
        if d.kind == "field":
            if (d.parent, d.name) in known:
                continue  # a method that gives its object another value
            known.add((d.parent, d.name))
        doc = _doc_lines(text_lines, facts, index) if docs else None
        doc_shown = [_clipped(line) for line in text_lines[doc[0] : doc[1] + 1]] if doc is not None else []
        inner = doc is not None and doc[0] > d.header_end
        if doc is not None and printed < doc[0] < d.line:
            result += enumerate(doc_shown, doc[0])
        first = max(d.line, printed + 1)
        lines = header(text_lines, d).split("\n")[first - d.line :]
        if d.name_line > d.header_end:  # the name closes what the definition opens
            if _shows_inside(facts, index, levels):
                lines = [_clipped(line.rstrip()) for line in text_lines[first : d.header_end + 1]]
                result.append((d.name_line, _clipped(text_lines[d.name_line].rstrip())))
            closed.add(d.name_line)
        elif index not in children and not inner:
            lines[-1] = _elided(lines[-1], d, language)
        starts.add(first)
        result += enumerate(lines, first)
        if doc is not None and inner:
            result += enumerate(doc_shown, doc[0])
            if index not in children and d.end_line > doc[1]:
                result.append((doc[1] + 1, _indent(text_lines[doc[0]]) + ELLIPSIS))
        printed = max(printed, d.header_end)
        if index in children and _CLOSING.fullmatch(text_lines[d.end_line].strip()):
            result.append((d.end_line, text_lines[d.end_line].rstrip()))
    if language is not None and language.is_code:
        result += _groups(text_lines, result, starts)
    result.sort(key=lambda line: line[0])
    return result


def _shows_inside(facts: FileFacts, index: int, levels: Sequence[int]) -> bool:
    """Whether something between the header of a definition and its name is shown."""
    d = facts.definitions[index]
    for inner, level in zip(facts.definitions[index + 1 :], levels[index + 1 :], strict=False):
        if inner.line > d.name_line:
            break
        if level >= 0 and d.header_end < inner.name_line < d.name_line:
            return True
    return False


def _groups(
    text_lines: Sequence[str], lines: Sequence[tuple[int, str]], starts: set[int]
) -> list[tuple[int, str]]:
    """Opening and closing lines of what is no definition but encloses some: `import (`, `if TESTING:`."""
    shown = {number for number, _ in lines}
    added: dict[int, str] = {}
    above = -1
    for number in sorted(shown):
        if number in starts:
            indent = len(_indent(text_lines[number]))
            for k in range(number - 1, above, -1):
                line = text_lines[k].rstrip()
                if line and len(_indent(line)) < indent:
                    if _OPENING.search(line):
                        added[k] = _clipped(line)
                        added.update(_closing_line(text_lines, number, len(_indent(line))))
                    break
        above = number
    return [(number, line) for number, line in added.items() if number not in shown]


def _closing_line(text_lines: Sequence[str], first: int, indent: int) -> dict[int, str]:
    for number in range(first, min(first + _LONGEST_GROUP, len(text_lines))):
        line = text_lines[number].rstrip()
        if line and len(_indent(line)) <= indent:
            return {number: line} if _CLOSING.fullmatch(line.strip()) else {}
    return {}


def doc_comment(text_lines: Sequence[str], facts: FileFacts, index: int) -> str:
    """The docstring of a definition or the comment right above it, without its markers; else empty."""
    found = _doc_lines(text_lines, facts, index)
    if found is None:
        return ""
    lines = list(text_lines[found[0] : found[1] + 1])
    if found[0] > facts.definitions[index].header_end:
        quoted = "\n".join(line.strip() for line in lines)
        opener = _STRING_OPENER.match(quoted)
        quote = opener.group(1) if opener else ""
        return quoted[opener.end() if opener else 0 :].removesuffix(quote).strip()
    text = "\n".join(_COMMENT_MARK.sub("", line, count=1) for line in lines).strip()
    return text.removesuffix("*/").rstrip()


def _doc_lines(text_lines: Sequence[str], facts: FileFacts, index: int) -> tuple[int, int] | None:
    """First and last line of what documents a definition."""
    d = facts.definitions[index]
    if facts.language == "python" and d.kind in ("class", *_FUNCTIONS):
        return _docstring(text_lines, d)
    last = d.line - 1
    first = d.line
    if last >= 0 and text_lines[last].rstrip().endswith("*/"):
        while first > 0 and not text_lines[first - 1].lstrip().startswith("/*") and d.line - first < 400:
            first -= 1
        first -= 1
        opens = first >= 0 and text_lines[first].lstrip().startswith("/*")
        return (first, last) if opens else None
    while first > 0 and _COMMENT_LINE.match(text_lines[first - 1]):
        first -= 1
    return (first, last) if first <= last else None


def _docstring(text_lines: Sequence[str], d: Definition) -> tuple[int, int] | None:
    first = d.header_end + 1
    while first < d.end_line and not text_lines[first].strip():
        first += 1
    if first > d.end_line or first >= len(text_lines):
        return None
    opener = _STRING_OPENER.match(text_lines[first].lstrip())
    if opener is None:
        return None
    quote, rest, last = opener.group(1), text_lines[first].lstrip()[opener.end() :], first
    while quote not in rest and last < d.end_line:
        last += 1
        rest = text_lines[last]
    return (first, last) if quote in rest else None


def _elided(line: str, d: Definition, language: Language | None) -> str:
    """The last line of a header with three dots for the body that follows it."""
    if d.end_line == d.header_end or d.kind in ("section", "key", "element"):
        return line
    bare = line.rstrip()
    if bare[-1:] in _OPENERS:
        return f"{bare} {ELLIPSIS} {_closers(bare)}"
    if d.kind in ("constant", "variable", "field", "property", "type"):
        return f"{bare} {ELLIPSIS}"
    block = language.block if language is not None else "none"
    if block == "indent":
        return f"{_AFTER_COLON.sub(':', bare)} {ELLIPSIS}"
    if block == "brace":
        return f"{bare} {ELLIPSIS}" if bare.endswith(("=>", "=")) else f"{bare} {{ {ELLIPSIS} }}"
    return f"{bare} {ELLIPSIS} end" if block == "keyword" else f"{bare} {ELLIPSIS}"


def _closers(line: str) -> str:
    """The closing brackets that a line still wants."""
    wanted: list[str] = []
    for char in line:
        if char in _OPENERS:
            wanted.append(_OPENERS[char])
        elif wanted and char == wanted[-1]:
            wanted.pop()
    return "".join(reversed(wanted))


def _imports(text_lines: Sequence[str], facts: FileFacts, language: Language | None) -> list[tuple[int, str]]:
    """The import statements that no function hides."""
    hidden = [(d.header_end, d.end_line) for d in facts.definitions if d.kind in _FUNCTIONS]
    comment = language.line_comment if language is not None else None
    lines = {imp.line for imp in facts.imports if not any(a < imp.line <= b for a, b in hidden)}
    return [(line, _import(text_lines, line, comment)) for line in sorted(lines)]


def _import(text_lines: Sequence[str], line: int, comment: str | None) -> str:
    """An import statement on one line, closed where its brackets close."""
    lines = text_lines[line : line + _LONGEST_IMPORT]
    if comment:
        lines = [t if t.startswith(comment) else t.partition(f" {comment}")[0] for t in lines]
    taken = [text.strip() if i else text.rstrip() for i, text in enumerate(until_closed(lines))]
    return _clipped(" ".join(taken))


def until_closed(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a statement: up to the one on which the brackets close that the first of them open."""
    balance = 0
    for line in lines:
        yield line
        balance += sum(line.count(opener) - line.count(closer) for opener, closer in _OPENERS.items())
        if balance <= 0:
            return


def _clipped(line: str) -> str:
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - len(ELLIPSIS) - 1].rstrip()} {ELLIPSIS}"


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]

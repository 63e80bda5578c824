"""Import lines put where a file has its imports."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_lsp.syntax.languages import Language, available
from qwen_lsp.syntax.parse import errors, parse
from qwen_lsp.syntax.tags import extract

_LONGEST_IMPORT = 40


def with_imports(text: str, imports: Sequence[str], language: Language | None) -> str:
    """`text` with the import lines it lacks, after its last import at the top, else at its top."""
    known = {line.strip() for line in text.splitlines()}
    wanted = [line.rstrip() for line in imports if line.strip() not in known]
    if not wanted or language is None or not available(language):
        return text
    lines = text.splitlines(keepends=True)
    end = "\r\n" if "\r\n" in text else "\n"
    added = [line + end for line in wanted]
    bad = len(errors(parse(text, language)))
    start = _after_imports(text, language)
    first = _preamble(lines, language) if start is None else start
    # An import may go on over several lines: the first place that breaks nothing is behind it.
    for at in range(first, min(first + _LONGEST_IMPORT, len(lines)) + 1):
        trial = "".join([*lines[:at], *added, *lines[at:]])
        if len(errors(parse(trial, language))) <= bad:
            return trial
    return "".join([*lines[:first], *added, *lines[first:]])


def _after_imports(text: str, language: Language) -> int | None:
    """The line behind the start of the last import before the first function or class; None without one."""
    facts = extract(parse(text, language))
    code = [d.line for d in facts.definitions if d.kind not in ("variable", "constant", "module")]
    before = min(code, default=facts.lines + 1)
    lines = [imp.line for imp in facts.imports if imp.line < before]
    return max(lines) + 1 if lines else None


def _preamble(lines: Sequence[str], language: Language) -> int:
    """Behind what must stay first: interpreter line, comments, docstring, package clause."""
    at, quote = 0, ""
    marks = tuple(
        m for m in (language.line_comment, "#!", "<?php", "package ", "'use strict'", '"use strict"') if m
    )
    while at < len(lines):
        line = lines[at].strip()
        if quote:
            quote = "" if quote in line else quote
        elif line.startswith(('"""', "'''")) and language.id == "python":
            quote = "" if line.count(line[:3]) > 1 else line[:3]
        elif language.block_comment and line.startswith(language.block_comment[0]):
            quote = "" if language.block_comment[1] in line[2:] else language.block_comment[1]
        elif line and not line.startswith(marks):
            break
        at += 1
    while at > 0 and not lines[at - 1].strip() and at == len(lines):
        at -= 1
    return at

"""Situation: what is at a selection, told from facts alone; which actions apply is read from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qwen_lsp.context.place import TYPES, is_test
from qwen_lsp.features.excerpts import lines_of_selection
from qwen_lsp.features.stubs import is_stub
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import Definition, FileFacts, Kind
from qwen_lsp.syntax.languages import Language
from qwen_lsp.syntax.outline import doc_comment, split_lines
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath

CALLABLE: frozenset[Kind] = frozenset({"function", "method", "constructor", "macro"})
_LARGEST_FIX = 150
_AROUND = 12


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A problem that a tool reported."""

    span: Span
    message: str
    source: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """A selection in a file, with what the index says about the place."""

    snapshot: Snapshot
    path: RelPath
    text: str
    index: LineIndex
    span: Span
    facts: FileFacts
    language: Language | None
    diagnostics: Sequence[Diagnostic] = ()

    @property
    def lines(self) -> tuple[int, int]:
        """First and last line selected; an end at the start of a line does not take that line in."""
        return lines_of_selection(self.index, self.span)

    @property
    def is_code(self) -> bool:
        return self.language is not None and self.language.is_code

    @property
    def is_test(self) -> bool:
        return is_test(self.path)

    def around(self, line: int) -> int | None:
        """The innermost function or type around a line."""
        found = [i for i in self.facts.enclosing(line) if self.facts.definitions[i].kind in CALLABLE | TYPES]
        return found[-1] if found else None

    def target(self) -> int | None:
        """The function or type that the selection is in or that it is about."""
        first, last = self.lines
        here = self.around(first)
        if here is not None and self.facts.definitions[here].end_line >= last:
            return here
        return None

    def span_of(self, first: int, last: int) -> Span:
        return self.index.lines_span(max(0, first), min(last, self.index.line_count - 1))

    def text_of(self, definition: Definition) -> str:
        span = self.span_of(definition.line, definition.end_line)
        return self.text[span.start : span.end]

    def undocumented(self, index: int) -> bool:
        return not doc_comment(split_lines(self.text), self.facts, index).strip()

    def stub(self, index: int) -> bool:
        """Whether the body of the definition says only that it is missing."""
        definition = self.facts.definitions[index]
        parent = definition.parent
        if definition.kind not in CALLABLE or self.path.endswith((".pyi", ".d.ts")):
            return False
        if parent >= 0 and self.facts.definitions[parent].kind in ("interface", "trait"):
            return False
        header = "\n".join(split_lines(self.text)[definition.line : definition.header_end + 1])
        if re.search(r"abstractmethod|@overload|\babstract\b|\bextern\b|\bdeclare\b", header):
            return False
        return is_stub(self.text_of(definition), self.language)

    def region_of_problem(self, problem: Diagnostic) -> Span:
        """The lines that a fix may rewrite: the function around, else the lines around."""
        first, last = self.index.line_at(problem.span.start), self.index.line_at(problem.span.end)
        here = self.around(first)
        if here is not None:
            definition = self.facts.definitions[here]
            if definition.end_line - definition.line < _LARGEST_FIX and definition.end_line >= last:
                return self.span_of(definition.line, definition.end_line)
        return self.span_of(first - _AROUND, last + _AROUND)


def situation(
    snapshot: Snapshot, path: RelPath, span: Span, diagnostics: Sequence[Diagnostic] = ()
) -> Situation:
    """Look at a selection. Raises FileUnreadable."""
    index = snapshot.lines(path)
    facts = snapshot.facts(path) or FileFacts(language="", lines=index.line_count)
    language = snapshot.language(path)
    return Situation(snapshot, path, index.text, index, span, facts, language, tuple(diagnostics))

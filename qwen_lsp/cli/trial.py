"""Real places of a real workspace to try things at: where a line is cut, which function is selected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.syntax.languages import available, language_for
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract
from qwen_lsp.workspace.disk import list_files, read
from qwen_lsp.workspace.paths import RelPath

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SMALLEST, _LARGEST = 1_500, 60_000
_FILES = 12
_PLACES_PER_FILE = 5


@dataclass(frozen=True, slots=True)
class Cut:
    """A line to be typed up to a column: its place in the whole file, and what the author wrote after it."""

    path: RelPath
    line: int
    column: int
    written: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A file that is typed again: it begins without its cut lines, and gets them one by one."""

    path: RelPath
    text: str
    cuts: tuple[Cut, ...]

    def before(self, number: int, *, typing: bool) -> str:
        """The text when the first `number` cuts are done; `typing`: with the start of the next one."""
        left = {cut.line: cut for cut in self.cuts[number:]}
        lines: list[str] = []
        for at, line in enumerate(self.text.split("\n")):
            if at not in left:
                lines.append(line)
            elif typing and left[at] is self.cuts[number]:
                lines.append(line[: left[at].column])
        return "\n".join(lines)

    def line_in(self, number: int) -> int:
        """Where the line of cut `number` stands while it is typed. Cuts are in order of line."""
        later = sum(cut.line < self.cuts[number].line for cut in self.cuts[number + 1 :])
        return self.cuts[number].line - later


@dataclass(frozen=True, slots=True)
class Selected:
    """A whole function of a file, by its zero-based lines."""

    path: RelPath
    text: str
    name: str
    first: int
    last: int


def files(root: Path) -> list[tuple[RelPath, str]]:
    """Some code files of middling size, spread over the workspace, the same at every run."""
    listing = list_files(root, max_bytes=_LARGEST)
    fit = [
        path
        for path, stat in sorted(listing.files.items())
        if _SMALLEST <= stat.size <= _LARGEST and _is_code(path)
    ]
    main = [path for path in fit if "test" not in path.lower()] or fit
    step = max(1, len(main) // _FILES)
    chosen: list[tuple[RelPath, str]] = []
    for path in main[::step][:_FILES]:
        try:
            chosen.append((path, read(root, path).text.replace("\r\n", "\n")))
        except WorkspaceError:
            continue
    return chosen


def to_type(path: RelPath, text: str) -> Trial:
    """The file with some lines of code to type: each up to a word or sign in its middle."""
    lines = text.split("\n")
    cuts: list[Cut] = []
    for turn in range(_PLACES_PER_FILE):
        at = len(lines) * (turn + 1) // (_PLACES_PER_FILE + 1)
        for number in range(at, min(at + 20, len(lines))):
            tokens = list(_TOKEN.finditer(lines[number]))
            if len(tokens) >= 5 and lines[number].lstrip()[:1].isalpha():
                column = tokens[len(tokens) // 2].end()
                cuts.append(Cut(path, number, column, lines[number][column:].rstrip()))
                break
    return Trial(path, text, tuple({cut.line: cut for cut in cuts}.values()))


def function(texts: list[tuple[RelPath, str]]) -> Selected | None:
    """The first function of a readable length."""
    for path, text in texts:
        language = language_for(path)
        if language is None:
            continue
        for definition in extract(parse(text, language)).definitions:
            body = definition.end_line - definition.header_end
            if definition.kind in ("function", "method") and 4 <= body <= 30:
                return Selected(path, text, definition.name, definition.line, definition.end_line)
    return None


def _is_code(path: RelPath) -> bool:
    language = language_for(path)
    return language is not None and language.is_code and available(language)

"""Real places of a real workspace to try things at: where a line is cut, which function is selected."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    """A line of a file, cut in the middle: what stands before, and what the author wrote after."""

    path: RelPath
    text: str
    line: int
    column: int
    written: str

    @property
    def shortened(self) -> str:
        """The file as an editor would hold it when the line has been typed up to the cut."""
        lines = self.text.split("\n")
        lines[self.line] = lines[self.line][: self.column]
        return "\n".join(lines)


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


def cuts(texts: list[tuple[RelPath, str]]) -> Iterator[Cut]:
    """Places in turn through the files: after some word or sign in the middle of a line of code."""
    for turn in range(_PLACES_PER_FILE):
        for path, text in texts:
            lines = text.split("\n")
            at = len(lines) * (turn + 1) // (_PLACES_PER_FILE + 1)
            for number in range(at, min(at + 20, len(lines))):
                tokens = list(_TOKEN.finditer(lines[number]))
                if len(tokens) >= 5 and lines[number].lstrip()[:1].isalpha():
                    column = tokens[len(tokens) // 2].end()
                    yield Cut(path, text, number, column, lines[number][column:].rstrip())
                    break


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

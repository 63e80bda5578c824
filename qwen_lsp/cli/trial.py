"""Real places of a real workspace to try things at: where a line is cut, which function is selected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.syntax.languages import Language, available, language_for
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract
from qwen_lsp.workspace.disk import list_files, read
from qwen_lsp.workspace.paths import RelPath

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SMALLEST, _LARGEST, _MOST_BYTES = 1_500, 60_000, 500_000
_ENOUGH = 12
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
    """Some code files of middling size, spread over the workspace, the same at every run.

    Those of the language that most of the code is in come first; other languages fill the list up.
    """
    listing = list_files(root, max_bytes=_MOST_BYTES)
    code = {
        path: (language.id, stat.size)
        for path, stat in sorted(listing.files.items())
        if (language := language_for(path)) is not None and _is_code(language) and stat.size
    }
    for smallest, largest in ((_SMALLEST, _LARGEST), (1, _MOST_BYTES)):
        chosen = _spread({path: found for path, found in code.items() if smallest <= found[1] <= largest})
        if texts := [(path, text) for path in chosen if (text := _text(root, path))]:
            return texts
    return []


def _spread(code: dict[RelPath, tuple[str, int]]) -> list[RelPath]:
    weights: dict[str, int] = {}
    for path, (language, size) in code.items():
        weights[language] = weights.get(language, 0) + (size if not _is_aside(path) else size // 10)
    chosen: list[RelPath] = []
    for language in sorted(weights, key=lambda name: -weights[name]):
        own = [path for path, (name, _) in code.items() if name == language]
        own = [path for path in own if not _is_aside(path)] or own
        step = max(1, len(own) // _FILES)
        chosen += own[::step][: _FILES - len(chosen)]
    return chosen


def _text(root: Path, path: RelPath) -> str:
    try:
        return read(root, path).text.replace("\r\n", "\n")
    except WorkspaceError:
        return ""


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
    """A function of a readable length, from the file that has most to tell."""
    best: tuple[int, Selected] | None = None
    for path, text in texts:
        language = language_for(path)
        if language is None:
            continue
        tree = parse(text, language)
        facts = extract(tree)
        functions = [d for d in facts.definitions if d.kind in ("function", "method")]
        fit = [d for d in functions if 4 <= d.end_line - d.header_end <= 30]
        told = _ENOUGH - abs(_ENOUGH - len(functions)) + min(len(facts.imports), _ENOUGH)
        if fit and not tree.has_errors and (best is None or told > best[0]):
            middle = fit[len(fit) // 2]
            best = told, Selected(path, text, middle.name, middle.line, middle.end_line)
    return best[1] if best else None


def _is_code(language: Language) -> bool:
    return language.is_code and language.block != "none" and available(language)


def _is_aside(path: RelPath) -> bool:
    """Whether a file stands beside what the project is: its tests, examples, documents."""
    return re.search(r"test|spec\b|example|docs?/|bench|vendor|third[-_]party", path.lower()) is not None

"""Places as a person types them: `FILE`, `FILE:LINE`, `FILE:LINE:COLUMN`, `FILE:LINE-LINE`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.errors import UserError
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace.paths import RelPath, holds_home, within

_PLACE = re.compile(r"^(?P<file>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+)|:(?P<column>\d+))?)?$", re.DOTALL)
_PROJECT_FILES = (
    "pyproject.toml", "setup.py", "package.json", "go.mod", "Cargo.toml", "pom.xml", "build.gradle",
    "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "composer.json", "Gemfile", "mix.exs",
    "Package.swift", "CMakeLists.txt", "meson.build", "configure.ac", "Makefile",
)  # fmt: skip
"""What stands at the top of a project; looked for where there is no repository, as in an unpacked release."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a workspace and, if given, zero-based lines (inclusive) and a zero-based column."""

    root: Path
    path: RelPath
    first: int | None = None
    last: int | None = None
    column: int | None = None

    def lines_in(self, text: LineIndex) -> tuple[int, int]:
        """The lines meant, of a text that may be shorter than the person thought. Raises UserError."""
        first, last = self.first or 0, self.last or 0
        if first >= text.line_count:
            raise UserError(f"{self.path} ends at line {text.line_count:,}")
        return first, min(last, text.line_count - 1)


def parse(text: str, root: Path | None = None) -> Place:
    """Read a place; the workspace is `root`, else what `workspace_of` finds around the file.

    With a root the file is named from there, or from the current folder as a shell completes it.

    Raises UserError for a file that does not exist or a line below 1.
    """
    match = _PLACE.match(text)
    if match is None:
        raise UserError(f"{text!r} names no file")
    first, last, column = (int(n) if (n := match[g]) else None for g in ("first", "last", "column"))
    if 0 in (first, last, column):
        raise UserError(f"{text}: lines and columns count from 1")
    file = Path(match["file"])
    full = (root / file if root and (root / file).exists() else file).resolve()
    if full.is_dir():
        raise UserError(f"{match['file']} is a folder; name a file in it")
    if not full.is_file():
        raise UserError(f"{match['file']}: no such file")
    base = root.resolve() if root else workspace_of(full)
    path = within(base, full)
    if path is None:
        raise UserError(f"{match['file']} is not in the workspace {base}")
    if first is None:
        return Place(base, path)
    end = first if last is None else last
    return Place(base, path, min(first, end) - 1, max(first, end) - 1, None if column is None else column - 1)


def workspace(text: str) -> Path:
    """A workspace folder named on the command line. Raises UserError when it is none."""
    root = Path(text).resolve()
    if root.is_file():
        raise UserError(f"{text} is a file; name the folder it is in")
    if not root.is_dir():
        raise UserError(f"{text}: no such folder")
    if not os.access(root, os.R_OK | os.X_OK):
        raise UserError(f"{text}: no permission to read this folder")
    return root


def workspace_of(file: Path) -> Path:
    """The repository around a file, else the project, else the current folder, else its own folder."""
    for folder in file.parents:
        if (folder / ".git").exists():
            return folder
    for folder in file.parents:
        if holds_home(folder):  # whatever lies there
            break
        if any((folder / name).is_file() for name in _PROJECT_FILES):
            return folder
    here = Path.cwd()
    return here if within(here, file) and not holds_home(here) else file.parent

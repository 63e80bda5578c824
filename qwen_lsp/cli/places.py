"""Places as a person types them: `FILE`, `FILE:LINE`, `FILE:LINE:COLUMN`, `FILE:LINE-LINE`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.errors import UserError
from qwen_lsp.workspace.paths import RelPath, within

_PLACE = re.compile(r"^(?P<file>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+)|:(?P<column>\d+))?)?$")


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a workspace and, if given, zero-based lines (inclusive) and a zero-based column."""

    root: Path
    path: RelPath
    first: int | None = None
    last: int | None = None
    column: int | None = None


def parse(text: str, root: Path | None = None) -> Place:
    """Read a place; the workspace is `root`, else the repository around the file, else the current folder.

    Raises UserError for a file that does not exist or a line below 1.
    """
    match = _PLACE.match(text)
    if match is None:
        raise UserError(f"{text!r} names no file")
    first, last, column = (int(n) if (n := match[g]) else None for g in ("first", "last", "column"))
    if 0 in (first, last, column):
        raise UserError(f"{text}: lines and columns count from 1")
    file = Path(match["file"])
    full = (root / file if root and not file.is_absolute() else file).resolve()
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
    if not root.is_dir():
        raise UserError(f"{text}: no such folder")
    return root


def workspace_of(file: Path) -> Path:
    """The repository around a file, else the current folder when it holds the file, else its folder."""
    for folder in file.parents:
        if (folder / ".git").exists():
            return folder
    here = Path.cwd()
    return here if within(here, file) else file.parent

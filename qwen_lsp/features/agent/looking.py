"""The tools that look around: folders, names of files, text, symbols, references."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from qwen_lsp.errors import ToolRefused, UserError
from qwen_lsp.features.agent.toolbox import Arguments, Desk, Outcome, number_of, text_of
from qwen_lsp.index import search
from qwen_lsp.index.references import references
from qwen_lsp.syntax.outline import header, split_lines
from qwen_lsp.workspace.paths import RelPath

_MOST_ROWS = 200
_MOST_OTHERS = 40
_LONGEST_ROW = 300
_NO_TIME = "[There was no time to look at all files; there may be more.]"
_LAST_NAME = re.compile(r"[^.:#\s]+")


def list_directory(desk: Desk, arguments: Arguments) -> Outcome:
    folder = _folder(desk, arguments)
    prefix = f"{folder}/" if folder else ""
    names: dict[str, bool] = {}
    for path in desk.snapshot.paths():
        if path.startswith(prefix):
            name, slash, _ = path[len(prefix) :].partition("/")
            names[name] = names.get(name, False) or bool(slash)
    rows = [
        f"{name}/" if is_folder else name
        for name, is_folder in names.items()
        if is_folder or desk.snapshot.has(RelPath(prefix + name))
    ]
    others = _others(desk, folder, names)
    if not rows and not others:
        if desk.snapshot.has(RelPath(folder)):
            raise ToolRefused(f"{folder} is a file: read it with read_file.")
        raise ToolRefused(f"There is no folder {folder!r}. Look in one above it, or for a file with glob.")
    rows.sort(key=lambda row: (not row.endswith("/"), row))
    if others:
        more = f", and {len(others) - _MOST_OTHERS} more" if len(others) > _MOST_OTHERS else ""
        rows.append(f"[ignored, linked or not text: {', '.join(others[:_MOST_OTHERS])}{more}]")
    return Outcome(desk.snapshot, _rows(rows))


def glob(desk: Desk, arguments: Arguments) -> Outcome:
    pattern = _below(desk, arguments, text_of(arguments, "pattern"))
    found = [path for path in search.glob(desk.snapshot, pattern) if desk.gate.admits_path(path) is None]
    return Outcome(desk.snapshot, _rows(found) if found else f"No file matches {pattern}.")


def grep_search(desk: Desk, arguments: Arguments) -> Outcome:
    pattern = text_of(arguments, "pattern")
    files = text_of(arguments, "glob", "**/*")
    # Without a slash it means any depth, below a folder as at the top.
    where = _below(desk, arguments, files if "/" in files else f"**/{files}")
    limit = min(max(number_of(arguments, "limit", _MOST_ROWS), 1), _MOST_ROWS)
    try:
        matches, complete = search.grep(desk.snapshot, pattern, glob=where, limit=limit + 1)
    except UserError as error:
        raise ToolRefused(f"{error}.") from None
    rows: list[str] = []
    known: dict[RelPath, Sequence[str]] = {}
    for match in matches:
        if desk.gate.admits_path(match.path) is None:
            # The line as it is in the admitted file: alone, a line of a private key looks like any text.
            shown = _lines_shown(desk, match.path, known)
            if match.line < len(shown):
                rows.append(f"{match.path}:{match.line + 1}: {_row(shown[match.line])}")
    said = _rows(rows, limit) if rows else f"Nothing matches {pattern!r} in {where}."
    return Outcome(desk.snapshot, said if complete else f"{said}\n{_NO_TIME}")


def find_symbol(desk: Desk, arguments: Arguments) -> Outcome:
    name = text_of(arguments, "name")
    sites = desk.snapshot.definitions(name.rpartition(".")[2]) or search.symbols(desk.snapshot, name, 20)
    rows: list[str] = []
    known: dict[RelPath, Sequence[str]] = {}
    for site in sites[:_MOST_ROWS]:
        if desk.gate.admits_path(site.path) is None:
            lines = _lines_shown(desk, site.path, known)
            if site.definition.line >= len(lines):
                continue
            signature = header(lines, site.definition)
            place = f"{site.path}:{site.definition.line + 1}-{site.definition.end_line + 1}"
            rows.append(f"{place} ({site.definition.kind})\n{signature}")
    return Outcome(
        desk.snapshot, "\n".join(rows) if rows else f"No definition of {name!r} or a name like it."
    )


def find_references(desk: Desk, arguments: Arguments) -> Outcome:
    name = text_of(arguments, "name")
    rows: list[str] = []
    known: dict[RelPath, Sequence[str]] = {}
    word = _LAST_NAME.findall(name)[-1:] or [name]
    places, complete = references(desk.snapshot, word[0], _MOST_ROWS + 1)
    for path, line in places:
        if desk.gate.admits_path(path) is None:
            lines = _lines_shown(desk, path, known)
            rows.append(f"{path}:{line + 1}: {_row(lines[line]) if line < len(lines) else ''}")
    if not complete and len(places) <= _MOST_ROWS:
        rows.append(_NO_TIME)
    return Outcome(desk.snapshot, _rows(rows) if rows else f"Nothing refers to {name!r}.")


def _folder(desk: Desk, arguments: Arguments) -> str:
    """The folder that `path` names; empty for the workspace itself."""
    folder = text_of(arguments, "path").strip().rstrip("/")
    return "" if folder in ("", ".", str(desk.snapshot.root)) else desk.path(folder)


def _below(desk: Desk, arguments: Arguments, pattern: str) -> str:
    base = _folder(desk, arguments)
    pattern = pattern.removeprefix(f"{desk.snapshot.root}/")
    if not base or desk.snapshot.has(RelPath(base)):
        return base or pattern
    if not any(path.startswith(f"{base}/") for path in desk.snapshot.paths()):
        raise ToolRefused(f"Nothing below {base!r} is searched: it is not there, is ignored, or has no text.")
    return f"{base}/{pattern.lstrip('/')}"


def _others(desk: Desk, folder: str, known: Iterable[str]) -> list[str]:
    """What else is in the folder on the disk: named, so that the model knows that it is there."""
    gone = {path for path, buffer in desk.snapshot.buffers.items() if buffer.text is None}
    prefix = f"{folder}/" if folder else ""
    root = desk.snapshot.root
    try:
        if not (root / folder).resolve().is_relative_to(root.resolve()):
            return []
        with os.scandir(root / folder) as entries:
            found = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
    except OSError:
        return []
    others = sorted(name for name in found if name not in known and RelPath(prefix + name) not in gone)
    return [f"{name}/" if found[name] else name for name in others]


def _lines_shown(desk: Desk, path: RelPath, known: dict[RelPath, Sequence[str]]) -> Sequence[str]:
    """A file's lines as the model may see them; none for a file that is gone since it was indexed."""
    if path not in known:
        try:
            known[path] = split_lines(desk.shown(path))
        except ToolRefused:
            known[path] = ()
    return known[path]


def _row(line: str) -> str:
    return line.strip()[:_LONGEST_ROW]


def _rows(rows: Iterable[str], most: int = _MOST_ROWS) -> str:
    listed = list(rows)
    text = "\n".join(listed[:most])
    return text if len(listed) <= most else f"{text}\n[more than {most} rows: ask more narrowly]"

"""The tools that look: list, glob, read, search, symbols, references, outline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qwen_lsp.errors import ToolRefused, UserError
from qwen_lsp.features.agent.toolbox import Arguments, Desk, Outcome, number_of, text_of
from qwen_lsp.index import search
from qwen_lsp.index.references import references
from qwen_lsp.syntax.outline import header, split_lines
from qwen_lsp.syntax.outline import outline as outlined
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath

LONGEST_READ = 2_000
"""Lines one `read_file` returns when it does not say how many; as in Qwen Code."""
_MOST_CHARS = 40_000
_MOST_ROWS = 200


def list_directory(desk: Desk, arguments: Arguments) -> Outcome:
    folder = text_of(arguments, "path").strip().rstrip("/")
    prefix = "" if folder in ("", ".", str(desk.snapshot.root)) else f"{desk.path(folder)}/"
    names: dict[str, bool] = {}
    for path in desk.snapshot.paths():
        if path.startswith(prefix):
            name, slash, _ = path[len(prefix) :].partition("/")
            names[name] = names.get(name, False) or bool(slash)
    if not names:
        raise ToolRefused(f"There is no folder {folder!r} with files that count as source.")
    rows = [
        f"{name}/" if is_folder else name
        for name, is_folder in names.items()
        if is_folder or desk.snapshot.has(RelPath(prefix + name))
    ]
    return Outcome(desk.snapshot, _rows(sorted(rows, key=lambda row: (not row.endswith("/"), row))))


def glob(desk: Desk, arguments: Arguments) -> Outcome:
    pattern = _below(desk, arguments, text_of(arguments, "pattern"))
    found = [path for path in search.glob(desk.snapshot, pattern) if desk.gate.admits_path(path) is None]
    return Outcome(desk.snapshot, _rows(found) if found else f"No file matches {pattern}.")


def read_file(desk: Desk, arguments: Arguments) -> Outcome:
    path = desk.path(text_of(arguments, "file_path"))
    shown = LineIndex(desk.shown(path))
    lines = [shown.text[span.start : span.end] for span in _line_spans(shown)]
    first = max(0, number_of(arguments, "offset", 0))
    count = max(1, number_of(arguments, "limit", LONGEST_READ))
    if lines and first >= len(lines):
        raise ToolRefused(f"{path} has {len(lines)} lines; offset {first} is past its end.")
    taken: list[str] = []
    size = 0
    for line in lines[first : first + count]:
        size += len(line)
        if size > _MOST_CHARS and taken:
            break
        taken.append(line if len(line) <= _MOST_CHARS else line[:_MOST_CHARS] + " [line cut]\n")
    last = first + len(taken)
    body = "".join(taken) or "[the file is empty]"
    if first == 0 and last == len(lines):
        return Outcome(desk.snapshot, body, (path,))
    more = f"; go on with offset={last}" if last < len(lines) else ""
    return Outcome(desk.snapshot, f"[lines {first + 1} to {last} of {len(lines)}{more}]\n{body}", (path,))


def grep_search(desk: Desk, arguments: Arguments) -> Outcome:
    pattern = text_of(arguments, "pattern")
    where = _below(desk, arguments, text_of(arguments, "glob", "**/*"))
    try:
        matches = search.grep(desk.snapshot, pattern, glob=where, limit=_MOST_ROWS + 1)
    except UserError as error:
        raise ToolRefused(str(error)) from None
    rows: list[str] = []
    known: dict[RelPath, Sequence[str]] = {}
    for match in matches:
        if desk.gate.admits_path(match.path) is None:
            # The line as it is in the admitted file: alone, a line of a private key looks like any text.
            shown = _lines_shown(desk, match.path, known)
            if match.line < len(shown):
                rows.append(f"{match.path}:{match.line + 1}: {shown[match.line].strip()[:300]}")
    return Outcome(desk.snapshot, _rows(rows) if rows else f"Nothing matches {pattern!r} in {where}.")


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
    places, complete = references(desk.snapshot, name, _MOST_ROWS + 1)
    for path, line in places:
        if desk.gate.admits_path(path) is None:
            lines = _lines_shown(desk, path, known)
            rows.append(f"{path}:{line + 1}: {lines[line].strip()[:300] if line < len(lines) else ''}")
    if not complete and len(places) <= _MOST_ROWS:
        rows.append("There was no time to look at all files; there may be more.")
    return Outcome(desk.snapshot, _rows(rows) if rows else f"Nothing refers to {name!r}.")


def outline(desk: Desk, arguments: Arguments) -> Outcome:
    path = desk.path(text_of(arguments, "file_path"))
    text = desk.shown(path)
    facts = desk.snapshot.facts(path)
    if facts is None or not facts.definitions:
        raise ToolRefused(f"{path} has no outline; read it.")
    return Outcome(desk.snapshot, outlined(text, facts))


def todo_write(desk: Desk, arguments: Arguments) -> Outcome:
    """The list lives in the conversation itself; front ends show it from the call."""
    return Outcome(desk.snapshot, f"Noted {len(arguments['todos'])} steps.")


def _below(desk: Desk, arguments: Arguments, pattern: str) -> str:
    folder = text_of(arguments, "path").strip().rstrip("/")
    if folder in ("", ".", str(desk.snapshot.root)):
        return pattern
    base = desk.path(folder)
    return base if desk.snapshot.has(base) else f"{base}/{pattern.lstrip('/')}"


def _lines_shown(desk: Desk, path: RelPath, known: dict[RelPath, Sequence[str]]) -> Sequence[str]:
    """A file's lines as the model may see them; none for a file that is gone since it was indexed."""
    if path not in known:
        try:
            known[path] = split_lines(desk.shown(path))
        except ToolRefused:
            known[path] = ()
    return known[path]


def _line_spans(index: LineIndex) -> list[Span]:
    spans = [index.lines_span(line, line) for line in range(index.line_count)]
    return [span for span in spans if len(span)]


def _rows(rows: Iterable[str]) -> str:
    listed = list(rows)
    text = "\n".join(listed[:_MOST_ROWS])
    return text if len(listed) <= _MOST_ROWS else f"{text}\n[more than {_MOST_ROWS} rows: ask more narrowly]"

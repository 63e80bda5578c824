"""The tools that read files: one, many at once, an outline; and the list of what is still to be done."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.toolbox import Arguments, Desk, Outcome, number_of, text_of
from qwen_lsp.index import search
from qwen_lsp.syntax.outline import outline as outlined
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath

LONGEST_READ = 2_000
"""Lines one `read_file` returns when it does not say how many; as in Qwen Code."""
MOST_FILES = 40
_MOST_CHARS = 40_000
_MOST_CHARS_OF_MANY = 80_000
_SHORTEST = 500
_RANGE = re.compile(r"(.+?):(\d+)(?:-(\d+))?\Z")


def read_file(desk: Desk, arguments: Arguments) -> Outcome:
    path = desk.path(text_of(arguments, "file_path"))
    lines = _lines(desk, path)
    first = max(0, number_of(arguments, "offset", 0))
    count = max(1, number_of(arguments, "limit", LONGEST_READ))
    if lines and first >= len(lines):
        raise ToolRefused(f"{path} has {len(lines)} lines; offset {first} is past its end.")
    return Outcome(desk.snapshot, _part(lines, first, count, _MOST_CHARS), (path,))


def read_many_files(desk: Desk, arguments: Arguments) -> Outcome:
    """Whole files where they fit together; otherwise every file gets a fair share of the room."""
    asked: list[tuple[RelPath, int, int]] = []
    notes: list[str] = []
    for item in arguments["paths"]:
        try:
            asked += [part for part in _asked(desk, str(item)) if part not in asked]
        except ToolRefused as refusal:
            notes.append(str(refusal))
    if len(asked) > MOST_FILES:
        notes.append(f"{len(asked) - MOST_FILES} more files are left out: at most {MOST_FILES} at once.")
    texts: dict[tuple[RelPath, int, int], Sequence[str]] = {}
    for part in asked[:MOST_FILES]:
        try:
            texts[part] = _lines(desk, part[0])
        except ToolRefused as refusal:
            notes.append(str(refusal))
    if not texts:
        raise ToolRefused(" ".join(notes) or "read_many_files: paths is empty.")
    sizes = [sum(map(len, lines[first : first + count])) for (_, first, count), lines in texts.items()]
    shares = _shares(sizes, _MOST_CHARS_OF_MANY)
    shown = [
        f"=== {path}\n{_part(lines, first, count, share)}"
        for ((path, first, count), lines), share in zip(texts.items(), shares, strict=True)
    ]
    said = "\n".join(part.removesuffix("\n") for part in [*shown, *(f"[{note}]" for note in notes)])
    return Outcome(desk.snapshot, said, tuple(dict.fromkeys(path for path, _, _ in texts)))


def outline(desk: Desk, arguments: Arguments) -> Outcome:
    path = desk.path(text_of(arguments, "file_path"))
    text = desk.shown(path)
    facts = desk.snapshot.facts(path)
    if facts is None or not facts.definitions:
        raise ToolRefused(f"{path} has no outline; read it.")
    return Outcome(desk.snapshot, outlined(text, facts))


def todo_write(desk: Desk, arguments: Arguments) -> Outcome:
    """The list lives in the conversation itself; front ends show it from the call."""
    todos = arguments["todos"]
    return Outcome(desk.snapshot, f"Noted {len(todos)} step{'' if len(todos) == 1 else 's'}.")


def _asked(desk: Desk, item: str) -> list[tuple[RelPath, int, int]]:
    """The files of one entry, each with the lines to skip and to read: a path, `path:10-40`, or a pattern."""
    if any(sign in item for sign in "*?[") and not desk.snapshot.has(desk.path(item)):
        found = [path for path in search.glob(desk.snapshot, item) if desk.gate.admits_path(path) is None]
        if not found:
            raise ToolRefused(f"No file matches {item}.")
        return [(path, 0, LONGEST_READ) for path in found]
    ranged = _RANGE.match(item)
    if ranged and not desk.snapshot.has(desk.path(item)):
        first = max(int(ranged[2]) - 1, 0)
        last = int(ranged[3] or first + LONGEST_READ)
        return [(desk.path(ranged[1]), first, max(1, last - first))]
    return [(desk.path(item), 0, LONGEST_READ)]


def _lines(desk: Desk, path: RelPath) -> list[str]:
    """A file's lines as the model may see them, ending in LF: how the file ends them is not its concern."""
    index = LineIndex(desk.shown(path))
    spans: list[Span] = [index.lines_span(line, line) for line in range(index.line_count)]
    lines = (index.text[span.start : span.end] for span in spans if len(span))
    return [line[:-2] + "\n" if line.endswith("\r\n") else line for line in lines]


def _part(lines: Sequence[str], first: int, count: int, most: int) -> str:
    """These lines, up to so many characters; said in front where they are not all."""
    taken: list[str] = []
    size = 0
    for line in lines[first : first + count]:
        size += len(line)
        if size > most and taken:
            break
        taken.append(line if len(line) <= most else line[:most] + " [line cut]\n")
    if not taken:
        return "[the file is empty]" if not lines else f"[the file has {len(lines)} lines]"
    last = first + len(taken)
    if first == 0 and last == len(lines):
        return "".join(taken)
    more = f"; go on with offset={last}" if last < len(lines) else ""
    return f"[lines {first + 1} to {last} of {len(lines)}{more}]\n" + "".join(taken)


def _shares(sizes: Sequence[int], total: int) -> list[int]:
    """How many characters each may have: small ones all of theirs, and the others equal parts of the rest."""
    shares = [0] * len(sizes)
    left = total
    for number, at in enumerate(sorted(range(len(sizes)), key=lambda at: sizes[at])):
        shares[at] = max(min(sizes[at], left // (len(sizes) - number)), _SHORTEST)
        left = max(left - shares[at], 0)
    return shares

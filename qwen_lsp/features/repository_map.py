"""A map of a workspace within a budget of tokens: its folders, then its most central files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from qwen_lsp.context.central import Standing, central
from qwen_lsp.context.place import TYPES
from qwen_lsp.errors import WorkspaceError
from qwen_lsp.features.overview import file_comment, first_sentence, signature
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.outline import split_lines
from qwen_lsp.text.words import number
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

LEAST = 100
"""Tokens below which a map says nothing."""
_FOLDERS_SHARE = 0.2
_LINES = ((24, True), (12, True), (12, False), (6, True), (6, False), (3, False))
"""How many definitions of a file are shown, and whether those inside others are: the longest way first."""
_BLOCK_SHARE = 0.12
"""How much of the budget one file may take: a map is about many."""
_MISSES = 12
_CALLABLE = frozenset(("function", "method", "constructor", "macro"))


def repository_map(
    snapshot: Snapshot, *, budget: int, count: Callable[[str], int], gate: Gate, folder: str = ""
) -> str:
    """The map as text of at most `budget` tokens, of one folder where one is named; empty for an empty one.

    Every line that shows code has passed the gate. `count` adds up as in `context.pack.pack`.
    """
    inside = f"{folder}/" if folder else ""
    paths = [p for p in snapshot.paths() if p.startswith(inside) and gate.admits_path(p) is None]
    if not paths:
        return ""
    pieces = [f"{number(len(paths), 'file')} in {folder or 'this workspace'}.\n"]
    left = budget - count(pieces[0])
    folders = _folders(paths, inside, int(budget * _FOLDERS_SHARE), count)
    if folders:
        pieces.append(folders)
        left -= count(folders)
    known = set(paths)
    standing = [(path, at) for path, at in central(snapshot).items() if path in known]
    heading = "\nFiles of code, the most central first (line: what is defined there):\n\n"
    if standing and (left := left - count(heading)) > 0:
        pieces.append(heading)
        pieces += _blocks(snapshot, standing, left, int(budget * _BLOCK_SHARE), count, gate)
    while pieces and count("".join(pieces)) > budget:
        pieces.pop()
    return "".join(pieces)


def _folders(paths: Sequence[RelPath], inside: str, budget: int, count: Callable[[str], int]) -> str:
    """The folders two deep with how many files are below each, the fullest where not all fit."""
    below: Counter[str] = Counter()
    for path in paths:
        parts = path[len(inside) :].split("/")[:-1]
        below.update(inside + "/".join(parts[:depth]) + "/" for depth in range(1, min(len(parts), 2) + 1))
    shown = [folder for folder, _ in below.most_common()]
    while shown:
        text = "".join(f"{folder} {below[folder]}\n" for folder in sorted(shown))
        if count(text) <= budget:
            return f"\n{text}" if count(f"\n{text}") <= budget else text
        shown = shown[: len(shown) * 3 // 4]
    return ""


def _blocks(
    snapshot: Snapshot,
    standing: Sequence[tuple[RelPath, Standing]],
    room: int,
    share: int,
    count: Callable[[str], int],
    gate: Gate,
) -> Iterator[str]:
    misses = 0
    for path, at in standing:
        forms = list(_forms(snapshot, path, at, gate))
        for block in forms:
            cost = count(block)
            if cost <= min(share, room):
                room -= cost
                misses = 0
                yield block
                break
        else:
            misses += bool(forms)
            if misses == _MISSES:
                return


def _forms(snapshot: Snapshot, path: RelPath, at: Standing, gate: Gate) -> Iterator[str]:
    """Ways to show a file, the longest first: with members, with what is at the top, by its name."""
    used = f" ({number(at.users, 'user')})" if at.users else ""
    facts = snapshot.facts(path)
    if facts is not None and not facts.definitions:
        return  # passes on what others define
    try:
        lines = split_lines(gate.admit(path, snapshot.text(path)).text or "")
    except WorkspaceError:
        return
    said = first_sentence(file_comment(lines, snapshot.language(path)))
    heading = f"{path}{used}" + (f": {said}" if said else "")
    if facts is not None:
        known: list[str] = []
        for most, members in _LINES:
            block = f"{heading}\n" + "".join(_defined(lines, facts, members, most))
            if block not in known:
                known.append(block)
                yield block
    yield f"{heading}\n"
    yield f"{path}{used}\n"


def _defined(lines: Sequence[str], facts: FileFacts, members: bool, most: int) -> list[str]:
    """Definitions, a line each, in the order of the file; what is at the top goes before what is inside."""
    top = [i for i, d in enumerate(facts.definitions) if d.parent < 0 and d.kind in (_CALLABLE | TYPES)]
    inner = [
        i
        for i, d in enumerate(facts.definitions)
        if d.parent in top and d.kind in _CALLABLE and (d.kind == "constructor" or not d.name.startswith("_"))
    ]
    public = [i for i in top if not facts.definitions[i].name.startswith("_")]
    chosen = (public or top)[:most]
    if members:
        chosen += inner[: most - len(chosen)]
    shown: list[str] = []
    for i in sorted(chosen):
        definition = facts.definitions[i]
        if definition.name_line < len(lines):  # the file may have become shorter since it was indexed
            indent = "  " if i in inner else ""
            shown.append(f"{definition.name_line + 1}: {indent}{signature(lines, definition)}\n")
    return shown

"""Whether a change brought syntax errors, told with the line before the model goes on."""

from __future__ import annotations

import ast
import json
import tomllib
import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.parse import SyntaxTree, errors
from qwen_lsp.text.edits import common_ends
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath

_LONGEST = 1_000_000
_SHOWN = 200


class Fault(NamedTuple):
    """An error: its 1-based line, and what is said about it, if anything."""

    line: int
    message: str


def fault(before: Snapshot, after: Snapshot, path: RelPath) -> Fault | None:
    """The first syntax error of a file in `after` that it did not have in `before`."""
    new = after.text(path)
    old = before.text(path) if before.has(path) else ""
    if len(new) > _LONGEST:
        return None
    exact = _EXACT.get(path.rpartition(".")[2].lower())
    if exact is not None and (told := exact(new)) is not None and exact(old) is None:
        return told
    language = after.language(path)
    if language is None or not language.is_code:
        return None
    there, here = before.tree(path) if before.has(path) else None, after.tree(path)
    return None if here is None else _added(there, here, old, new)


def sentence(found: Fault | None, shown: str) -> str:
    """The fault for the model, quoted from what it may see of the file; empty when there is none."""
    if found is None:
        return ""
    index = LineIndex(shown)
    quoted = index.line_text(min(found.line - 1, index.line_count - 1)).strip()[:_SHOWN]
    why = f" ({found.message})" if found.message else ""
    return f" WARNING: this adds a syntax error near line {found.line}: {quoted!r}{why}. Fix it."


def _added(there: SyntaxTree | None, here: SyntaxTree, old: str, new: str) -> Fault | None:
    """Errors are told apart by their place: grammars have some of their own that were there before."""
    found, known = errors(here), errors(there) if there is not None else ()
    if not found:
        return None
    head, tail = common_ends(old, new)
    changed = Span(head, len(new) - tail)
    inside = [span for span in found if span.touches(changed)]
    were_inside = [span for span in known if span.touches(Span(head, len(old) - tail))]
    if len(inside) <= len(were_inside) and len(found) <= len(known):
        return None
    kept = {span.start for span in known if span.end < head}
    kept |= {span.start + len(new) - len(old) for span in known if span.start > len(old) - tail}
    fresh = inside or [span for span in found if span.start not in kept] or list(found)
    start = max(fresh[0].start, head) if fresh[0].touches(changed) else fresh[0].start
    return Fault(LineIndex(new).line_at(min(start, fresh[0].end)) + 1, "")


def _indentation(text: str) -> Fault | None:
    """Python's own word on indentation, which its grammar here lets pass."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except IndentationError as error:
        return Fault(error.lineno or 1, error.msg)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return None


def _json(text: str) -> Fault | None:
    try:
        json.loads(text or "null")
    except json.JSONDecodeError as error:
        return None if "//" in text or "/*" in text else Fault(error.lineno, error.msg)
    except RecursionError:
        return None
    return None


def _toml(text: str) -> Fault | None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at line ")
        line = place.partition(",")[0]
        return Fault(int(line) if line.isdigit() else text.count("\n") + 1, message)
    except RecursionError:
        return None
    return None


_EXACT: Mapping[str, Callable[[str], Fault | None]] = {
    "py": _indentation,
    "pyi": _indentation,
    "json": _json,
    "toml": _toml,
}

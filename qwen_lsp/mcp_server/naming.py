"""What a call names: files, lines of them, and which of several workspaces they are in."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.toolbox import Desk
from qwen_lsp.session import Session
from qwen_lsp.workspace.paths import RelPath, within

_LINES = re.compile(r"(.+?):(\d+)(?:[-:](\d+))?\Z", re.DOTALL)
_PATHS = frozenset({"file_path", "path", "place", "move_to"})


def place_of(desk: Desk, text: str) -> tuple[RelPath, int | None, int | None]:
    """A file as `a.py`, `a.py:10` or `a.py:10-40`: its path and zero-based lines, the last one inclusive.

    Raises ToolRefused for a file that cannot be read, or a first line that it does not have.
    """
    match = _LINES.match(text)
    if match is None or desk.snapshot.has(desk.path(text)):
        path = desk.path(text)
        desk.text(path)
        return path, None, None
    path = desk.path(match[1])
    desk.text(path)
    count = desk.snapshot.lines(path).line_count
    first = max(int(match[2]), 1) - 1
    if first >= count:
        raise ToolRefused(f"{path} ends at line {count}.")
    return path, first, min(max(int(match[3] or match[2]) - 1, first), count - 1)


def session_of(sessions: Sequence[Session], named: Sequence[str]) -> Session:
    """The one workspace that paths are in. Raises ToolRefused where they are in several."""
    meant = {next((session for session in sessions if _is_in(session, name)), sessions[0]) for name in named}
    if len(meant) > 1:
        roots = ", ".join(sorted(str(session.root) for session in meant))
        raise ToolRefused(f"These files are in different workspaces ({roots}). Make one call for each.")
    return meant.pop() if meant else sessions[0]


def _is_in(session: Session, name: str) -> bool:
    place = session.root / (match[1] if (match := _LINES.match(name)) else name)
    return within(session.root, place) is not None and (name.startswith("/") or place.exists())


def real(value: Any, roots: Sequence[Path], key: str = "") -> Any:
    """Arguments with absolute paths as the workspaces have them, where a client goes by a link to one."""
    if isinstance(value, str) and key in _PATHS:
        return _real(value, roots)
    if isinstance(value, Mapping):
        return {name: real(one, roots, name) for name, one in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [real(one, roots, key) for one in cast("list[Any]", value)]
    return value


def _real(text: str, roots: Sequence[Path]) -> str:
    path = Path(text)
    if not path.is_absolute() or "\0" in text:
        return text
    # The file itself may be a link, which is nobody's to follow.
    for found in (path, Path(os.path.realpath(path.parent)) / path.name, Path(os.path.realpath(path))):
        if any(found == root or within(root, found) for root in roots):
            return str(found)
    return text

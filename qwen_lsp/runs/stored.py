"""Runs as they were written down: which there are, and one with all that it takes to go on with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, cast

from qwen_lsp.errors import UserError
from qwen_lsp.index.turns import Turn
from qwen_lsp.model.messages import Message, ToolCall
from qwen_lsp.runs.record import (
    EVENTS,
    MESSAGES,
    META,
    NAME,
    WORK,
    Fate,
    Meta,
    folder_of,
    json_lines,
    runs_folder,
)
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run as a list shows it."""

    meta: Meta
    running: bool
    """Whether somebody is at it right now."""

    @property
    def run(self) -> str:
        return self.meta.run

    @property
    def resumable(self) -> bool:
        """Whether it stopped before it was done."""
        return not self.running and self.meta.ended != "done"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as far as it was written down."""

    info: RunInfo
    messages: tuple[Message, ...]
    """The history as it stands: shortened where the run has shortened it."""
    edits: tuple[FileEdit, ...]
    """What its fork changes, against the files as they were when it began."""
    seen: Mapping[RelPath, str]
    """Files the model was shown last, with the digest of each as it was."""
    fates: tuple[tuple[Fate, tuple[str, ...]], ...] = ()
    """What became of its changes since, and of which files, as far as the model does not know it yet."""
    undone: tuple[str, ...] = ()
    """Files whose changes were taken back after they had landed, and are among `edits` nevertheless."""

    @property
    def done(self) -> bool:
        """Whether it came to its own end."""
        return self.info.meta.ended == "done"

    def events(self) -> Iterator[dict[str, Any]]:
        """What happened, in order, as `events.as_json` gives it, with `at` in seconds since the epoch."""
        return json_lines(folder_of(self.info.run) / EVENTS)


def infos(root: Path | None = None) -> list[RunInfo]:
    """The runs of a workspace, or of all, the latest first."""
    try:
        names = sorted((p.name for p in runs_folder().iterdir() if NAME.fullmatch(p.name)), reverse=True)
    except OSError:
        return []
    found = (_info(name) for name in names)
    return [info for info in found if info is not None and (root is None or info.meta.root == str(root))]


def resumable(root: Path) -> list[RunInfo]:
    """The runs of a workspace that stopped before they were done, the latest first."""
    return [info for info in infos(root) if info.resumable]


def load(run: str) -> StoredRun:
    """A run with its messages and edits. Raises UserError where there is none of this name."""
    info = _info(run)
    if info is None:
        raise UserError(f"There is no run {run}; `qwen-lsp agent runs` shows those there are.")
    folder = folder_of(run)
    messages: list[Message] = []
    for line in json_lines(folder / MESSAGES):
        if "history" in line:
            messages = [_message(row) for row in line["history"]]
        else:
            messages.append(_message(line))
    edits: dict[str, FileEdit] = {}
    seen: dict[RelPath, str] = {}
    fates: list[tuple[Fate, tuple[str, ...]]] = []
    undone: set[str] = set()
    for line in json_lines(folder / WORK):
        if line.get("settled"):
            if line.get("others", True):
                edits.clear()
            undone.clear()
            fates.append((line["settled"], tuple(line["files"])))
        if line.get("told"):
            fates.clear()
        undone.update(line.get("undone", ()))
        undone.difference_update(line.get("landed", ()))
        for path, row in cast("dict[str, Any]", line["changed"]).items():
            undone.discard(path)
            edits.pop(path, None)
            if row is not None:
                edits[path] = _made(FileEdit, row)
        seen.update(cast("dict[RelPath, str]", line["seen"]))
    made = tuple(edits[path] for path in sorted(edits))
    return StoredRun(info, tuple(messages), made, seen, tuple(fates), tuple(sorted(undone)))


def _info(run: str) -> RunInfo | None:
    folder = folder_of(run)
    try:
        row = json.loads((folder / META).read_text(encoding="utf-8"))
        meta = _made(Meta, row | {"tools": tuple(row["tools"]), "files": tuple(row.get("files", ()))})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    turn = Turn(folder / "run")
    running = not turn.take()
    turn.give_back()
    return RunInfo(meta, running)


def _message(row: Mapping[str, Any]) -> Message:
    calls = tuple(_made(ToolCall, call) for call in row.get("tool_calls", ()))
    lists = {name: tuple(row.get(name, ())) for name in ("marks", "joints")}
    return _made(Message, {**row, **lists, "tool_calls": calls})


def _made(kind: type[_Row], row: Mapping[str, Any]) -> _Row:
    """The value that was written down; a field that this version does not know is left out."""
    known = {field.name for field in fields(cast("Any", kind))}
    return kind(**{name: value for name, value in row.items() if name in known})

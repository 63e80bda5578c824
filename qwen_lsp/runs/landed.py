"""What of a run has landed and how, kept in the run's folder so that it can be taken back.

Each landing is a line, with the texts of every file before and after; so is each time it was taken back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from qwen_lsp.errors import UserError
from qwen_lsp.runs.record import folder_of, json_lines, note_fate
from qwen_lsp.text.edits import FileEdit

LANDED = "landed.jsonl"

Way = Literal["editor", "disk"]
"""Whether an editor changed a text, which may be open and unsaved, or the file was written."""


@dataclass(frozen=True, slots=True)
class LandedEdit:
    """One file as it was and as it was made."""

    edit: FileEdit
    way: Way


@dataclass(frozen=True, slots=True)
class Step:
    """One landing."""

    at: str
    """UTC, ISO 8601."""
    files: tuple[LandedEdit, ...]
    journal: str = ""
    """The journal that takes back what was written to disk; empty when an editor did everything."""


def note(run: str, files: Sequence[LandedEdit], journal: str = "") -> None:
    """Keep what has landed of a run. Raises OSError where the state folder takes nothing."""
    rows = [{"way": file.way, "edit": asdict(file.edit)} for file in files]
    _line(run, {"landed": rows, "journal": journal})
    note_fate(run, "landed", _names(files))


def note_undone(run: str, kept: int = 0) -> None:
    """Keep that all of it was taken back, but for the `kept` earliest landings that were not."""
    gone = [file for step in steps(run)[kept:] for file in step.files]
    _line(run, {"undone": True, "kept": kept})
    note_fate(run, "undone", _names(gone))


def steps(run: str) -> list[Step]:
    """The landings of a run that were not taken back, the earliest first. Raises UserError for no name."""
    found: list[Step] = []
    for row in json_lines(folder_of(run) / LANDED):
        if row.get("undone"):
            del found[int(row.get("kept", 0)) :]
        elif isinstance(row.get("landed"), list):
            files = tuple(LandedEdit(FileEdit(**r["edit"]), r["way"]) for r in row["landed"])
            found.append(Step(str(row.get("at", "")), files, str(row.get("journal", ""))))
    return found


def latest(runs: Sequence[str]) -> str:
    """The run of these that landed last. Raises UserError when nothing of them is there to take back."""
    landed = [(found[-1].at, run) for run in runs if (found := steps(run))]
    if not landed:
        raise UserError("there is nothing to take back in this workspace")
    return max(landed)[1]


def composed(landings: Sequence[Step], way: Way) -> list[FileEdit]:
    """What the landings of one kind did together: each file from its first text to its last."""
    whole: dict[str, FileEdit] = {}
    for step in landings:
        for file in step.files:
            if file.way != way:
                continue
            edit = file.edit
            earlier = whole.pop(edit.moved_from or edit.path, None)
            if earlier is not None:
                edit = _joined(earlier, edit)
            if edit is not None:
                whole[edit.path] = edit
    return list(whole.values())


def _names(files: Sequence[LandedEdit]) -> set[str]:
    """The files; of a moved one both names."""
    return {name for file in files for name in (file.edit.path, file.edit.moved_from) if name is not None}


def _joined(first: FileEdit, then: FileEdit) -> FileEdit | None:
    """Two edits of one file as one; None where they come to nothing."""
    origin = first.moved_from or (first.path if then.moved_from and first.before is not None else None)
    if first.before is None and then.after is None:
        return None
    if origin == then.path:
        origin = None
    executable = _rights(first, then)
    if origin is None and first.before == then.after and executable is None:
        return None
    return FileEdit(then.path, first.before, then.after, origin, then.why, executable)


def _rights(first: FileEdit, then: FileEdit) -> bool | None:
    """What two edits of one file do to the right to run it, as one edit says it."""
    if then.executable is None or first.executable is None or first.before is None:
        return first.executable if then.executable is None else then.executable
    if then.after is None:  # a deletion says what it was at first
        return not first.executable
    return then.executable if then.executable == first.executable else None


def _line(run: str, row: Mapping[str, Any]) -> None:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    path = folder_of(run) / LANDED
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
        # A leading line break ends what a killed process left torn.
        out.write("\n" + json.dumps({"at": now, **row}) + "\n")

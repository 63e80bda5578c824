"""What `apply_edits` does: edits of many files, tried on a fork and then written, all of them or none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent import writing
from qwen_lsp.features.agent.toolbox import Desk, Outcome, Run
from qwen_lsp.index.build import refresh
from qwen_lsp.runs.landing import land, paths_of
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit, unified
from qwen_lsp.text.words import number
from qwen_lsp.workspace.guard import guarded
from qwen_lsp.workspace.paths import RelPath, protection, touchy

LABEL = "apply_edits"
_Step = tuple[Run, Mapping[str, Any]]


async def applied(session: Session, edits: Sequence[Mapping[str, Any]], *, dry_run: bool) -> str:
    """What happened to each file, in the words of the agent's tools. Raises QwenLspError; nothing is written.

    Once the write has begun a cancelled call waits until it is over.
    """
    if session.settings.agent.mode == "plan" and not dry_run:
        raise ToolRefused(
            "The user's settings let nothing be changed (agent.mode is plan). dry_run shows what would be."
        )
    steps = [_step(number, one) for number, one in enumerate(edits, 1)]
    if not steps:
        raise ToolRefused("apply_edits: edits is empty.")
    desk = Desk(session.snapshot, session.gate)
    named = {desk.path(text) for _, one in steps for key, text in one.items() if key in _PATHS}
    await refresh(session.store, named)  # as the disk has them now
    desk = replace(desk, snapshot=session.snapshot)
    outcome, changed = await asyncio.to_thread(_tried, desk, steps)
    if not changed:
        return f"Nothing to write: the files are like this already.\n{outcome.text}"
    if dry_run:
        shown = await asyncio.to_thread(_diff, desk, changed)
        return f"Not written (dry_run). It would be:\n{outcome.text}\n\n{shown}"
    landed = await land(session, changed, label=LABEL)
    if not landed.edits:
        return f"Nothing to write: the files are like this already.\n{outcome.text}"
    files = number(len(landed.edits), "file")
    return f"Written, {files}. `qwen-lsp agent undo` takes it back.\n{outcome.text}"


_PATHS = frozenset({"file_path", "source_path", "target_path"})


def _step(number: int, one: Mapping[str, Any]) -> _Step:
    """One entry as a call of one of the agent's editing tools. Raises ToolRefused."""
    where = f"apply_edits: edits[{number}] ({one['file_path']})"
    ways = [
        way for way in ("old_string", "content", "move_to", "delete") if one.get(way) not in (None, False)
    ]
    if len(ways) != 1:
        raise ToolRefused(
            f"{where} must have exactly one of: old_string with new_string, content, move_to, delete; it has "
            f"{', '.join(ways) or 'none'}. Do several things to a file with several entries."
        )
    if "new_string" in one and ways != ["old_string"]:
        raise ToolRefused(f"{where} has new_string and no old_string.")
    path = one["file_path"]
    match ways[0]:
        case "old_string":
            if "new_string" not in one:
                raise ToolRefused(f"{where} has old_string and no new_string.")
            return writing.edit, one
        case "content":
            return writing.write_file, {"file_path": path, "content": one["content"]}
        case "move_to":
            return writing.move_file, {"source_path": path, "target_path": one["move_to"]}
        case _:
            return writing.delete_file, {"file_path": path}


def _tried(desk: Desk, steps: Sequence[_Step]) -> tuple[Outcome, list[FileEdit]]:
    """The edits on a fork. Raises ToolRefused for what may not be written, EditRejected for what fails."""
    outcome = writing.in_one(desk, steps)
    changed = outcome.snapshot.changes_since(desk.snapshot)
    guards = guarded(desk.snapshot.root)
    refused = [said for path in sorted(paths_of(changed)) if (said := _refusal(path, guards))]
    if refused:
        raise ToolRefused("\n".join(["Nothing was written.", *refused]))
    return outcome, changed


def _refusal(path: RelPath, guards: Sequence[RelPath]) -> str | None:
    if reason := protection(path, guards):
        return f"{path} may not be changed by tools: {reason}."
    if reason := touchy(path):
        return f"{path} may not be changed by apply_edits: {reason}. Leave it to the user, or ask them."
    return None


def _diff(desk: Desk, changed: Sequence[FileEdit]) -> str:
    """The change as a model may see it."""
    return "".join(unified(_admitted(desk, edit)) for edit in changed)


def _admitted(desk: Desk, edit: FileEdit) -> FileEdit:
    def shown(text: str | None) -> str | None:
        return None if text is None else desk.gate.admit(RelPath(edit.path), text).text or ""

    return replace(edit, before=shown(edit.before), after=shown(edit.after))

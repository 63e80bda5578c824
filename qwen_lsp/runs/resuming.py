"""Going on with a run that stopped: its fork on the files as they are now, and what to tell the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qwen_lsp.errors import ConflictError, WorkspaceError
from qwen_lsp.features.agent.toolbox import digest
from qwen_lsp.features.prompting import prompt
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import Message, ToolCall
from qwen_lsp.runs.record import Fate
from qwen_lsp.runs.stored import StoredRun
from qwen_lsp.text.edits import FileEdit, rebase
from qwen_lsp.text.words import listed
from qwen_lsp.workspace.paths import RelPath

_LISTED = 40
_LOST = (
    "Your changes to these files are lost, because the user changed the same places: read them again and "
    "make the changes anew where they are still wanted"
)
_FATES: Mapping[Fate, str] = {
    "landed": "The user accepted your changes of these files; the workspace has them now",
    "refused": "The user did not accept your changes of these files; they are as the user has them",
    "undone": "The user took your changes of these files back; they are as they were before",
}
_UNANSWERED = "The run was stopped before this call was answered. Whether it did anything is told below."


@dataclass(frozen=True, slots=True)
class Resumed:
    """A fork that holds again what the run had changed."""

    fork: Snapshot
    merged: tuple[RelPath, ...] = ()
    """Files that the user changed meanwhile too, elsewhere in them."""
    conflicts: tuple[RelPath, ...] = ()
    """Files that the user changed meanwhile in the same places: they are as the user has them."""
    outdated: tuple[RelPath, ...] = ()
    """Files that the model was shown and that are different now."""


def resumed(stored: StoredRun, current: Snapshot) -> Resumed:
    """What the run had changed, done to the files as they are now. Reads them: for a thread."""
    fork = current
    merged: list[RelPath] = []
    conflicts: list[RelPath] = []
    for edit in stored.edits:
        path = RelPath(edit.path)
        now = _text(current, path)
        if now != edit.after:
            try:
                after = _rebased(edit, now)
            except ConflictError:
                conflicts.append(path)
                continue
            fork = fork.edited(path, after)
            if now != edit.before:
                merged.append(path)
        if edit.executable is not None and fork.has(path):
            fork = fork.moded(path, edit.executable)
    edited = {RelPath(edit.path) for edit in stored.edits}
    outdated = [
        path
        for path, known in stored.seen.items()
        if path not in edited and known != digest(_text(current, path) or "")
    ]
    return Resumed(fork, tuple(merged), tuple(conflicts), tuple(outdated))


def _rebased(edit: FileEdit, now: str | None) -> str | None:
    if now == edit.before:
        return edit.after
    if now is None or edit.before is None or edit.after is None:
        raise ConflictError(f"{edit.path} was created, changed or deleted meanwhile")
    return rebase(edit.before, edit.after, now)


def _text(snapshot: Snapshot, path: RelPath) -> str | None:
    try:
        return snapshot.text(path) if snapshot.has(path) else None
    except WorkspaceError:
        return None


def going_on(
    messages: Sequence[Message],
    found: Resumed,
    more: str,
    facts: Sequence[str],
    *,
    done: bool = False,
    fates: Sequence[tuple[Fate, Sequence[str]]] = (),
) -> tuple[Message, ...]:
    """What is said behind the stored messages, so that the next request extends the last one.

    `done`: the run had come to its end and is told more. `fates`: what became of its changes since.
    """
    said = [
        Message("tool", _UNANSWERED, tool_call_id=call.id, name=call.name) for call in _unanswered(messages)
    ]
    changes = _fates(fates) + _changes(found)
    if not (said or changes or more) and messages[-1].role in ("user", "tool"):
        return ()
    note = prompt(
        "agent_resumed",
        why="" if done else "The run was stopped here and goes on now.\n\n",
        changes=changes,
        more=f"The user says:\n\n{more}\n\n" if more else "",
        facts="\n".join(f"- {fact}" for fact in facts),
    )
    return (*said, Message("user", note))


def _unanswered(messages: Sequence[Message]) -> list[ToolCall]:
    """The calls of the last reply that have no result."""
    answered: set[str] = set()
    for message in reversed(messages):
        if message.role == "assistant":
            return [call for call in message.tool_calls if call.id not in answered]
        answered.add(message.tool_call_id)
    return []


def _fates(fates: Sequence[tuple[Fate, Sequence[str]]]) -> str:
    return "".join(f"{_FATES[fate]}: {listed(files, _LISTED)}.\n\n" for fate, files in fates)


def _changes(found: Resumed) -> str:
    parts = (
        (_LOST, found.conflicts),
        ("The user changed these files too; your changes are merged into them", found.merged),
        ("These files are not as you saw them; read them before you rely on them", found.outdated),
    )
    return "".join(f"{told}: {listed(paths, _LISTED)}.\n\n" for told, paths in parts if paths)

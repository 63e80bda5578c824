"""The events of a run as updates of the protocol, live or told again from the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from acp import schema

from qwen_lsp.acp_server.diffs import Content, of_diff
from qwen_lsp.acp_server.line import Update, message, said_by_user, shown
from qwen_lsp.context.visible import seen, seen_name
from qwen_lsp.errors import OutsideWorkspace
from qwen_lsp.features.agent.events import (
    AgentEvent,
    Began,
    Called,
    Changed,
    Compacted,
    Noted,
    Observed,
    Planned,
    Printed,
    Said,
    Stopped,
    Turned,
)
from qwen_lsp.features.markdown import SafeMarkdown, code_span, fenced
from qwen_lsp.runs.words import about, shortened
from qwen_lsp.workspace.paths import inside

_TITLES: Mapping[str, tuple[schema.ToolKind, str]] = {
    "list_directory": ("read", "List"), "read_file": ("read", "Read"), "read_many_files": ("read", "Read"),
    "outline": ("read", "Outline of"), "glob": ("search", "Find files"), "grep_search": ("search", "Search"),
    "find_symbol": ("search", "Find definitions of"), "find_references": ("search", "Find uses of"),
    "edit": ("edit", "Edit"), "edit_files": ("edit", "Make"), "write_file": ("edit", "Write"),
    "move_file": ("move", "Move"), "delete_file": ("delete", "Delete"),
    "run_shell_command": ("execute", ""), "run_checks": ("execute", "Run the checks"),
    "ask_user": ("other", "Ask"),
}  # fmt: skip
_MOST_SHOWN = 6_000
"""Characters of what a call answered or printed that the client gets."""
_STEP: Mapping[str, schema.PlanEntryStatus] = {"in_progress": "in_progress", "completed": "completed"}


class Telling:
    """Events as updates. Keeps what of the calls under way has been told."""

    def __init__(self, root: Path, window: int = 0) -> None:
        self._root = root
        self._window = window
        """The model's, in tokens; 0: not known, so nothing is told of it."""
        self._words = SafeMarkdown()
        self._printed: dict[str, str] = {}
        self._open: dict[str, str] = {}
        """Calls that are not over, with their tools."""
        self._diffs: set[str] = set()

    @property
    def asking(self) -> tuple[str, schema.ToolKind]:
        """The call under way that may have to be asked for, and its kind; empty where there is none."""
        for id, tool in reversed(self._open.items()):
            if (kind := kind_of(tool)) not in ("read", "search"):
                return id, kind
        return "", "other"

    def of(self, event: AgentEvent) -> list[Update]:
        """What to send for an event, in order."""
        match event:
            case Said():
                text = self._words.feed(event.text)
                return [message(text)] if text else []
            case Turned():
                return [*self._ended(), *self._usage(event)]
            case Called() if event.tool != "todo_write":
                self._open[event.id] = event.tool
                return [self._called(event)]
            case Printed():
                text = self._printed[event.id] = (self._printed.get(event.id, "") + event.text)[-_MOST_SHOWN:]
                return [progress(event.id, content=[shown(fenced(text))])]
            case Observed() if event.id in self._open:
                return [self._observed(event)]
            case Changed():
                content, locations = of_diff(self._root, event.diff)
                return [progress(event.id, content=content, locations=locations)] if content else []
            case Planned():
                return [plan(event.todos)]
            case Compacted():
                return [*self._ended(), note(shortened(event))]
            case Noted():
                return [*self._ended(), note(event.text)]
            case Stopped():
                return self._stopped(event)
            case _:
                return []

    def again(self, event: AgentEvent) -> list[Update]:
        """The same for an event of an earlier turn, with what the user said in it."""
        if isinstance(event, Began):
            said = event.more if event.resumed else event.task
            return [*self._given_up(), said_by_user(said)] if said else self._given_up()
        return self.of(event)

    def _ended(self) -> list[Update]:
        """The rest of the words so far, and what parts them from the next ones."""
        rest, self._words = self._words.finish(), SafeMarkdown()
        return [message(f"{rest}\n\n")] if rest else []

    def _usage(self, event: Turned) -> list[Update]:
        if not self._window:
            return []
        used = event.usage.prompt + event.usage.completion
        return [schema.UsageUpdate(session_update="usage_update", used=used, size=self._window)]

    def _called(self, event: Called) -> Update:
        kind = kind_of(event.tool)
        # A file's whole new text is told by its diff.
        raw = None if kind == "edit" else event.arguments
        return schema.ToolCallStart(
            session_update="tool_call",
            tool_call_id=event.id,
            title=title(event.tool, event.arguments),
            kind=kind,
            status="in_progress",
            locations=self._locations(event.arguments) or None,
            raw_input=raw,
        )

    def _observed(self, event: Observed) -> Update:
        tool = self._open.pop(event.id)
        self._printed.pop(event.id, None)
        status: schema.ToolCallStatus = "completed" if event.ok else "failed"
        if event.ok and kind_of(tool) in ("edit", "move", "delete"):
            return progress(event.id, status=status)  # with the change, which comes next
        text = event.text if len(event.text) <= _MOST_SHOWN else f"{event.text[:_MOST_SHOWN]}\n…"
        return progress(event.id, status=status, content=[shown(fenced(seen(text)))])

    def _stopped(self, event: Stopped) -> list[Update]:
        told = [*self._ended(), *self._given_up()]
        return told if event.ended in ("done", "cancelled", "endpoint") else [*told, note(event.reason)]

    def _given_up(self) -> list[Update]:
        """Calls that will not be over any more."""
        left, self._open = list(self._open), {}
        return [progress(id, status="failed") for id in left]

    def _locations(self, arguments: Mapping[str, Any]) -> list[schema.ToolCallLocation]:
        found: list[schema.ToolCallLocation] = []
        for key in ("file_path", "source_path", "target_path"):
            try:
                path = inside(self._root, str(arguments[key])) if arguments.get(key) else None
            except OutsideWorkspace:
                continue
            if path is not None:
                offset = arguments.get("offset")
                line = offset + 1 if isinstance(offset, int) else None
                found.append(schema.ToolCallLocation(path=str(self._root / path), line=line))
        return found


def kind_of(tool: str) -> schema.ToolKind:
    return _TITLES.get(tool, ("other", ""))[0]


def title(tool: str, arguments: Mapping[str, Any]) -> str:
    """A call in a line, as Markdown."""
    kind, verb = _TITLES.get(tool, ("other", tool))
    what = about(tool, arguments)
    if not what:
        return verb
    named = what if tool == "edit_files" or kind == "other" else code_span(seen_name(what))
    return f"{verb} {named}".strip()


def plan(steps: Sequence[tuple[str, str]]) -> schema.AgentPlanUpdate:
    """The model's list; what it does not call done or under way is still to do."""
    entries = [
        schema.PlanEntry(content=seen_name(text), priority="medium", status=_STEP.get(status, "pending"))
        for text, status in steps
    ]
    return schema.AgentPlanUpdate(session_update="plan", entries=entries)


def note(text: str) -> schema.AgentMessageChunk:
    """A sentence beside the work, apart from the model's words."""
    return message(f"\n\n> {seen_name(text)}\n\n")


def begun(call: schema.ToolCallUpdate) -> schema.ToolCallStart:
    """The first update of a call, from what a question about it shows: clients differ in where they look."""
    given = call.model_dump(exclude_unset=True)
    return schema.ToolCallStart.model_validate({**given, "session_update": "tool_call"})


def progress(
    id: str,
    *,
    status: schema.ToolCallStatus | None = None,
    content: Sequence[Content] | None = None,
    locations: Sequence[schema.ToolCallLocation] | None = None,
) -> schema.ToolCallProgress:
    """What became of a call; only what is given changes."""
    update = schema.ToolCallProgress(session_update="tool_call_update", tool_call_id=id)
    if status is not None:
        update.status = status
    if content is not None:
        update.content = list(content)
    if locations is not None:
        update.locations = list(locations)
    return update

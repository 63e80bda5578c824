"""What a run tells while it works: every event for a client that asked for them, one line for the others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from qwen_lsp.errors import QwenLspError
from qwen_lsp.server.host import Server
from qwen_lsp.workspace.paths import inside

if TYPE_CHECKING:
    from qwen_lsp.features.agent.events import AgentEvent, Called, Printed, Said
    from qwen_lsp.server.agent_work import Work
    from qwen_lsp.server.progress import Progress
    from qwen_lsp.session import Session

EVENT = "qwen/agentEvent"
"""Notification with one event of a run that was begun with a `stream` token."""

_GATHERED = 0.05  # seconds of text that go into one notification
_MOST_SHOWN = 60
_OWN = frozenset(
    {
        "read_file", "list_directory", "glob", "grep_search", "find_symbol", "find_references", "outline",
        "edit", "edit_files", "write_file", "move_file", "delete_file", "run_checks", "ask_user",
    }
)  # fmt: skip
"""Tools whose arguments say what they are about in a line."""
_FILE_ARGUMENTS = ("file_path", "path", "source_path", "target_path")


class Telling:
    """The events of one run on their way to the client, in order; text comes in larger pieces."""

    def __init__(
        self, ls: Server, session: Session, token: int | str | None, bar: Progress, work: Work
    ) -> None:
        from qwen_lsp.model.messages import Usage

        self.run = ""
        self.used = Usage()
        """Tokens of the run so far, from before it was resumed too."""
        self._work = work
        self._ls = ls
        self._session = session
        self._token = token
        self._bar = bar
        self._turn = 0
        self._writing = False
        self._gathered: Said | Printed | None = None
        self._timer: asyncio.TimerHandle | None = None

    def told(self, event: AgentEvent) -> None:
        """Something happened."""
        from qwen_lsp.features.agent.events import Began, Printed, Said, Turned

        if isinstance(event, Began):
            self.run = self._work.run = event.run
        elif isinstance(event, Turned):
            self._turn = event.turn
            self.used += event.usage
        if line := self._line(event):
            self._bar.report(line)
        if self._token is None:
            return
        if isinstance(event, Said | Printed):
            self._gather(event)
        else:
            self.flush()
            self._send(event)

    def flush(self) -> None:
        """Send the text that waits for more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gathered is not None:
            event, self._gathered = self._gathered, None
            self._send(event)

    def _gather(self, event: Said | Printed) -> None:
        waiting = self._gathered
        if waiting is not None and _goes_on(waiting, event):
            self._gathered = replace(waiting, text=waiting.text + event.text)
            return
        self.flush()
        self._gathered = event
        self._timer = asyncio.get_running_loop().call_later(_GATHERED, self.flush)

    def _send(self, event: AgentEvent) -> None:
        from qwen_lsp.features.agent.events import Called, Turned, as_json
        from qwen_lsp.runs import lines
        from qwen_lsp.runs.words import about, facts, spent

        told, scrub = as_json(event), self._ls.rpc.scrub
        told["lines"] = lines.as_json(lines.lines(event), scrub)
        told["spoken"], told["doing"] = scrub(lines.spoken(event)), lines.doing(event)
        if isinstance(event, Called):
            told["about"] = scrub(about(event.tool, event.arguments))
        if isinstance(event, Turned):
            told["doing"] += f", {spent(self.used, event.cost)}"
            told["facts"] = facts(event.turn, self.used, event.cost)
        if uris := self._uris(told):
            told["uris"] = uris
        self._ls.rpc.notify_raw(EVENT, {"token": self._token, "run": self.run, "event": told})

    def _uris(self, told: Mapping[str, Any]) -> dict[str, str]:
        """The files that an event names, each with its URI."""
        named = [str(path) for path in told.get("paths") or ()]
        arguments = cast("Mapping[str, Any]", told.get("arguments") or {})
        named += [value for name in _FILE_ARGUMENTS if isinstance(value := arguments.get(name), str)]
        found: dict[str, str] = {}
        for name in named:
            try:
                found[name] = self._ls.target(self._session, inside(self._session.root, name)).uri
            except QwenLspError:
                continue
        return found

    # -- one line ------------------------------------------------------------------------------------

    def _line(self, event: AgentEvent) -> str:
        """What a progress bar says of it; never the text of a file."""
        from qwen_lsp.features.agent.events import Asked, Called, Compacted, Said

        match event:
            case Called():
                self._writing = False
                return f"turn {self._turn}: {self._called(event)}"
            case Said() if not self._writing:
                self._writing = True
                return f"turn {self._turn + 1}: writing"
            case Asked(answer=""):
                return f"turn {self._turn}: waits for you: {_short(event.title)}"
            case Compacted():
                return f"turn {self._turn}: shortened the conversation"
            case _:
                return ""

    def _called(self, event: Called) -> str:
        from qwen_lsp.runs.words import about

        if event.tool == "run_shell_command":
            return f"$ {_short(event.arguments.get('command'))}"
        if event.tool not in _OWN:  # what a lent tool is given may be anything
            return event.tool
        said = self._ls.rpc.scrub(about(event.tool, event.arguments))
        return f"{event.tool} {_short(said)}".rstrip()


def _goes_on(waiting: Said | Printed, event: Said | Printed) -> bool:
    return type(waiting) is type(event) and getattr(waiting, "id", "") == getattr(event, "id", "")


def _short(value: object) -> str:
    """The first line of a value, cut to what a bar has room for."""
    first = (str(value).strip().splitlines() or [""])[0]
    return first if len(first) <= _MOST_SHOWN else f"{first[: _MOST_SHOWN - 1]}…"

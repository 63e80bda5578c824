"""One conversation: what is said in it becomes a run, and what the run made lands when the person agrees."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from acp import schema
from acp.interfaces import Client

from qwen_lsp.acp_server.buffers import Buffers
from qwen_lsp.acp_server.folder import Folder
from qwen_lsp.acp_server.front import Person
from qwen_lsp.acp_server.line import Line
from qwen_lsp.acp_server.offering import Offer
from qwen_lsp.acp_server.prompt import Prompt
from qwen_lsp.acp_server.updates import Telling, note
from qwen_lsp.errors import EndpointError, EndpointMissing, UserError
from qwen_lsp.features.agent.events import Ended
from qwen_lsp.features.agent.unsaved import overlaid
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.runs.run import RunResult, carry_out
from qwen_lsp.runs.stored import StoredRun, load
from qwen_lsp.runs.story import replayed
from qwen_lsp.session import Session
from qwen_lsp.settings import AgentMode, McpServerSettings
from qwen_lsp.workspace.paths import RelPath

log = logging.getLogger(__name__)

MODES: Mapping[AgentMode, tuple[str, str]] = {
    "plan": ("Plan", "Looks around and answers with a plan; changes nothing."),
    "ask": ("Ask", "Asks before it runs a command, and before the change lands."),
    "allow": ("Allow", "Runs commands in its sandbox and lands the change without asking."),
}
_STOPS: Mapping[Ended, schema.StopReason] = {
    "turns": "max_turn_requests", "time": "max_turn_requests", "money": "max_turn_requests",
    "tokens": "max_tokens", "window": "max_tokens", "refused": "refusal", "cancelled": "cancelled",
}  # fmt: skip
_WITHOUT = "/explain, /undo, /apply, /commit and /status work"
"""What needs no model."""
_LOOKED_AT = 64
"""Files of an earlier turn that are asked for again when a conversation goes on."""


@dataclass(slots=True)
class Talk:
    """A conversation of a client; its name is that of the run that it is."""

    id: str
    cwd: Path
    """The folder as the client names it."""
    folder: Folder
    client: Client
    can: schema.ClientCapabilities
    mode: AgentMode
    servers: Mapping[str, McpServerSettings] = field(default_factory=dict[str, McpServerSettings])
    notices: list[str] = field(default_factory=list[str])
    """What the person has to be told with the next turn."""
    last: RunResult | None = None
    """The latest turn, for whoever asks what it has sent."""
    line: Line = field(init=False)
    buffers: Buffers = field(init=False)
    turn: asyncio.Task[schema.StopReason] | None = None

    def __post_init__(self) -> None:
        self.line = Line(self.client, self.id)
        files = self.can.fs or schema.FileSystemCapabilities()
        self.buffers = Buffers(self.client, self.id, self.folder.root, self.cwd, files)

    @property
    def modes(self) -> schema.SessionModeState:
        """The mode, and those that the user's settings allow."""
        return schema.SessionModeState(
            current_mode_id=self.mode,
            available_modes=[
                schema.SessionMode(id=mode, name=MODES[mode][0], description=MODES[mode][1])
                for mode in allowed(self.folder.session.settings.agent.mode)
            ],
        )

    def stored(self) -> StoredRun | None:
        """The run so far; None before the first turn."""
        try:
            return load(self.id)
        except UserError:
            return None

    # -- a turn ------------------------------------------------------------------------------------------

    async def said(self, prompt: Prompt) -> schema.StopReason:
        """Carry out what the person said. Raises EndpointError and UserError; the run can be gone on with."""
        session = await self.folder.ready()
        for sentence in (*self.notices, *prompt.left_out):
            self.line.tell(note(sentence))
        self.notices.clear()
        if session.endpoint is None:
            raise UserError(f"{EndpointMissing('The agent')} Until then {_WITHOUT}.")
        stored = await asyncio.to_thread(self.stored)
        telling = Telling(self.cwd, await session.endpoint.window())
        elicitation = self.can.elicitation
        person = Person(self.line, telling, forms=elicitation is not None and elicitation.form is not None)
        self._title(stored, prompt)
        self.last = done = await carry_out(
            session,
            prompt.text,
            front=person,
            mode=self.mode,
            paths=prompt.paths,
            snapshot=await self._seen(session, prompt, stored),
            resume=None if stored is None else self.id,
            more=prompt.text if stored is not None else "",
            name=self.id,
            texts=self.buffers.unsaved,
            servers=self.servers,
        )
        if done.result.ended == "endpoint":
            raise EndpointError(done.result.reason)
        if done.edits and self.mode != "plan":
            unasked = self.mode == "allow" and done.result.ended == "done"
            await self.offer(session).made(done.edits, unasked=unasked)
        return _STOPS.get(done.result.ended, "end_turn")

    def offer(self, session: Session) -> Offer:
        return Offer(self.line, session, self.buffers, self.folder.landing, self.cwd, self.id)

    async def _seen(self, session: Session, prompt: Prompt, stored: StoredRun | None) -> Snapshot:
        """The workspace with what the client has not saved of the files that this turn begins with."""
        earlier = list(stored.seen)[-_LOOKED_AT:] if stored is not None else []
        edited = [RelPath(edit.path) for edit in stored.edits] if stored is not None else []
        known = session.snapshot
        paths = [path for path in dict.fromkeys((*prompt.paths, *earlier, *edited)) if known.has(path)]
        # A file that came along whole is what the person sees; the client's own answer counts for more.
        along = {path: self.buffers.over_disk(path, text) for path, text in prompt.texts.items()}
        texts = {**along, **await self.buffers.unsaved(paths)}
        return overlaid(known, {path: texts[path] for path in texts if path in paths})

    def _title(self, stored: StoredRun | None, prompt: Prompt) -> None:
        if stored is None:
            title = title_of(prompt.text)
            self.line.tell(schema.SessionInfoUpdate(session_update="session_info_update", title=title))

    # -- an earlier conversation -------------------------------------------------------------------------

    def tell_again(self, stored: StoredRun) -> None:
        """Everything that was said and done in it."""
        telling = Telling(self.cwd)
        for _, event in replayed(stored.events()):
            self.line.tell(*telling.again(event))


def allowed(most: AgentMode) -> Sequence[AgentMode]:
    """The modes that give no more rights than this one."""
    modes: list[AgentMode] = list(MODES)
    return modes[: modes.index(most) + 1]


def title_of(task: str) -> str:
    """A task in a line."""
    line = next((line.strip() for line in task.splitlines() if line.strip()), "")
    return line if len(line) <= 80 else f"{line[:79]}…"

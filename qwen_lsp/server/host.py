"""What one connection knows: the client, its folders, its open documents, the settings in force."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from qwen_lsp import __version__
from qwen_lsp.server.protocol import Protocol, arrived
from qwen_lsp.server.standing import Standing
from qwen_lsp.server.workspace_edit import EditSupport, Target
from qwen_lsp.text.positions import LineIndex, PositionEncoding
from qwen_lsp.workspace.paths import RelPath, from_uri, rel_path, uri_of, within

if TYPE_CHECKING:
    from qwen_lsp.features.complete.state import Completions
    from qwen_lsp.features.next_edit.history import EditLog
    from qwen_lsp.index.snapshot import Snapshot
    from qwen_lsp.server.agent_work import Work
    from qwen_lsp.session import Session
    from qwen_lsp.settings import Settings

log = logging.getLogger(__name__)

ANSWER_TIME = 5.0
"""Seconds the client has for an answer that the work begins without when it does not come."""
_NOT_IN_NAMES = re.compile(r"[^\w.+-]+|^\.+")


@dataclass(frozen=True, slots=True)
class Document:
    """An open document as of one version."""

    uri: str
    session: Session
    path: RelPath
    version: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a message found when it arrived; whatever happens later does not change it."""

    documents: Mapping[str, Document]
    snapshots: Mapping[Session, Snapshot]


@dataclass(frozen=True, slots=True)
class Place:
    """A file as the request being handled sees it."""

    session: Session
    snapshot: Snapshot
    path: RelPath
    lines: LineIndex
    version: int | None


class Server(LanguageServer):
    """The state of one client; the verbs are free functions over it in the sibling modules."""

    def __init__(self) -> None:
        super().__init__("qwen-lsp", __version__, protocol_cls=Protocol)  # pyright: ignore[reportUnknownMemberType]
        self.rpc = cast("Protocol", self.protocol)
        self.client = lsp.ClientCapabilities()
        self.encoding: PositionEncoding = "utf-16"
        self.edit_support = EditSupport()
        self.roots: list[Path] = []
        self.client_watches = False
        self.watches_parent = True
        self.folders: dict[Path, Session] = {}
        self.loose: dict[Path, Session] = {}
        self.documents: Mapping[str, Document] = {}
        self.initial_options: Mapping[str, Any] = {}
        self.configuration: Mapping[str, Any] = {}
        self.settings: Settings | None = None
        self.completing: dict[Session, Completions] = {}
        self.edited: dict[Session, EditLog] = {}
        self.standing = Standing(self.rpc.notify_raw)
        self.working: dict[int | str, Callable[[], object]] = {}
        """What stops the work behind each progress bar."""
        self.at_work: dict[Session, Work] = {}
        self.landing: dict[Session, asyncio.Lock] = {}
        self.begun = False
        self.stopping = asyncio.Event()
        self.exit_code = 1
        self._tasks: set[asyncio.Task[Any]] = set()
        self.rpc.at_arrival = self._at_arrival
        self.rpc.scrub = self._scrub
        self.rpc.worded = self._worded

    def report_server_error(self, error: Exception, source: Any) -> None:
        """To the log only: a request's error is in its reply, and people need no second notice."""
        log.error("%s", type(error).__name__)

    def _at_arrival(self) -> Arrival:
        return Arrival(self.documents, {s: s.snapshot for s in self.sessions()})

    def _scrub(self, text: str) -> str:
        roots = [root for root in (*self.folders, *self.loose) if root.name]
        for root in sorted(roots, key=lambda r: -len(str(r))):
            text = text.replace(f"{root}{os.sep}", "").replace(str(root), root.name)
        return text.replace(str(Path.home()), "~")

    def _worded(self, text: str) -> str:
        from qwen_lsp.spelling import as_editors_write

        return as_editors_write(self._scrub(text))

    def arrival(self) -> Arrival:
        """The workspace as the message being handled found it."""
        return arrived.get()

    # -- sessions ------------------------------------------------------------------------------------

    def sessions(self) -> Iterator[Session]:
        yield from self.folders.values()
        yield from self.loose.values()

    def locate(self, uri: str) -> tuple[Session, RelPath]:
        """The session that a file belongs to, by the longest folder around it, and its name there."""
        path = from_uri(uri)
        if path is None:
            scheme, _, rest = uri.partition(":")
            folder, name = (_NOT_IN_NAMES.sub("_", part) for part in (scheme, unquote(rest)))
            return self._loose(_unsaved_root()), rel_path(f"{folder or '_'}/{name or '_'}")
        path = Path(os.path.normpath(path))
        found = self.within_folder(path) or self.within_folder(Path(os.path.realpath(path)))
        return found or (self._loose(path.parent), RelPath(path.name or "unnamed"))

    def within_folder(self, path: Path) -> tuple[Session, RelPath] | None:
        """The session of the longest folder around a normal path, and its name there. Touches no disk."""
        for root in sorted(self.folders, key=lambda r: -len(r.parts)):
            if (found := within(root, path)) is not None:
                return self.folders[root], found
        return None

    def _loose(self, root: Path) -> Session:
        if root not in self.loose:
            self.loose[root] = self.open_session(root, indexed=False)
        return self.loose[root]

    def open_session(self, root: Path, *, indexed: bool = True) -> Session:
        """A session of its own for a folder, whose requests the status tells of."""
        from qwen_lsp.session import Session

        session = Session(root, self.current_settings(), indexed=indexed)
        session.ledger.on_change = self.standing.changed
        return session

    def completions(self, session: Session) -> Completions:
        """What inline completion knows of a session's workspace."""
        found = self.completing.get(session)
        if found is None:
            from qwen_lsp.features.complete.state import Completions

            found = Completions()
            found.tally.read = lambda path: _open_text(session, path)
            if session in self.sessions():  # a folder may have gone since it was asked for
                self.completing[session] = found
        return found

    def current_settings(self) -> Settings:
        """The settings in force; read on first use, so that `initialize` is answered without them."""
        if self.settings is None:
            from qwen_lsp.server.configuration import first_settings, section

            self.settings, problems = first_settings(section(self.initial_options))
            logging.getLogger("qwen_lsp").setLevel(self.settings.log_level.upper())
            for problem in problems:
                self.say(problem)
        return self.settings

    async def reconfigure(self, session: Session, settings: Settings) -> None:
        """Have a session work on with other settings, and forget what completion knows from the old ones."""
        completions, before = self.completing.get(session), session.settings
        changed = (settings.endpoint, settings.completion, settings.secrets)
        if completions is not None and changed != (before.endpoint, before.completion, before.secrets):
            # First of all: what is under way would else fail with the endpoint that is closed here.
            completions.forget()
        work = self.at_work.get(session)
        if work is not None and session.endpoint is not None and changed[:2] != (
            before.endpoint, before.completion
        ):  # fmt: skip
            # A run ends with the endpoint it began with.
            work.endpoints.append(session.endpoint)
            session.endpoint = None
        await session.reconfigure(settings)

    # -- places --------------------------------------------------------------------------------------

    def place(self, uri: str) -> Place:
        """A file as it was when the request arrived, open or not. Raises FileUnreadable."""
        seen = self.arrival()
        document = seen.documents.get(uri)
        if document is not None:
            session, path, version = document.session, document.path, document.version
        else:
            (session, path), version = self.locate(uri), None
        snapshot = seen.snapshots.get(session, session.snapshot)
        return Place(session, snapshot, path, snapshot.lines(path), version)

    def target(self, session: Session, path: str) -> Target:
        """How the client knows a file: by the URI it opened it with, where it did."""
        for document in self.documents.values():
            if document.session is session and document.path == path:
                return Target(document.uri, document.version)
        return Target(uri_of(session.root / path), None)

    # -- tasks and words -----------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run beside the requests, until done or until the connection ends."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

    async def cancel_tasks(self) -> None:
        """End everything that runs for this client, and wait until it has ended."""
        tasks = [*self.rpc.cancel_all(), *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def say(self, message: str, kind: lsp.MessageType = lsp.MessageType.Warning) -> None:
        """Show a sentence to the person at the editor."""
        self.window_show_message(lsp.ShowMessageParams(type=kind, message=self._worded(message)))

    def announces(self, name: str) -> bool:
        """Whether the client has one of our own extensions, which it says among its experimental ones."""
        experimental = self.client.experimental
        own = experimental.get("qwen") if isinstance(experimental, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return isinstance(own, dict) and cast("Mapping[str, Any]", own).get(name) is True

    def supports(self, probe: Callable[[lsp.ClientCapabilities], object]) -> bool:
        """Whether a capability is there; `probe` may walk into None."""
        try:
            return bool(probe(self.client))
        except AttributeError:
            return False


def _open_text(session: Session, path: RelPath) -> str | None:
    """The text of an open document; None when it is not open."""
    buffer = session.snapshot.buffers.get(path)
    return None if buffer is None else buffer.text


def _unsaved_root() -> Path:
    """A root that no file is below, for documents that exist only in the editor."""
    return Path(os.sep, "nonexistent", "qwen-lsp-unsaved")

"""Session: one workspace while it is open. Owns its store, endpoint, predictor, gate and watcher.

It knows neither an editor nor a feature; front ends open it, hand its parts to features, and close it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen_lsp.errors import FileUnreadable, OutsideWorkspace
from qwen_lsp.index import build
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.model import tokens
from qwen_lsp.model.endpoint import Endpoint, connect
from qwen_lsp.model.ledger import Ledger
from qwen_lsp.model.messages import Message
from qwen_lsp.predict.predictor import Predictor
from qwen_lsp.settings import Settings
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

if TYPE_CHECKING:
    from qwen_lsp.workspace.watch import Watcher

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds without typing, after which the predictor reads the file again
DEBOUNCE = 0.2  # seconds of quiet before hints are looked at; a checkout or a formatter touches many files
_RECENT = 16
_ERRORS = 10
_TRANSCRIPTS = 50
_TAUGHT_BYTES = 3_500_000  # of the workspace, at most, that the predictor reads: about a million tokens
_TAUGHT_FILE = 200_000


class Session:
    """One workspace. All methods are called on the event loop."""

    def __init__(self, root: Path, settings: Settings, *, indexed: bool = True) -> None:
        self.root = root
        self.settings = settings
        self.indexed = indexed
        """False: only what is open is known; the folder around it is nobody's workspace."""
        if indexed:
            self.store = Store.at(root, settings.index)
        else:
            self.store = Store(root, Cache(None))
        self.ledger = Ledger()
        self.gate = _gate(root, settings)
        self.endpoint: Endpoint | None = self._connect(settings)
        self.predictor = Predictor()
        self.recent: deque[RelPath] = deque(maxlen=_RECENT)
        self.errors: deque[str] = deque(maxlen=_ERRORS)
        self.report: build.IndexReport | None = None
        self._watcher: Watcher | None = None
        self._hints: set[RelPath] | None = set()
        self._refresh: asyncio.TimerHandle | None = None
        self._lessons: deque[RelPath] = deque()
        self._teaching = False
        self._stale: set[RelPath] = set()
        self._relearn: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    # -- what features take --------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        return self.store.current

    @property
    def count(self) -> Callable[[str], int]:
        """Exact tokens of a text."""
        return tokens.count

    @property
    def journal_dir(self) -> Path:
        """Where the journals of this workspace's edits are kept, for undo and for recovery."""
        name = hashlib.blake2b(os.fsencode(self.root), digest_size=8).hexdigest()
        return state_folder() / "journals" / f"{self.root.name}-{name}"

    @contextlib.contextmanager
    def transcript(self) -> Generator[Callable[[Message], None]]:
        """A function that writes each message of an agent run to a file of the user's, as it is said.

        Kept below the state folder, readable by the user only; what a run said survives however it ends.
        """
        folder = state_folder() / "transcripts"
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        for old in sorted(folder.glob("*.jsonl"))[:-_TRANSCRIPTS]:
            old.unlink(missing_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{self.root.name}-{os.getpid()}.jsonl"
        with (folder / name).open("a", encoding="utf-8", errors="backslashreplace") as out:

            def record(message: Message) -> None:
                out.write(json.dumps(asdict(message), default=str) + "\n")
                out.flush()

            yield record

    @property
    def learning(self) -> bool:
        """Whether the predictor has files left to read."""
        return self._teaching or bool(self._lessons)

    async def taught(self) -> None:
        """Wait until the predictor has read what it can remember of the workspace."""
        await asyncio.gather(*(task for task in self._tasks if task.get_name() == "predictor"))

    def failed(self, problem: str) -> None:
        """Remember a failure that was answered around, for the status."""
        if not self.errors or self.errors[-1] != problem:
            self.errors.append(problem)

    # -- documents -----------------------------------------------------------------------------------

    def open(self, path: RelPath, text: str, version: int | None = None) -> None:
        self.store.open(path, text, version)
        self.touched(path)
        self._teach(path)

    def change(self, path: RelPath, edits: Sequence[TextEdit], version: int | None = None) -> None:
        self.store.change(path, edits, version)
        self.touched(path)
        self._stale.add(path)
        if self._relearn is not None:
            self._relearn.cancel()
        self._relearn = asyncio.get_running_loop().call_later(PAUSE, self._teach_stale)

    def close(self, path: RelPath) -> None:
        self.store.close(path)
        self.hint({path})

    def touched(self, path: RelPath) -> None:
        """Note that somebody works on the file now; the latest comes first."""
        if not self.recent or self.recent[0] != path:
            if path in self.recent:
                self.recent.remove(path)
            self.recent.appendleft(path)

    # -- the disk ------------------------------------------------------------------------------------

    async def start(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Index the workspace, then let the predictor learn from it; the event loop stays free."""
        if not self.indexed:
            return
        self.report = await build.build(self.store, self.settings.index, progress)
        self._teach_workspace()

    def watch(self) -> None:
        """Watch the folder ourselves, when no editor does."""
        if self.indexed and self._watcher is None:
            from qwen_lsp.workspace.watch import Watcher

            self._watcher = Watcher(self.root, self.hint)
            self._watcher.start()

    def hint(self, paths: set[RelPath] | None) -> None:
        """Something may have changed on disk: these paths, or (None) anything. Looked at after a pause."""
        if self._closed or not self.indexed:
            return
        self._hints = None if paths is None or self._hints is None else self._hints | paths
        if self._refresh is not None:
            self._refresh.cancel()
        loop = asyncio.get_running_loop()
        self._refresh = loop.call_later(DEBOUNCE, lambda: self._spawn(self.refresh(), "refresh"))

    async def refresh(self) -> None:
        """Look at what was hinted at, now."""
        hints, self._hints = self._hints, set()
        if self.indexed and hints != set():
            await build.refresh(self.store, hints)

    # -- life ----------------------------------------------------------------------------------------

    async def reconfigure(self, settings: Settings) -> None:
        """Work on with other settings; what they do not concern goes on undisturbed."""
        before, self.settings = self.settings, settings
        if settings.secrets != before.secrets:
            self.gate = _gate(self.root, settings)
        if (settings.endpoint, settings.completion) != (before.endpoint, before.completion):
            old, self.endpoint = self.endpoint, self._connect(settings)
            if old is not None:
                await old.aclose()
        if settings.index != before.index and self.indexed:
            self.report = await build.build(self.store, settings.index)

    async def aclose(self) -> None:
        """Stop everything that was begun here."""
        if self._closed:
            return
        self._closed = True
        for timer in (self._refresh, self._relearn):
            if timer is not None:
                timer.cancel()
        if self._watcher is not None:
            self._watcher.stop()
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.endpoint is not None:
            await self.endpoint.aclose()
        self.store.release()

    def _connect(self, settings: Settings) -> Endpoint | None:
        patience = settings.completion.first_token_timeout
        return connect(settings.endpoint, self.ledger, first_token_timeout=patience)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

    # -- the predictor -------------------------------------------------------------------------------

    def _teach(self, path: RelPath) -> None:
        """Have the predictor read the file, before all others that wait."""
        if self.settings.completion.embedded and not self._closed:
            self._lessons.appendleft(path)
            self._learn()

    def _teach_stale(self) -> None:
        stale, self._stale = self._stale, set()
        for path in stale:
            self._teach(path)

    def _teach_workspace(self) -> None:
        """Queue the code nearest to what is open, as much as the predictor can remember; the nearest last."""
        if not self.settings.completion.embedded:
            return
        snapshot, room = self.snapshot, _TAUGHT_BYTES
        near = {folder for path in self.recent for folder in _folders(path)}
        known = [
            (path, entry.size)
            for path, entry in snapshot.files.items()
            if entry.language is not None and entry.size <= _TAUGHT_FILE and path not in snapshot.buffers
        ]
        known.sort(key=lambda one: (-sum(folder in near for folder in _folders(one[0])), one[0]))
        chosen: list[RelPath] = []
        for path, size in known:
            if (room := room - size) < 0:
                break
            chosen.append(path)
        # What was learnt last is remembered longest and found first: so the open files once more at the end.
        self._lessons.extend([*reversed(chosen), *snapshot.buffers])
        self._learn()

    def _learn(self) -> None:
        if self._lessons and not self._teaching:
            self._teaching = True
            self._spawn(self._take_lessons(), "predictor")

    async def _take_lessons(self) -> None:
        """One file after the other, in slices short enough that nobody waits for them."""
        try:
            while self._lessons:
                path = self._lessons.popleft()
                try:
                    text = await asyncio.to_thread(self.snapshot.text, path)
                except (FileUnreadable, OutsideWorkspace):
                    self.predictor.forget(path)
                    continue
                if len(text) <= _TAUGHT_FILE:
                    for _ in self.predictor.learn_in_slices(path, text):
                        await asyncio.sleep(0)
                await asyncio.sleep(0)
        finally:
            self._teaching = False


def _folders(path: RelPath) -> list[str]:
    """The folders around a file, outermost first; the root is one."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]


def state_folder() -> Path:
    """The user's folder for what must outlive a cache."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "qwen-lsp"


def _gate(root: Path, settings: Settings) -> Gate:
    return Gate(root, globs=settings.secrets.globs, patterns=settings.secrets.patterns)

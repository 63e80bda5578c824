"""Session: one workspace while it is open. Owns its store, endpoint, predictor, gate and watcher.

It knows neither an editor nor a feature; front ends open it, hand its parts to features, and close it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
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
from qwen_lsp.predict.predictor import Predictor
from qwen_lsp.settings import Settings
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

if TYPE_CHECKING:
    from qwen_lsp.workspace.watch import Watcher

log = logging.getLogger(__name__)

DEBOUNCE = 0.2  # seconds of quiet before hints are looked at; a checkout or a formatter touches many files
_RECENT = 16
_ERRORS = 10
_TAUGHT_BYTES = 8_000_000  # of the workspace, at most, that the predictor reads; then its memory is full
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
        self.endpoint: Endpoint | None = connect(settings.endpoint, self.ledger)
        self._completing: Endpoint | None = None
        self.predictor = Predictor()
        self.recent: deque[RelPath] = deque(maxlen=_RECENT)
        self.errors: deque[str] = deque(maxlen=_ERRORS)
        self.report: build.IndexReport | None = None
        self._watcher: Watcher | None = None
        self._hints: set[RelPath] | None = set()
        self._refresh: asyncio.TimerHandle | None = None
        self._refreshing = asyncio.Lock()
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
    def completion_endpoint(self) -> Endpoint | None:
        """Where completions are asked for: the same endpoint, unless another model is set for them."""
        model = self.settings.endpoint.completion_model
        if self.endpoint is None or not model or model == self.settings.endpoint.model:
            return self.endpoint
        if self._completing is None:
            other = self.settings.endpoint.model_copy(update={"model": model})
            self._completing = connect(other, self.ledger)
        return self._completing

    @property
    def journal_dir(self) -> Path:
        """Where the journals of this workspace's edits are kept, for undo and for recovery."""
        name = hashlib.blake2b(os.fsencode(self.root), digest_size=8).hexdigest()
        return state_folder() / "journals" / f"{self.root.name}-{name}"

    def failed(self, problem: str) -> None:
        """Remember a failure that was answered around, for the status."""
        if not self.errors or self.errors[-1] != problem:
            self.errors.append(problem)

    # -- documents -----------------------------------------------------------------------------------

    def open(self, path: RelPath, text: str, version: int | None = None) -> None:
        self.store.open(path, text, version)
        self.touched(path)
        self._teach(path, text)

    def change(self, path: RelPath, edits: Sequence[TextEdit], version: int | None = None) -> None:
        self.store.change(path, edits, version)
        self.touched(path)

    def close(self, path: RelPath) -> None:
        self.store.close(path)
        self.hint({path})

    def saved(self, path: RelPath) -> None:
        if path in self.snapshot.buffers:
            self._teach(path, self.snapshot.text(path))
        self.hint({path})

    def touched(self, path: RelPath) -> None:
        """Note that somebody works on the file now; the latest is last."""
        if not self.recent or self.recent[-1] != path:
            if path in self.recent:
                self.recent.remove(path)
            self.recent.append(path)

    # -- the disk ------------------------------------------------------------------------------------

    async def start(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Index the workspace, then let the predictor learn from it; the event loop stays free."""
        if not self.indexed:
            return
        async with self._refreshing:
            self.report = await build.build(self.store, self.settings.index, progress)
        self._spawn(self._teach_all(), "predictor")

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
        async with self._refreshing:
            hints, self._hints = self._hints, set()
            if hints is None or hints:
                await build.refresh(self.store, hints)

    # -- life ----------------------------------------------------------------------------------------

    async def reconfigure(self, settings: Settings) -> None:
        """Work on with other settings; what they do not concern goes on undisturbed."""
        before, self.settings = self.settings, settings
        if settings.endpoint != before.endpoint:
            old = (self.endpoint, self._completing)
            self.endpoint, self._completing = connect(settings.endpoint, self.ledger), None
            for endpoint in old:
                if endpoint is not None:
                    await endpoint.aclose()
        if settings.secrets != before.secrets:
            self.gate = _gate(self.root, settings)
        if settings.index != before.index and self.indexed:
            async with self._refreshing:
                self.report = await build.build(self.store, settings.index, lambda done, total: None)

    async def aclose(self) -> None:
        """Stop everything that was begun here."""
        if self._closed:
            return
        self._closed = True
        if self._refresh is not None:
            self._refresh.cancel()
        if self._watcher is not None:
            self._watcher.stop()
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for endpoint in (self.endpoint, self._completing):
            if endpoint is not None:
                await endpoint.aclose()
        self.store.release()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

    # -- the predictor -------------------------------------------------------------------------------

    def _teach(self, path: RelPath, text: str) -> None:
        if self.settings.completion.embedded and len(text) <= _TAUGHT_FILE:
            self.predictor.learn(path, text)

    async def _teach_all(self) -> None:
        """Read the workspace's code to the predictor, file by file; each is a pause of milliseconds."""
        if not self.settings.completion.embedded:
            return
        taught = 0
        for path in self.snapshot.paths():
            entry = self.snapshot.files.get(path)
            if entry is None or entry.language is None or entry.size > _TAUGHT_FILE:
                continue
            if (taught := taught + entry.size) > _TAUGHT_BYTES:
                return
            if path not in self.snapshot.buffers:
                try:
                    text = await asyncio.to_thread(self.snapshot.text, path)
                except (FileUnreadable, OutsideWorkspace):
                    continue
                self._teach(path, text)
            await asyncio.sleep(0)


def state_folder() -> Path:
    """The user's folder for what must outlive a cache."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "qwen-lsp"


def _gate(root: Path, settings: Settings) -> Gate:
    return Gate(root, globs=settings.secrets.globs, patterns=settings.secrets.patterns)

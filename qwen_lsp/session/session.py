"""Session: one workspace while it is open. Owns its store, endpoint, predictor, gate and watcher.

It knows neither an editor nor a feature; front ends open it, hand its parts to features, and close it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen_lsp.context.epoch import Held
from qwen_lsp.context.visits import Visit
from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index import build
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.model import tokens
from qwen_lsp.model.endpoint import Endpoint, connect
from qwen_lsp.model.ledger import Ledger, prices_of
from qwen_lsp.predict.predictor import Predictor
from qwen_lsp.session.epochs import Epochs
from qwen_lsp.session.freshness import Freshness
from qwen_lsp.session.lessons import Lessons
from qwen_lsp.session.state import journal_folder
from qwen_lsp.settings import Settings
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.workspace.hints import Hints
from qwen_lsp.workspace.ignore import OWN_FILE, IgnoreRules
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from qwen_lsp.workspace.transaction import recover

if TYPE_CHECKING:
    from qwen_lsp.workspace.watch import Watcher

log = logging.getLogger(__name__)

_RECENT = 16
_ERRORS = 10
_IGNORE_FILES = frozenset({".gitignore", OWN_FILE})


class Session:
    """One workspace. All methods are called on the event loop."""

    def __init__(self, root: Path, settings: Settings, *, indexed: bool = True) -> None:
        self.root = root
        self.settings = settings
        self.indexed = indexed
        """False: only what is open is known; the folder around it is nobody's workspace."""
        self.store = Store.at(root, settings.index) if indexed else Store(root, Cache(None))
        self.ledger = Ledger(prices_of(settings.endpoint.prices))
        self._rules: IgnoreRules | None = None
        self.gate = self._make_gate()
        self.endpoint: Endpoint | None = self._connect(settings)
        self.predictor = Predictor()
        self._lessons = Lessons(self.predictor, lambda: self.store.current, self._spawn)
        database = self.store.cache.database
        self._epochs = Epochs(root, database.parent if database is not None else None, self._spawn)
        self._recent: deque[RelPath] = deque(maxlen=_RECENT)
        self._edited: dict[RelPath, int] = {}
        """Where an open document was edited last, as an offset."""
        self.errors: deque[str] = deque(maxlen=_ERRORS)
        self.report: build.IndexReport | None = None
        self._watcher: Watcher | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._freshness = Freshness(self._look, self._spawn)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self.store.on_news = self._news_of

    # -- what features take --------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        return self.store.current

    @property
    def count(self) -> Callable[[str], int]:
        """Exact tokens of a text."""
        return tokens.count

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The files that somebody worked on and where, the latest first."""
        return tuple(Visit(path, self._line_edited(path)) for path in self._recent)

    @property
    def journal(self) -> Path:
        """Where the journal of this workspace's edits is, for undo and for recovery."""
        return journal_folder(self.root)

    @property
    def learning(self) -> bool:
        """Whether the predictor has files left to read."""
        return not self._lessons.over

    async def taught(self) -> None:
        """Wait until the predictor has read what it can remember of the workspace."""
        await self._lessons.finished()

    async def held(self, feature: str) -> Held | None:
        """What the next large prompt of a feature extends."""
        return await self._epochs.held(feature, self.settings.context)

    def failed(self, problem: str) -> None:
        """Remember a failure that was answered around, for the status."""
        if not self.errors or self.errors[-1] != problem:
            self.errors.append(problem)

    # -- documents -----------------------------------------------------------------------------------

    def open(self, path: RelPath, text: str, version: int | None = None) -> None:
        self.store.open(path, text, version)
        self.touched(path)
        self._spawn(build.attend(self.store, path), "attend")
        if self._teaches:
            self._lessons.first(path)

    def change(self, path: RelPath, edits: Sequence[TextEdit], version: int | None = None) -> None:
        self.store.change(path, edits, version)
        self.touched(path)
        if edits:
            self._edited[path] = edits[-1].span.start
        if self._teaches:
            self._lessons.changed(path)

    def close(self, path: RelPath) -> None:
        self.store.close(path)
        self._edited.pop(path, None)
        self.hint({path})

    def touched(self, path: RelPath) -> None:
        """Note that somebody works on the file now; the latest comes first."""
        if not self._recent or self._recent[0] != path:
            if path in self._recent:
                self._recent.remove(path)
            self._recent.appendleft(path)

    def _line_edited(self, path: RelPath) -> int | None:
        at = self._edited.get(path) if path in self.snapshot.buffers else None
        return None if at is None else self.snapshot.lines(path).line_at(at)

    # -- the disk ------------------------------------------------------------------------------------

    async def start(
        self, progress: build.Progress | None = None, *, head_start: float = 0.0, learn: bool = True
    ) -> None:
        """Finish what a crash interrupted, index the workspace, then let the predictor learn from it.

        The event loop stays free throughout. `head_start`: seconds that a large workspace's first answers
        have for themselves. `learn`: False where nothing is going to be completed.
        """
        if self.endpoint is not None:
            self._spawn(asyncio.to_thread(tokens.preload), "tokens")
        if not self.indexed:
            return
        await self._recover()
        self._loop = asyncio.get_running_loop()
        self.report = await build.build(self.store, self.settings.index, progress, head_start=head_start)
        await self.store.read_history()
        if self._teaches and learn:
            self._lessons.workspace(tuple(self._recent))

    async def _recover(self) -> None:
        try:
            recovered = await asyncio.to_thread(recover, self.root, self.journal)
        except WorkspaceError as error:
            self.failed(str(error))
        else:
            if recovered:
                self.failed(recovered.told())

    def watch(self) -> None:
        """Watch the folder ourselves, when no editor does."""
        if self.indexed and self._watcher is None:
            from qwen_lsp.workspace.watch import Watcher

            self._watcher = watcher = Watcher(self.root, self.hint)

            # A watch for each of thousands of folders takes a while: first let the index answer. Nothing is
            # missed, since the watcher's first hint is to look at everything.
            def begin(snapshot: Snapshot) -> None:
                if snapshot.listed:
                    end()
                    if not self._closed:
                        watcher.start()

            end = self.store.subscribe(begin)
            begin(self.snapshot)

    @property
    def sweeps_next(self) -> bool:
        """Whether everything on disk will be looked at next, so that no hint says anything new."""
        return self._freshness.is_about_everything

    def hint(self, paths: Hints) -> None:
        """Something may have changed on disk: these paths, or (None) anything. Looked at after a pause."""
        if self._closed or not self.indexed:
            return
        if paths is None or any(path.rpartition("/")[2] in _IGNORE_FILES for path in paths):
            self._rules = None
        self._freshness.hint(paths)

    def _news_of(self, path: RelPath) -> None:
        """From any thread: an answer came upon a file that is not as the index knows it."""
        if self._loop is not None and not self._closed:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self._loop.call_soon_threadsafe(self.hint, {path})

    async def _look(self, hints: Hints) -> float:
        seconds = await build.refresh(self.store, hints)
        if hints is None:  # another branch, perhaps
            await self.store.read_history()
        return seconds

    async def refresh(self) -> None:
        """Look at what was hinted at, now."""
        await self._freshness.now()

    # -- life ----------------------------------------------------------------------------------------

    async def reconfigure(self, settings: Settings) -> None:
        """Work on with other settings; what they do not concern goes on undisturbed."""
        before, self.settings = self.settings, settings
        self.ledger.reprice(prices_of(settings.endpoint.prices))
        if settings.secrets != before.secrets:
            self.gate = self._make_gate()
        if (settings.endpoint, settings.completion) != (before.endpoint, before.completion):
            old, self.endpoint = self.endpoint, self._connect(settings)
            if old is not None:
                await old.aclose()
        if settings.completion.embedded and not before.completion.embedded and self.report is not None:
            self._lessons.workspace(tuple(self._recent))
        if settings.index != before.index and self.indexed:
            self._rules = None
            self.report = await build.build(self.store, settings.index)

    async def aclose(self) -> None:
        """Stop everything that was begun here."""
        if self._closed:
            return
        self._closed = True
        self._freshness.stop()
        self._lessons.stop()
        if self._watcher is not None:
            self._watcher.stop()
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._epochs.flush()
        if self.endpoint is not None:
            await self.endpoint.aclose()
        self.store.release()

    @property
    def _teaches(self) -> bool:
        return self.settings.completion.embedded and not self._closed

    def _make_gate(self) -> Gate:
        secrets = self.settings.secrets
        ignored = self._ignored if self.indexed else None
        return Gate(self.root, globs=secrets.globs, patterns=secrets.patterns, ignored=ignored)

    def _ignored(self, path: RelPath) -> bool:
        """Whether a file is none of the workspace's: neither listed nor, were it new, to be listed.

        Asked by the gate, from any thread: an ignored file that is open is still an ignored file.
        """
        # A file that git tracks is listed whatever the rules say. A list that was kept from the last time
        # knows nothing of rules that are newer.
        if self.store.current.listed and path in self.store.current.files:
            return False
        rules = self._rules
        if rules is None:
            rules = self._rules = IgnoreRules.load(self.root, self.settings.index.exclude)
        return rules.ignores(path)

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

"""Hints that files changed, for when no editor watches: what to look at again, never what to believe.

A storm of events, a branch switch or a kernel queue that overflowed is one hint: look at everything. Where
the system has no watches left, everything is looked at every few seconds instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qwen_lsp.workspace.ignore import DEPENDENCY_FOLDERS
from qwen_lsp.workspace.paths import RelPath, within

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

log = logging.getLogger(__name__)

Hints = set[RelPath] | None
"""Paths that may have changed, folders among them; None: any."""

QUIET = 0.1  # seconds without an event before a hint is passed on
LATEST = 1.0  # seconds after which it is passed on even if events keep coming
MOST_PATHS = 500
POLL = 10.0
_DEPENDENCIES = frozenset(DEPENDENCY_FOLDERS)
_REPOSITORY_MARKS = frozenset({"HEAD", "index", "packed-refs"})


class Watcher:
    """Watches one folder. `on_hint` is called on the event loop that `start` was called on."""

    def __init__(self, root: Path, on_hint: Callable[[Hints], None]) -> None:
        self._root = root
        self._real = Path(os.path.realpath(root))
        self._on_hint = on_hint
        self._observer: BaseObserver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._paths: Hints = set()
        self._timer: asyncio.TimerHandle | None = None
        self._first = 0.0
        self._overflow: _Overflow | None = None
        self._starting: asyncio.Task[None] | None = None
        self._lock = threading.Lock()
        self._arrived: set[RelPath | None] = set()

    @property
    def polling(self) -> bool:
        """Whether the system refused to watch, so that everything is looked at now and then."""
        return self._loop is not None and self._observer is None and self._starting is None

    def start(self) -> None:
        """Begin to watch. A first hint about everything says that from now on nothing is missed."""
        self._loop = asyncio.get_running_loop()
        self._starting = self._loop.create_task(self._start(), name="watcher")

    async def _start(self) -> None:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        observer = Observer()
        handler = FileSystemEventHandler()
        handler.on_any_event = self._seen
        observer.schedule(handler, os.fspath(self._root), recursive=True)
        try:
            # One watch for each folder: half a second where there are thousands.
            await asyncio.to_thread(observer.start)
        except OSError as error:  # no inotify watches left, or the folder is gone
            log.warning("cannot watch the workspace (%s); looking every %g s", error.strerror, POLL)
            self._starting = None
            self._poll()
            return
        self._starting = None
        if self._loop is None:  # stopped meanwhile
            observer.stop()
            return
        self._observer = observer
        self._overflow = _Overflow(self._everything)
        logging.getLogger("watchdog").addHandler(self._overflow)
        self._collect(None)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._observer is not None:
            self._observer.stop()
        if self._overflow is not None:
            logging.getLogger("watchdog").removeHandler(self._overflow)
        self._loop = self._observer = None

    def _seen(self, event: FileSystemEvent) -> None:
        """On the observer's thread: keep what concerns the workspace, and pass it to the loop."""
        # A folder is "modified" whenever a file in it is, which is told by an event of its own.
        modified_folder = event.is_directory and event.event_type == "modified"
        if modified_folder or event.event_type in ("opened", "closed_no_write"):
            return
        for name in (event.src_path, event.dest_path):
            if name:
                path = self._named(os.fsdecode(name))
                if path is None or path:
                    self._arrive(path)

    def _everything(self) -> None:
        self._arrive(None)

    def _arrive(self, path: RelPath | None) -> None:
        """On the observer's thread. Events come by the thousand; the loop is woken once for all of them."""
        loop = self._loop
        with self._lock:
            first = not self._arrived
            if len(self._arrived) <= MOST_PATHS:
                self._arrived.add(path)
        if first and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, set()
        if len(arrived) > MOST_PATHS:
            arrived = {None}
        for path in arrived:
            self._collect(path)

    def _named(self, name: str) -> RelPath | None:
        """The path a hint is about; None for all of them, empty for one of no concern."""
        path = within(self._root, Path(name)) or within(self._real, Path(name))
        if path is None:  # the root itself, which changes with every file in it
            return RelPath("")
        parts = path.split("/")
        if parts[0] == ".git":
            return None if len(parts) == 2 and parts[1] in _REPOSITORY_MARKS else RelPath("")
        return RelPath("") if not _DEPENDENCIES.isdisjoint(parts) else path

    def _collect(self, path: RelPath | None) -> None:
        if self._loop is None:
            return
        if path is None or self._paths is None or len(self._paths) >= MOST_PATHS:
            self._paths = None
        else:
            self._paths.add(path)
        now = self._loop.time()
        if self._timer is None:
            self._first = now
        else:
            self._timer.cancel()
        self._timer = self._loop.call_at(min(now + QUIET, self._first + LATEST), self._pass_on)

    def _pass_on(self) -> None:
        self._timer = None
        paths, self._paths = self._paths, set()
        self._on_hint(paths)

    def _poll(self) -> None:
        if self._loop is not None:
            self._timer = self._loop.call_later(POLL, self._polled)

    def _polled(self) -> None:
        self._on_hint(None)
        self._poll()


class _Overflow(logging.Handler):
    """Watchdog tells of events that the kernel dropped in its log only."""

    def __init__(self, everything: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._everything = everything

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._everything()

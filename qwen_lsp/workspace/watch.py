"""Hints that files changed, for when no editor watches: what to look at again, never what to believe.

Linux is listened to directly, other systems through watchdog. Where the system has no watches left, or the
root is gone for now, everything is looked at every few seconds instead.
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

from qwen_lsp.workspace import inotify
from qwen_lsp.workspace.hints import MOST_PATHS, Hints, told
from qwen_lsp.workspace.paths import within

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

log = logging.getLogger(__name__)

POLL = 10.0
"""Seconds between two looks at everything, where watching does not do."""


class Watcher:
    """Watches one folder. `on_hint` is called on the event loop that `start` was called on."""

    def __init__(self, root: Path, on_hint: Callable[[Hints], None]) -> None:
        self._root = root
        self._on_hint = on_hint
        self._source: inotify.Inotify | Watchdog | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None
        self._refused = False

    @property
    def polling(self) -> bool:
        """Whether watching does not do, so that everything is looked at now and then."""
        return self._loop is not None and (self._refused or (self._starting is None and self._is_needed()))

    def start(self) -> None:
        """Begin to watch. A first hint about everything says that from now on nothing is missed."""
        self._loop = asyncio.get_running_loop()
        self._begin()

    def stop(self) -> None:
        """No hint comes any more."""
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
        if self._source is not None:
            self._source.close()
            self._source = None

    def _begin(self) -> None:
        if self._loop is not None:
            self._starting = self._loop.create_task(self._watch(), name="watcher")

    async def _watch(self) -> None:
        source: inotify.Inotify | Watchdog | None = None
        try:
            if inotify.available():
                source = inotify.Inotify(self._root, self._told, self._lost)
            else:
                source = Watchdog(self._root, self._told, self._lost)
            self._source = source
            await source.start()
        except OSError as error:  # no queue or no watch to be had, or the folder is gone
            if self._source is source:
                self._source = None
                level = logging.INFO if self._refused else logging.WARNING
                log.log(level, "cannot watch the workspace (%s); looking every %g s", error.strerror, POLL)
                self._refused = True
            if source is not None:
                source.close()
        self._starting = None
        if self._loop is not None and self._is_needed() and self._timer is None:
            self._timer = self._loop.call_later(POLL, self._poll)

    def _is_needed(self) -> bool:
        return self._source is None or self._source.incomplete

    def _poll(self) -> None:
        self._timer = None
        self._hint(None)
        if self._source is None:
            self._begin()
        elif self._loop is not None:
            self._timer = self._loop.call_later(POLL, self._poll)

    def _lost(self) -> None:
        """The root was deleted or moved away; it may come back."""
        self._source, self._refused = None, True
        self._hint(None)
        if self._loop is not None and self._timer is None:
            self._timer = self._loop.call_later(POLL, self._poll)

    def _told(self, hints: Hints) -> None:
        self._refused = False
        self._hint(hints)

    def _hint(self, hints: Hints) -> None:
        if self._loop is not None:
            self._on_hint(hints)


class Watchdog:
    """The same news where there is no inotify. Made on the event loop that `report` is called on."""

    incomplete = False

    def __init__(self, root: Path, report: Callable[[Hints], None], lost: Callable[[], None]) -> None:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        self._root, self._real = root, Path(os.path.realpath(root))
        self._report, self._lost = report, lost
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._arrived: set[str] = set()
        self._closed = False
        handler = FileSystemEventHandler()
        handler.on_any_event = self._seen
        self._observer = Observer()
        self._observer.schedule(handler, os.fspath(root), recursive=True)

    async def start(self) -> None:
        """Watch everything; a hint about everything follows. Raises OSError when the root cannot be."""
        if not await asyncio.to_thread(self._root.is_dir):
            raise FileNotFoundError(2, "no such folder")
        await asyncio.to_thread(self._observer.start)
        if self._closed:
            self._observer.stop()
        else:
            self._report(None)

    def close(self) -> None:
        self._closed = True
        if self._observer.is_alive():
            self._observer.stop()

    def _seen(self, event: FileSystemEvent) -> None:
        """On the observer's thread. Events come by the thousand; the loop is woken once for all of them."""
        # A folder is "modified" whenever a file in it is, which is told by an event of its own.
        modified_folder = event.is_directory and event.event_type == "modified"
        if modified_folder or event.event_type in ("opened", "closed", "closed_no_write"):
            return
        for name in filter(None, (event.src_path, event.dest_path)):
            path = within(self._root, Path(os.fsdecode(name))) or within(self._real, Path(os.fsdecode(name)))
            with self._lock:
                first = not self._arrived
                if len(self._arrived) <= MOST_PATHS:
                    self._arrived.add("" if path is None else path)
            if first:
                with contextlib.suppress(RuntimeError):  # the loop has been closed
                    self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, set()
        if self._closed:
            return None
        # The root itself is named when it is deleted, and never else but for what its entries tell.
        if "" in arrived and not self._root.is_dir():
            self.close()
            return self._lost()
        hints = None if len(arrived) > MOST_PATHS else told(arrived)
        if hints is None or hints:
            return self._report(hints)
        return None

"""What the Linux kernel tells of a folder and all below it, read on the event loop.

Names only, and no order: every event is a hint. Its queue is read a few times a second, so that a storm
wakes the loop seldom and costs it microseconds an event. Folders are watched in a thread, each before its
entries are listed, and a hint about one follows only when it is watched: nothing falls in between.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import logging
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from qwen_lsp.workspace.hints import Hints, is_silent, told

log = logging.getLogger(__name__)

GATHER = 0.05  # seconds in which events gather in the kernel's queue before they are read
_READ = 64 * 1024
_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x2, 0x4, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _OVERFLOW, _IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
_IS_FOLDER, _ONLY_FOLDERS, _NO_LINKS, _EXCEPT_UNLINKED = 0x4000_0000, 0x100_0000, 0x200_0000, 0x400_0000
_CONTENT = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_WATCHED = _CONTENT | _DELETE_SELF | _MOVE_SELF | _ONLY_FOLDERS | _EXCEPT_UNLINKED
_ROOT_LOST = _DELETE_SELF | _MOVE_SELF | _UNMOUNT | _IGNORED
_EVENT = struct.Struct("iIII")


def available() -> bool:
    """Whether this system has inotify."""
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "inotify_init1")


class Inotify:
    """The watches below one root. `report` and `lost` are called on the event loop.

    `lost` says that the root is not there any more; then this is closed. `incomplete` says that the
    system has no watches left, so that some folders are not watched.
    """

    def __init__(self, root: Path, report: Callable[[Hints], None], lost: Callable[[], None]) -> None:
        """Raises OSError when the system gives no queue of events."""
        self.incomplete = False
        self._prefix = f"{root}/"
        self._report, self._lost = report, lost
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._queue < 0:
            raise _error()
        self._loop = asyncio.get_running_loop()
        self._folders: dict[int, str] = {}
        self._root = -1
        self._new: set[str] = set()
        self._walking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Watch everything; a hint about everything follows. Raises OSError when the root cannot be."""
        self._root = self._add("")
        self._loop.add_reader(self._queue, self._readable)
        self._walk_soon("")
        if self._walking is not None:
            await self._walking

    def close(self) -> None:
        if self._queue < 0:
            return
        self._loop.remove_reader(self._queue)
        if self._timer is not None:
            self._timer.cancel()
        queue, self._queue = self._queue, -1
        if self._walking is None or self._walking.done():
            os.close(queue)
        else:  # a thread is adding watches to it
            self._walking.add_done_callback(lambda _: os.close(queue))

    # -- watches -------------------------------------------------------------------------------------

    def _add(self, folder: str) -> int:
        """Watch one folder, by its path below the root; the number that its events come under."""
        path = os.fsencode(self._prefix + folder)
        # The root may be a link that somebody opened; further down none is followed.
        number = self._libc.inotify_add_watch(self._queue, path, _WATCHED | (_NO_LINKS if folder else 0))
        if number < 0:
            raise _error()
        self._folders[number] = folder
        return number

    def _watch(self, folder: str) -> None:
        """In a thread: watch a folder and what is below it, each before it is listed."""
        pending = [folder]
        while pending and self._queue >= 0:
            here = pending.pop()
            try:
                self._add(here)
                with os.scandir(self._prefix + here) as entries:
                    inner = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            except OSError as error:  # gone again, not permitted, or the system has no more watches
                if error.errno in (errno.ENOSPC, errno.ENOMEM):
                    self.incomplete = True
                    return
                continue
            within = f"{here}/" if here else ""
            pending += [path for name in inner if not is_silent(path := within + name)]

    async def _walk(self) -> None:
        while self._new and self._queue >= 0:
            new, self._new = self._new, set()
            for folder in [""] if "" in new else sorted(new):
                await asyncio.to_thread(self._watch, folder)
            if self._queue >= 0:
                self._report(None if "" in new else told(new))

    def _walk_soon(self, folder: str) -> None:
        self._new.add(folder)
        if self._walking is None or self._walking.done():
            self._walking = self._loop.create_task(self._walk(), name="watcher")

    # -- events --------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = os.read(self._queue, _READ)
        except BlockingIOError:
            return
        self._loop.remove_reader(self._queue)
        more = len(data) > _READ // 2
        self._timer = self._loop.call_later(0 if more else GATHER, self._listen)
        self._take(data)

    def _listen(self) -> None:
        self._timer = None
        if self._queue >= 0:
            self._loop.add_reader(self._queue, self._readable)

    def _take(self, data: bytes) -> None:
        at = 0
        paths: set[str] = set()
        while at < len(data):
            number, mask, _, length = _EVENT.unpack_from(data, at)
            name = data[at + 16 : at + 16 + length].rstrip(b"\0")
            at += 16 + length
            if mask & _OVERFLOW:
                log.info("the kernel dropped events; looking at everything")
                self._walk_soon("")
            elif number == self._root and mask & _ROOT_LOST:
                self.close()
                return self._lost()
            elif mask & _IGNORED:
                self._folders.pop(number, None)
            elif name and (folder := self._folders.get(number)) is not None:
                path = f"{folder}/{os.fsdecode(name)}" if folder else os.fsdecode(name)
                if mask & _IS_FOLDER and mask & (_CREATE | _MOVED_TO):
                    if not is_silent(path):
                        self._walk_soon(path)
                else:
                    paths.add(path)
        if hints := told(paths):
            return self._report(hints)
        return self._report(None) if hints is None else None


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))

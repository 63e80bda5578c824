"""Work-done progress: a bar in the editor that may also be the way to stop the work."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from qwen_lsp.server.host import Server

log = logging.getLogger(__name__)

_INTERVAL = 0.1  # seconds between two reports: more than an eye can follow, less than a flood


class Progress:
    """One bar. Silent until the client has agreed to it, and when it has none."""

    def __init__(self, ls: Server, token: lsp.ProgressToken, title: str) -> None:
        self._ls = ls
        self.token = token
        self._begin = lsp.WorkDoneProgressBegin(title=title, cancellable=True, percentage=0)
        self._live = self._ended = False
        self._last = 0.0
        self._latest: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if not self._ended:
            self._live = True
            self._send(self._begin)

    def report(self, message: str, percentage: int | None = None) -> None:
        """Show this. Of reports that come too fast only the last is shown, a moment later."""
        self._forget_latest()
        if not self._live or self._ended:
            return
        wait = self._last + _INTERVAL - time.monotonic()
        if wait > 0:
            loop = asyncio.get_running_loop()
            self._latest = loop.call_later(wait, self.report, message, percentage)
            return
        self._last = time.monotonic()
        self._send(lsp.WorkDoneProgressReport(message=message, percentage=percentage))

    def _forget_latest(self) -> None:
        if self._latest is not None:
            self._latest.cancel()
            self._latest = None

    def end(self, message: str | None = None) -> None:
        self._forget_latest()
        if self._live and not self._ended:
            self._send(lsp.WorkDoneProgressEnd(message=message))
        self._ended = True

    def _send(
        self, value: lsp.WorkDoneProgressBegin | lsp.WorkDoneProgressReport | lsp.WorkDoneProgressEnd
    ) -> None:
        self._ls.rpc.notify_raw(lsp.PROGRESS, {"token": self.token, "value": self._ls.rpc.plain(value)})


@contextmanager
def progress(
    ls: Server, title: str, token: lsp.ProgressToken | None = None, stop: Callable[[], object] | None = None
) -> Generator[Progress]:
    """A bar around the current task: under the client's own token, else under one it is asked to make.

    The work does not wait for the client's answer; `window/workDoneProgress/cancel` cancels the task, or does
    what `stop` does.
    """
    own = token is None
    bar = Progress(ls, token if token is not None else str(uuid.uuid4()), title)
    task = asyncio.current_task()
    if stop is None and task is not None:
        stop = task.cancel
    if stop is not None:
        ls.working[bar.token] = stop
    if not own:
        bar.begin()
    elif ls.supports(lambda c: c.window and c.window.work_done_progress):
        ls.spawn(_create(ls, bar), "progress")
    try:
        yield bar
    finally:
        ls.working.pop(bar.token, None)
        bar.end()


async def _create(ls: Server, bar: Progress) -> None:
    try:
        token = bar.token
        await ls.rpc.ask(lsp.WINDOW_WORK_DONE_PROGRESS_CREATE, lsp.WorkDoneProgressCreateParams(token=token))
    except JsonRpcException as error:
        log.info("the client makes no progress bar: %s", error.message)
    else:
        bar.begin()


def cancel(ls: Server, params: lsp.WorkDoneProgressCancelParams) -> None:
    stop = ls.working.get(params.token)
    if stop is not None:
        stop()

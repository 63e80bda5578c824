"""One command from its start to its end: what it prints, its limits, and that nothing of it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox.command import Command, Ending, Exit, Limits
from qwen_lsp.sandbox.printing import Kept, Reader

_PIECE = 65_536
_FLOOD = 10
"""Times the limit of what is kept, at which a command that prints is ended."""
_FIRST_LOOK, _LOOK = 0.05, 0.1
_DRAIN = 10.0
"""Seconds for what the dead have left in a pipe: a busy machine takes its time."""
_ENDED = -9
"""The signal of what is ended here."""
_LAST_SIGNAL = 64


def start_in(root: Path, command: Command) -> tuple[str, ...]:
    """The words that run a command line in its folder. Raises SandboxFailed for one outside the root."""
    folder = root / command.folder
    if "\0" in command.line:
        raise SandboxFailed("a command line cannot have a null character")
    if "\0" in command.folder or ".." in Path(command.folder).parts or not folder.is_relative_to(root):
        raise SandboxFailed(f"{command.folder!r} is not a folder of the workspace")
    return "/bin/sh", "-c", 'cd -- "$1" && exec /bin/sh -c "$2"', "sh", str(folder), command.line


class Running(Protocol):
    """A command that has been started in a cage, with all that it starts."""

    @property
    def process(self) -> asyncio.subprocess.Process:
        """What is waited for; its output is that of the command, standard error included."""
        ...

    def kill(self) -> None:
        """End all of it; nothing happens when it has ended."""
        ...

    async def gone(self) -> None:
        """Return once nothing of it is left, and let go of what it took to watch it."""
        ...

    def exceeded(self) -> Ending | None:
        """The limit that it has gone beyond. Reads files; called in a thread."""
        ...

    async def status(self) -> int | None:
        """The exit status of the command, as a shell gives it; None when it never began."""
        ...


async def carry_out(running: Running, limits: Limits, on_output: Callable[[str], None]) -> Exit:
    """Wait for a command. Whatever happens here, cancelling included, nothing of it is left afterwards."""
    began = time.monotonic()
    kept = Kept(limits.output_bytes)
    reading = asyncio.create_task(_read(running.process, limits, kept, on_output))
    exiting = asyncio.create_task(_exit(running.process))
    watching = asyncio.create_task(_watch(running))
    tasks: set[asyncio.Task[Ending]] = {reading, exiting, watching}
    ending: Ending = "time"
    try:
        done, _ = await asyncio.wait(tasks, timeout=limits.seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in (exiting, watching, reading):  # of two at once, the one that says more
            if task in done:
                ending = task.result()
    finally:
        running.kill()
        await running.gone()
        if not reading.done():  # what it printed last
            await asyncio.wait({reading}, timeout=_DRAIN)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await drained(running.process)
    seconds = time.monotonic() - began
    if ending == "exited" and not reading.cancelled():
        ending = reading.result()  # its last pieces may have been too much
    if ending != "exited":
        return Exit(ending, _ENDED, kept.text(), seconds)
    status = await running.status()
    if status is None:
        raise SandboxFailed(kept.text().strip() or "the sandbox ended before the command began")
    signal = status - 128
    return Exit("exited", -signal if 0 < signal <= _LAST_SIGNAL else status, kept.text(), seconds)


async def _read(
    process: asyncio.subprocess.Process, limits: Limits, kept: Kept, on_output: Callable[[str], None]
) -> Ending:
    reader, total = Reader(), 0
    while data := await _piece(process):
        total += len(data)
        _tell(reader.feed(data), kept, on_output)
        if total > _FLOOD * limits.output_bytes:
            return "output"
    _tell(reader.feed(b"", last=True), kept, on_output)
    return await _exit(process)


async def _piece(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 (it is started with a pipe)
    return await process.stdout.read(_PIECE)


def _tell(text: str, kept: Kept, on_output: Callable[[str], None]) -> None:
    if text:
        kept.add(text)
        on_output(text)


async def _exit(process: asyncio.subprocess.Process) -> Ending:
    waiting = asyncio.ensure_future(process.wait())
    try:
        # The wait goes on for as long as anything holds the pipe, so it is not all that is looked at.
        while process.returncode is None:
            await asyncio.wait({waiting}, timeout=_LOOK)
    finally:
        waiting.cancel()
    return "exited"


async def drained(process: asyncio.subprocess.Process) -> None:
    """Read what is left, or the pipe stays open: nobody who could write to it is alive."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN):
            while await _piece(process):
                pass
            await process.wait()


async def _watch(running: Running) -> Ending:
    pause = _FIRST_LOOK
    while True:
        await asyncio.sleep(pause)
        ending = await asyncio.to_thread(running.exceeded)
        if ending is not None:
            return ending
        pause = _LOOK

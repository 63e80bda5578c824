"""A program that bubblewrap has started: held until its limits are set, ended by its first process.

All that a command starts is in one process namespace. When the first process of it ends, the kernel ends all
others, whatever they did to get away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox import groups
from qwen_lsp.sandbox.command import Ending, Limits
from qwen_lsp.sandbox.groups import Group
from qwen_lsp.sandbox.running import drained
from qwen_lsp.sandbox.watching import Room, Watch

_START_SECONDS = 20.0
_TASKS_PER_PROCESS = 8
"""Threads count as well, where the kernel counts."""
_FIRST_TO_GO = "1000"


@dataclass(slots=True)
class Caged:
    """One command in bubblewrap (the `Running` protocol)."""

    process: asyncio.subprocess.Process
    first: int
    """A descriptor for the first process of its namespace, which stays its own when numbers are reused."""
    said: asyncio.StreamReader
    watch: Watch
    group: Group | None = None
    _is_open: bool = True

    def kill(self) -> None:
        if not self._is_open:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)

    async def gone(self) -> None:
        if self._is_open:
            await _readable(self.first)
            self._is_open = False
            os.close(self.first)
            if self.group is not None:
                self.group.remove()

    def exceeded(self) -> Ending | None:
        ending = self.watch.exceeded()
        if ending is not None:
            self.kill()  # at once: where a thousand processes run, it is long until anything else does
        return ending

    async def status(self) -> int | None:
        for line in (await self.said.read()).splitlines():
            if isinstance(code := _read(line).get("exit-code"), int):
                return code
        return None


async def start(words: Sequence[str], descriptors: tuple[int, ...], room: Room) -> Caged:
    """Start a command line of bubblewrap with two more options, and let it go. Raises SandboxFailed."""
    starting = asyncio.ensure_future(_start(words, descriptors, room))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_end)  # a start that is given up half-way would leave a process behind
        await asyncio.wait({starting})
        if starting.exception() is None:
            await starting.result().gone()
            await drained(starting.result().process)
        raise


def _end(starting: asyncio.Future[Caged]) -> None:
    if not starting.cancelled() and starting.exception() is None:
        starting.result().kill()


async def _start(words: Sequence[str], descriptors: tuple[int, ...], room: Room) -> Caged:
    with contextlib.ExitStack() as opened:
        said, saying = os.pipe()
        reader = await _reader(said)
        waiting, going = os.pipe()
        opened.callback(os.close, going)
        with contextlib.ExitStack() as inherited:
            inherited.callback(os.close, saying)
            inherited.callback(os.close, waiting)
            ours = ("--json-status-fd", str(saying), "--block-fd", str(waiting))
            try:
                process = await asyncio.create_subprocess_exec(
                    words[0], *ours, *words[1:],
                    cwd="/", env={}, pass_fds=(*descriptors, saying, waiting), start_new_session=True,
                    stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                )  # fmt: skip
            except (OSError, ValueError) as error:
                raise SandboxFailed(f"{words[0]} cannot be started: {error}") from error
        first = None
        try:
            first = await _first(reader)
            _set_limits(first, room.limits)
            caged = Caged(process, os.pidfd_open(first), reader, Watch(first, room))
        except (OSError, TimeoutError, ValueError) as error:
            # All before the pipe to it is closed, which would let the command go.
            if first is not None:
                _kill(first)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise SandboxFailed(await _told(process) or f"bubblewrap cannot be held: {error}") from error
        if _is_unlimited():
            caged.group = await asyncio.to_thread(_grouped, first, room.limits)
        with contextlib.suppress(BrokenPipeError):  # it has failed meanwhile, and says why
            os.write(going, b".")
        return caged


async def _first(said: asyncio.StreamReader) -> int:
    """The process that all others in the cage descend from, by its number here. Raises ValueError."""
    async with asyncio.timeout(_START_SECONDS):
        line = await said.readline()
    number = _read(line).get("child-pid")
    if not isinstance(number, int):
        raise ValueError("it did not say which process is the first")
    return number


async def _told(process: asyncio.subprocess.Process) -> str:
    """What a sandbox said that could not be made."""
    assert process.stdout is not None  # noqa: S101 (it is started with a pipe)
    told = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START_SECONDS):
            told = await process.stdout.read(4_096)
    await drained(process)
    return told.decode("utf-8", "replace").strip()


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _set_limits(process: int, limits: Limits) -> None:
    """What the kernel itself holds, for a process that has not begun and all that it starts."""
    resource.prlimit(process, resource.RLIMIT_FSIZE, (limits.disk_bytes, limits.disk_bytes))
    # One byte, not none: a program of the host's that collects crashes is started in spite of a limit of 0.
    resource.prlimit(process, resource.RLIMIT_CORE, (1, 1))
    if _counts_by_namespace():
        most = limits.processes * _TASKS_PER_PROCESS
        resource.prlimit(process, resource.RLIMIT_NPROC, (most, most))
    with contextlib.suppress(OSError):
        Path(f"/proc/{process}/oom_score_adj").write_text(_FIRST_TO_GO, "ascii")


def _is_unlimited() -> bool:
    """Whether the kernel would not hold this user to a number of processes."""
    return os.geteuid() == 0 or not _counts_by_namespace()


def _grouped(process: int, limits: Limits) -> Group | None:
    """A control group around a process; changing it takes some milliseconds. None where there can be none."""
    group = groups.make()
    most = limits.processes * _TASKS_PER_PROCESS
    if group is not None and not group.hold(process, most, limits.memory_bytes + limits.disk_bytes):
        group.remove()
        return None
    return group


def _counts_by_namespace() -> bool:
    """Whether processes are counted in the cage alone (Linux 5.14), not with all others of the user."""
    parts = os.uname().release.split(".")[:2]
    return [int("".join(c for c in part if c.isdigit()) or 0) for part in parts] >= [5, 14]


async def _reader(descriptor: int) -> asyncio.StreamReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    return reader


def _read(line: bytes) -> dict[str, Any]:
    try:
        value: object = json.loads(line)
    except ValueError:
        return {}
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)

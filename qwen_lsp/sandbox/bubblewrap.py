"""Commands in bubblewrap: namespaces and mounts of their own, a filter of system calls, no capabilities.

What each option does is said in bwrap(1). The copy is mounted at the workspace's own path, so that paths in
what a command prints are those of the user.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import weakref
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox import mounts, seccomp
from qwen_lsp.sandbox.caged import start
from qwen_lsp.sandbox.command import Cage, Command, Exit, Limits
from qwen_lsp.sandbox.running import carry_out, start_in
from qwen_lsp.sandbox.toolchains import Toolchains, toolchains
from qwen_lsp.sandbox.watching import Room

_ALWAYS = (
    "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
    "--hostname", "sandbox",
)  # fmt: skip
_ROOM_TO_NOTICE = 16 * 1024 * 1024
"""What fits into a temporary folder beyond the limit, so that going beyond it is seen and said."""


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """Programs in bubblewrap (the `Sandbox` protocol)."""

    program: Path
    has: frozenset[str]
    """The options that this version has, of those that not every version has."""
    home: Path
    environ: Mapping[str, str] = field(repr=False)
    """The user's own; of it a command gets PATH, as far as it is shown, and nothing else."""
    read_only: tuple[Path, ...] = ()
    _found: dict[Path, Toolchains] = field(default_factory=dict[Path, Toolchains], repr=False, compare=False)

    @property
    def name(self) -> str:
        return "bubblewrap"

    async def run(
        self,
        cage: Cage,
        command: Command,
        limits: Limits,
        on_output: Callable[[str], None] = lambda text: None,
    ) -> Exit:
        """Run one command to its end. Raises SandboxFailed where the cage itself cannot be made."""
        # One command at a time in one copy: mounts are made by name, and a command beside it could put a link
        # in the place of a folder after `mounts` has looked at it.
        async with _turn(cage.scratch):
            return await self._run(cage, command, limits, on_output)

    async def _run(
        self, cage: Cage, command: Command, limits: Limits, on_output: Callable[[str], None]
    ) -> Exit:
        room = Room(cage.scratch, mounts.Home.around(cage.root, self.home).private, limits)
        with self.prepared(cage, command, limits.disk_bytes) as (words, descriptors):
            caged = await start(words, descriptors, room)
        return await carry_out(caged, limits, on_output)

    @contextlib.contextmanager
    def prepared(
        self, cage: Cage, command: Command, tmp_bytes: int
    ) -> Generator[tuple[list[str], tuple[int, ...]]]:
        """The command line of bwrap, and the descriptors it reads; to be started once. Raises SandboxFailed.

        The options go through a descriptor as well: programs in the sandbox see the command line.
        """
        program = seccomp.program(platform.machine(), unix_sockets=not cage.network)
        try:
            options = b"\0".join(os.fsencode(option) for option in self.options(cage, command, tmp_bytes))
        except OSError as error:
            raise SandboxFailed(f"The scratch copy cannot be shown: {error}") from error
        starting = start_in(cage.root, command)
        with _readable(program) as calls, _readable(options + b"\0") as mounted:
            words = [str(self.program), "--seccomp", str(calls), "--args", str(mounted)]
            yield [*words, "--", *starting], (calls, mounted)

    def options(self, cage: Cage, command: Command, tmp_bytes: int) -> list[str]:
        """What is unshared, mounted and set. Raises SandboxFailed."""
        home = mounts.Home.around(cage.root, self.home)
        found = self._found.get(cage.root)
        if found is None:  # looking takes longer than most commands
            found = self._found[cage.root] = toolchains(self.environ, self.home, cage.root)
        read_only = (*found.folders, *self.read_only, *cage.read_only)
        size = tmp_bytes + _ROOM_TO_NOTICE if "--size" in self.has else None
        arguments: list[str] = [*_ALWAYS]
        if "--disable-userns" in self.has:
            arguments.append("--disable-userns")
        if cage.network:
            arguments.append("--share-net")
        arguments += mounts.system() + mounts.hide(mounts.secrets())
        arguments += mounts.private(home, size)
        if cage.network:
            arguments += mounts.network()
        arguments += mounts.workspace(cage, read_only, self.home)
        arguments += ["--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/"]
        variables = {**found.environment(home.home), **command.environment}
        for name, value in variables.items():
            arguments += ["--setenv", name, value]
        return arguments


_turns: weakref.WeakValueDictionary[Path, asyncio.Lock] = weakref.WeakValueDictionary()


def _turn(scratch: Path) -> asyncio.Lock:
    return _turns.setdefault(scratch.resolve(), asyncio.Lock())


@contextlib.contextmanager
def _readable(data: bytes) -> Generator[int]:
    """A descriptor from which these bytes can be read once."""
    descriptor = os.memfd_create("qwen-lsp")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)

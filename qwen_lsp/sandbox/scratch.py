"""Scratch: a copy of the workspace for one agent run, in which commands see the fork and change nothing else.

Before a command the copy is fitted to the fork, after it what changed is read back into the fork. The copy
is made at the first command and removed with the run. The workspace itself is only ever read.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.sandbox.command import Cage, Command, Exit, Limits, Sandbox
from qwen_lsp.sandbox.fitting import Working
from qwen_lsp.sandbox.place import Place, default_place, remove
from qwen_lsp.sandbox.readback import LeftOut, read_back, undo
from qwen_lsp.sandbox.survey import Allowed
from qwen_lsp.workspace.paths import RelPath, folder_of

_Result = TypeVar("_Result")

_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0"}
"""The repository is lent read-only: git must not try to refresh its index."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it did to the fork."""

    fork: Snapshot
    """The fork with what the command changed. The one before it, where the command did not end by itself."""
    exit: Exit
    changed: tuple[RelPath, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    """Changes that were not taken, each with the reason; they may still be in the scratch copy."""
    touchy: tuple[tuple[RelPath, str | None], ...] = ()
    """Changes of lock files and the like, which want leave: the text after them, or None for a deletion.
    They are not in `fork`; whoever has leave puts them there."""


@dataclass(slots=True)
class Scratch:
    """The copy of one run. One command runs at a time; others wait."""

    root: Path
    sandbox: Sandbox
    allowed: Allowed
    read_only: tuple[Path, ...] = ()
    """Folders elsewhere that commands may look at, such as toolchains."""
    place: Path = field(default_factory=default_place)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _place: Place | None = None
    _working: Working | None = None
    _unsettled: bool = False

    @classmethod
    def at(
        cls,
        root: Path,
        sandbox: Sandbox,
        *,
        allowed: Allowed,
        read_only: Sequence[Path] = (),
        place: Path | None = None,
    ) -> Scratch:
        """A scratch copy of the workspace at `root`, for `async with`; nothing is copied yet.

        `allowed` says by name why a file is withheld (`Gate.withholds`): what a command prints is read by
        the model, so such a file is not copied. `place` is the folder of all copies, when not the user's.
        """
        return cls(root, sandbox, allowed, tuple(read_only), place or default_place())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._lock:
            place, self._place, self._working = self._place, None, None
            if place is not None:
                await _in_thread(lambda stopped: place.release())

    @property
    def absent(self) -> tuple[LeftOut, ...]:
        """What of the workspace commands do not see, each with the reason; known after the first command."""
        return tuple(self._working.survey.absent) if self._working is not None else ()

    async def run(
        self,
        fork: Snapshot,
        command: Command,
        limits: Limits | None = None,
        on_output: Callable[[str], None] = lambda text: None,
        *,
        network: bool = False,
    ) -> Ran:
        """Run one command on the fork's files.

        Raises SandboxFailed where nothing could be run, and WorkspaceError for a text of the fork that its
        file cannot hold. Cancelling kills the command; what it changed is not in any fork.
        """
        async with self._lock:
            working = await self._ready(fork)
            lent = await _in_thread(lambda stopped: working.lendable())
            elsewhere = dict.fromkeys((*self.read_only, *working.survey.beyond))
            cage = Cage(self.root, working.copy, (*lent, *elsewhere), network)
            self._unsettled = True
            command = self._at_home(command, working)
            ended = await self.sandbox.run(cage, command, limits or Limits(), on_output)
            if ended.ending != "exited":
                left_out = ((RelPath("."), "the command was stopped, so nothing it changed was taken"),)
                return Ran(fork, ended, (), left_out)
            try:
                taken = await _in_thread(lambda stopped: read_back(working, fork))
            except OSError as error:  # whatever it is now, it is no copy any more
                self._working = None
                left_out = ((RelPath("."), f"what it changed cannot be read: {error.strerror or error}"),)
                return Ran(fork, ended, (), left_out)
            self._unsettled = False
            return Ran(taken.fork, ended, tuple(taken.changed), tuple(taken.left_out), tuple(taken.touchy))

    async def _ready(self, fork: Snapshot) -> Working:
        """The copy, fitted to the fork."""
        try:
            if self._working is None:
                self._working = await _in_thread(self._make)
            working = self._working
            if self._unsettled:
                await _in_thread(lambda stopped: undo(working))
            await _in_thread(lambda stopped: working.fit(fork))
        except OSError as error:
            raise SandboxFailed(f"The scratch copy cannot be made: {error.strerror or error}.") from error
        self._unsettled = False
        return working

    def _at_home(self, command: Command, working: Working) -> Command:
        """The command with the project's programs before all others, as if its environment were active."""
        folders: list[str] = []
        environment = dict(_ENVIRONMENT)
        nearest = nearest_above(working.survey.environments, command.folder)
        if nearest is not None:
            environment["VIRTUAL_ENV"] = str(self.root / nearest)
            folders.append(str(self.root / nearest / "bin"))
        packages = [path for path in working.survey.lent if path.rpartition("/")[2] == "node_modules"]
        nearest = nearest_above(packages, command.folder)
        if nearest is not None:
            folders.append(str(self.root / nearest / ".bin"))
        line = command.line
        if folders:
            line = f"PATH={shlex.quote(':'.join(folders))}:$PATH; export PATH; {line}"
        return replace(command, line=line, environment={**environment, **command.environment})

    def _make(self, stopped: list[bool]) -> Working:
        self._place = self._place or Place.new(self.place)
        copy = self._place.folder / "copy"
        remove(copy)  # what is left of one that was not finished
        copy.mkdir(mode=0o700)
        self._unsettled = False
        return Working.made(self.root, copy, self.allowed, stopped)


def nearest_above(paths: Iterable[RelPath], folder: str) -> RelPath | None:
    """Of these, the one whose own folder is `folder` or the nearest above it; None where there is none."""
    fitting = [p for p in paths if not (at := folder_of(p)) or f"{folder}/".startswith(f"{at}/")]
    return max(fitting, key=lambda p: (p.count("/"), p == ".venv" or p.endswith("/.venv")), default=None)


async def _in_thread(work: Callable[[list[bool]], _Result]) -> _Result:
    """Work in a thread that is waited for even when this is cancelled: it must not go on behind our back.

    `work` gets a list that is not empty once it should end early.
    """
    stopped: list[bool] = []
    task = asyncio.ensure_future(asyncio.to_thread(work, stopped))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stopped.append(True)
        await asyncio.wait([task])
        raise

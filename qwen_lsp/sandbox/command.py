"""What is run, within which limits, and what came of it: the seam between the agent and a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Ending = Literal["exited", "time", "output", "memory", "processes", "disk"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one command may use. Whatever goes beyond is killed with all it has started."""

    seconds: float = 120.0
    output_bytes: int = 1_000_000
    """Of what it prints; the middle is left out of longer output, and it is killed at ten times as much."""
    memory_bytes: int = 4 * 1024**3
    """Resident memory of all its processes together."""
    processes: int = 256
    disk_bytes: int = 2 * 1024**3
    """What it may add to the scratch copy and its temporary folder together."""


@dataclass(frozen=True, slots=True)
class Cage:
    """What a command sees of the disk. Nothing else of the user's is there at all."""

    root: Path
    """The workspace's own path: where the scratch copy appears inside, writable."""
    scratch: Path
    """Where the copy really is."""
    read_only: tuple[Path, ...] = ()
    """Absolute paths that appear where they are and cannot be written: heavy ignored folders, toolchains."""
    network: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One command line for `/bin/sh`, in a folder below the root, with its own environment variables."""

    line: str
    folder: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Exit:
    """How a command ended."""

    ending: Ending
    status: int
    """Exit status; negative: the signal that ended it. Meaningless unless `ending` is "exited"."""
    output: str
    """Standard output and error as they came, decoded, without control sequences, within the limit."""
    seconds: float


class Sandbox(Protocol):
    """A way to run programs in a cage. Cancelling `run` kills everything the command has started."""

    @property
    def name(self) -> str:
        """As the doctor and the receipts call it, such as "bubblewrap"."""
        ...

    async def run(
        self,
        cage: Cage,
        command: Command,
        limits: Limits,
        on_output: Callable[[str], None] = lambda text: None,
    ) -> Exit:
        """Run one command to its end. Raises SandboxFailed where the cage itself cannot be made."""
        ...


@dataclass(frozen=True, slots=True)
class NoSandbox:
    """Why commands are off on this system, and what would turn them on."""

    reason: str
    advice: str

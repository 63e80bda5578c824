"""A control group for one command: the kernel itself then refuses more processes and memory than it may use.

Needed where the limit per user is not: the kernel does not hold root to it. Where no group can be made, what
is left is to look often and end what has gone too far (see cgroups(7)).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path

_numbers = itertools.count()
_left: set[Path] = set()


@dataclass(frozen=True, slots=True)
class Group:
    """One group of ours, which only processes of one command are in."""

    folder: Path

    def hold(self, process: int, tasks: int, memory: int) -> bool:
        """Put a process into it, with all that it will start. False when the kernel refuses."""
        try:
            (self.folder / "pids.max").write_text(str(tasks), "ascii")
            with contextlib.suppress(
                OSError
            ):  # another hierarchy has it where groups are of the first version
                (self.folder / "memory.max").write_text(str(memory), "ascii")
            (self.folder / "cgroup.procs").write_text(str(process), "ascii")
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """Take it away, now that nothing is in it. If the kernel is not done with it, the next one does it."""
        try:
            self.folder.rmdir()
        except OSError:
            _left.add(self.folder)


def _sweep(parent: Path) -> None:
    """Take away what is left of groups here: ours that were in use then, and those of programs that died."""
    for folder in parent.glob("qwen-lsp-*-*"):
        if folder in _left or not Path("/proc", folder.name.split("-")[2]).exists():
            with contextlib.suppress(OSError):  # one that is in use cannot be taken away
                folder.rmdir()
                _left.discard(folder)


def make(proc: Path = Path("/proc/self")) -> Group | None:
    """A new group that can limit processes, as near to our own as one can be made; None where none can."""
    try:
        own = (proc / "cgroup").read_text("utf-8")
        mounted = (proc / "mountinfo").read_text("utf-8")
    except OSError:
        return None
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" or "pids" in controllers.split(","):
            top = _mounted_at(mounted, controllers)
            made = None if top is None else _made_below(top, path)
            if made is not None:
                return made
    return None


def _mounted_at(mountinfo: str, controllers: str) -> Path | None:
    """Where the hierarchy with these controllers is mounted; without any, that of the second version."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        root, at = before.split(" ")[3:5]
        kind, _, options = after.split(" ", 2)
        wanted = kind == "cgroup2" if not controllers else kind == "cgroup" and "pids" in options.split(",")
        if wanted and root == "/":
            return Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), at))
    return None


def _made_below(top: Path, path: str) -> Group | None:
    own = top / path.lstrip("/")
    for parent in (own, *own.parents):
        if not parent.is_relative_to(top):
            return None
        folder = parent / f"qwen-lsp-{os.getpid()}-{next(_numbers)}"
        with contextlib.suppress(OSError):
            _sweep(parent)
            folder.mkdir()
            # Of the second version, a group can limit only what its parent passes on.
            if (folder / "pids.max").exists():
                return Group(folder)
            folder.rmdir()
    return None

"""What a cage uses: processes, memory, disk, as /proc and the file systems say, without its help."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.sandbox.command import Ending, Limits

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4_096
_BLOCK = 512
_INODE = 1_024
"""Bytes of memory that an empty file of a temporary file system takes."""
_HELD_EVERY = 5
"""Looks between two at open files."""
_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)
_MARGIN_NS = 50_000_000
"""The clock of a file system is behind by a tick."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where a command may write, and how much of everything it may use."""

    scratch: Path
    private: tuple[Path, ...]
    """Its own temporary file systems, as they are called inside."""
    limits: Limits


class Growth:
    """What is added to a folder from now on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._began_ns = time.time_ns() - _MARGIN_NS
        self._free = _free(folder)

    def since(self, enough: int, deleted: int = 0) -> int:
        """Bytes written since then, `deleted` ones too; 0 where the disk lost no more than `enough`.

        A walk through the folder costs more than most commands, so the disk is asked first. What it lost is
        the answer where some of the folder cannot be looked into: a command may hide what it writes.
        """
        lost = self._free - _free(self._folder)
        if lost + deleted <= enough:
            return 0
        written = _changed_since(self._folder, self._began_ns)
        return deleted + (lost if written is None else written)


@dataclass(slots=True)
class Watch:
    """Looks at a cage from outside. One thread at a time."""

    first: int
    """The process that all others in it descend from, by its number here."""
    room: Room
    _growth: Growth = field(init=False)
    _looks: int = 0
    _held: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self._growth = Growth(self.room.scratch)

    def exceeded(self) -> Ending | None:
        """The limit that has been passed, if any. Raises nothing: processes end while one looks."""
        limits = self.room.limits
        processes = list(_tree(self.first, limits.processes + 1))
        if len(processes) > limits.processes:
            return "processes"
        if self._looks % _HELD_EVERY == 0:
            self._held = _held(processes, self.room.scratch)
        self._looks += 1
        hidden, deleted = self._held
        # The first sum counts shared pages once per process; what they really take is slow to ask for.
        most = limits.memory_bytes - hidden
        if _resident(processes) > most and sum(map(_proportional, processes)) > most:
            return "memory"
        if self._temporary() + self._growth.since(limits.disk_bytes // 2, deleted) > limits.disk_bytes:
            return "disk"
        return None

    def _temporary(self) -> int:
        """Bytes in the temporary file systems, which are memory."""
        total = 0
        for folder in self.room.private:
            with contextlib.suppress(OSError):
                inside = Path(f"/proc/{self.first}/root{folder}")
                if folder.exists() and inside.stat().st_dev == folder.stat().st_dev:
                    continue  # it is still on its way in, and sees what is here
                found = os.statvfs(inside)
                total += (found.f_blocks - found.f_bfree) * found.f_frsize
                total += (found.f_files - found.f_ffree) * _INODE
        return total


def _tree(first: int, most: int) -> Iterator[int]:
    """A process and all that descend from it, at most `most` of them."""
    waiting, given = [first], 0
    while waiting and given < most:
        process = waiting.pop()
        yield process
        given += 1
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                waiting += map(int, (task / "children").read_bytes().split())


def _resident(processes: Sequence[int]) -> int:
    total = 0
    for process in processes:
        with contextlib.suppress(OSError, IndexError, ValueError):
            total += int(Path(f"/proc/{process}/statm").read_bytes().split()[1]) * _PAGE
    return total


def _proportional(process: int) -> int:
    """Bytes of memory, shared ones divided by how many share them."""
    with contextlib.suppress(OSError):
        found = _PSS.search(Path(f"/proc/{process}/smaps_rollup").read_bytes())
        if found:
            return int(found[1]) * 1_024
    return 0


def _held(processes: Sequence[int], scratch: Path) -> tuple[int, int]:
    """Bytes that only open files keep: memory without a name, and deleted files on the disk of the copy."""
    with contextlib.suppress(OSError):
        disk = scratch.stat().st_dev
        found: dict[tuple[int, int], tuple[bool, int]] = {}
        for process in processes:
            for link in _open_files(process):
                with contextlib.suppress(OSError):
                    target = str(link.readlink())
                    if not target.endswith(" (deleted)"):
                        continue
                    of = link.stat()
                    is_memory = target.startswith("/memfd:")
                    if is_memory or of.st_dev == disk:
                        found[of.st_dev, of.st_ino] = (is_memory, of.st_blocks * _BLOCK)
        memory = sum(size for is_memory, size in found.values() if is_memory)
        return memory, sum(size for is_memory, size in found.values() if not is_memory)
    return 0, 0


def _open_files(process: int) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from Path(f"/proc/{process}/fd").iterdir()


def _free(folder: Path) -> int:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bfree * found.f_frsize


def _changed_since(folder: Path, moment_ns: int) -> int | None:
    """Bytes of the files below a folder that were written or made since then. Follows no link.

    None where a folder cannot be looked into: it is too deep, or a command took the right to away.
    """
    total = 0
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):
                        found = entry.stat(follow_symlinks=False)
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        if found.st_ctime_ns >= moment_ns:
                            total += found.st_blocks * _BLOCK
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return total

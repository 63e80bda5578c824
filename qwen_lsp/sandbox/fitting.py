"""The scratch copy made to hold what a fork says: a file's text in its own encoding, or the workspace's own.

A command may have left anything in the copy. Whatever stands in the way of a file, such as a link where its
folder was, is removed and never followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as modes
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index.buffers import Buffer
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.sandbox.copying import Copier, Pair, Signature, TooMuch, signature
from qwen_lsp.sandbox.place import FOLDER, clear
from qwen_lsp.sandbox.survey import Allowed, Survey, survey
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.guard import guarded
from qwen_lsp.workspace.paths import RelPath

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
_SECOND = 1_000_000_000
_TEMPORARY = ".qwen-lsp-fitting.tmp"


@dataclass(slots=True)
class Working:
    """A scratch copy, and what it held when it was last looked at."""

    root: Path
    copy: Path
    allowed: Allowed
    survey: Survey
    guarded: tuple[RelPath, ...] = ()
    """What no command may write in this workspace, besides what is protected in all."""
    known: dict[RelPath, Pair] = field(default_factory=dict[RelPath, Pair])
    """Files and links whose changes are read back."""
    untaken: dict[RelPath, Signature] = field(default_factory=dict[RelPath, Signature])
    """What commands made and was left out, and told once."""
    stale: set[RelPath] = field(default_factory=set[RelPath])
    """What is not as the fork has it, and is put right before the next command."""
    times: dict[RelPath, int] = field(default_factory=dict[RelPath, int])
    """The latest time that a written file was given, in nanoseconds."""
    held: Snapshot | None = None
    """The fork that the copy was last fitted to."""

    @classmethod
    def made(cls, root: Path, copy: Path, allowed: Allowed, stopped: list[bool]) -> Working:
        """Copy a workspace into an empty folder. Ends early, with half of it, once `stopped` is not empty."""
        found = survey(root, allowed)
        copier = Copier(root, copy)
        working = cls(root, copy, allowed, found, guarded(root))
        for folder, names in found.files.items():
            if stopped:
                break
            working.known.update(copier.folder(folder, names))
        for folder, names in found.extras.items():
            if stopped:
                break
            copier.folder(folder, names)
        found.absent += copier.absent
        return working

    def fit(self, fork: Snapshot) -> None:
        """Bring the copy to the state of a fork. Raises WorkspaceError for a text its file cannot hold."""
        before = self.held.buffers if self.held is not None else dict[RelPath, Buffer]()
        differing = {p for p in {*fork.buffers, *before} if fork.buffers.get(p) is not before.get(p)}
        runnable = self.held.modes if self.held is not None else dict[RelPath, bool]()
        differing |= {p for p in {*fork.modes, *runnable} if fork.modes.get(p) != runnable.get(p)}
        self.stale |= differing | self._changed_meanwhile(fork)
        for path in sorted(self.stale):
            self._put(fork, path)
            self.stale.discard(path)
        self.held = fork

    def lendable(self) -> list[Path]:
        """The lent folders that can be put in their place: no link stands on the way there.

        Each gets an empty folder to lie over. Where a command has left a link on the way it is not lent:
        what would be made behind that link is not in the copy.
        """
        ready: list[Path] = []
        for path in self.survey.lent:
            try:
                with _folder(self.copy, path, clear=False):
                    ready.append(self.root / path)
            except OSError:
                continue
        return ready

    def _changed_meanwhile(self, fork: Snapshot) -> set[RelPath]:
        """Files that the user has changed since they were copied, and over which the fork has nothing."""
        changed: set[RelPath] = set()
        prefix, buffers = f"{self.root}/", fork.buffers
        for path, pair in self.known.items():
            if pair.source is not None and path not in buffers:
                try:
                    same = signature(os.lstat(prefix + path)) == pair.source
                except OSError:
                    same = False
                if not same:
                    changed.add(path)
        return changed

    def _put(self, fork: Snapshot, path: RelPath) -> None:
        """Make one name what it should be: of the fork, of the workspace, or nothing."""
        folder, _, name = path.rpartition("/")
        buffer = fork.buffers.get(path)
        before = self.known.pop(path, None)
        self.untaken.pop(path, None)
        if buffer is None or buffer.text is None:
            from_workspace = buffer is None and source_signature(self.root, path) is not None
            if not from_workspace or self._is_withheld(path):
                _remove(self.copy, path)
                return
        with _folder(self.copy, folder) as target:
            if buffer is not None and buffer.text is not None:
                self.known[path] = self._write(target, fork, path, buffer.text, before)
                return
            clear(target, name)
            with contextlib.suppress(OSError, TooMuch), open_folder(self.root, folder) as source:
                pair = Copier(self.root, self.copy).one(source, target, name, folder)
                if path in fork.modes:
                    pair = Pair(pair.source, _made_executable(target, name, fork.modes[path]))
                self.known[path] = pair

    def _is_withheld(self, path: RelPath) -> bool:
        return self.allowed(path) is not None or self.survey.rules.hides(path)

    def _write(self, target: int, fork: Snapshot, path: RelPath, text: str, before: Pair | None) -> Pair:
        name = path.rpartition("/")[2]
        like = like_on_disk(self.root, path)
        try:
            data = disk.encode(text, like)
        except WorkspaceError as error:
            raise WorkspaceError(f"{path}: {error}") from None
        source = source_signature(self.root, path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_TEMPORARY, dir_fd=target)
        descriptor = os.open(_TEMPORARY, _NEW, 0o666, dir_fd=target)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(data)
            mode = (source[0] if source is not None else os.fstat(descriptor).st_mode) & 0o777
            os.fchmod(descriptor, _with_right_to_run(mode, fork.executable(path)))
            self._stamp(descriptor, path, [each for each in (source, before and before.copy) if each])
        finally:
            os.close(descriptor)
        if _is_folder(target, name):
            clear(target, name)
        os.rename(_TEMPORARY, name, src_dir_fd=target, dst_dir_fd=target)
        return Pair(source, signature(os.stat(name, dir_fd=target, follow_symlinks=False)))

    def _stamp(self, descriptor: int, path: RelPath, earlier: Sequence[Signature]) -> None:
        """Give a file a time of its own, without parts of a microsecond: no later write has it by chance.

        Python takes a source of the same second and the same size for the one it has compiled.
        """
        found = os.fstat(descriptor)
        now = found.st_mtime_ns // 1_000 * 1_000
        if path.endswith((".py", ".pyi")):
            latest = max((*(each[2] for each in earlier), self.times.get(path, 0)), default=0)
            if now // _SECOND <= latest // _SECOND:
                now = (latest // _SECOND + 1) * _SECOND
            self.times[path] = now
        os.utime(descriptor, ns=(now, now))


def source_signature(root: Path, path: RelPath) -> Signature | None:
    """What the file is in the workspace by now; None where it is not."""
    try:
        return signature(os.lstat(root / path))
    except (OSError, ValueError):
        return None


def like_on_disk(root: Path, path: RelPath) -> disk.TextFile | None:
    """The workspace's own file, for its encoding; None where there is none."""
    try:
        return disk.read(root, path)
    except WorkspaceError:
        return None


@contextlib.contextmanager
def open_folder(top: Path, folder: str) -> Generator[int]:
    """A folder as it is, through no link. Raises OSError."""
    with _folder(top, folder, clear=False, make=False) as descriptor:
        yield descriptor


@contextlib.contextmanager
def _folder(top: Path, folder: str, *, clear: bool = True, make: bool = True) -> Generator[int]:
    """A descriptor of a folder, made where it is missing; `clear` removes what stands in its place."""
    descriptor = os.open(top, FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        for part in filter(None, folder.split("/")):
            try:
                inner = os.open(part, FOLDER, dir_fd=descriptor)
            except FileNotFoundError:
                if not make:
                    raise
                os.mkdir(part, dir_fd=descriptor)
                inner = os.open(part, FOLDER, dir_fd=descriptor)
            except OSError as error:
                if not clear or error.errno not in (errno.ENOTDIR, errno.ELOOP):  # a file or a link
                    raise
                os.unlink(part, dir_fd=descriptor)
                os.mkdir(part, dir_fd=descriptor)
                inner = os.open(part, FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _is_folder(folder: int, name: str) -> bool:
    try:
        return modes.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _with_right_to_run(mode: int, executable: bool) -> int:
    """Whoever may read a program may run it; nobody may run what is none."""
    return mode | (mode & 0o444) >> 2 if executable else mode & ~0o111


def _made_executable(folder: int, name: str, executable: bool) -> Signature:
    """What the file is after it was given the right to be run, or it was taken away. Raises OSError."""
    descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0), dir_fd=folder)
    try:
        os.fchmod(descriptor, _with_right_to_run(os.fstat(descriptor).st_mode & 0o777, executable))
        return signature(os.fstat(descriptor))
    finally:
        os.close(descriptor)


def _remove(top: Path, path: RelPath) -> None:
    folder, _, name = path.rpartition("/")
    with contextlib.suppress(OSError), open_folder(top, folder) as descriptor:
        clear(descriptor, name)

"""The files of a workspace as they are on disk: list, stat, read. Never follows a link out of the root."""

from __future__ import annotations

import hashlib
import os
import stat as modes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from qwen_lsp.errors import FileUnreadable, WorkspaceError
from qwen_lsp.workspace import beneath, encodings, git
from qwen_lsp.workspace.ignore import IgnoreRules, derived_patterns, reason_to_skip
from qwen_lsp.workspace.paths import RelPath

LARGEST = 64 * 1024 * 1024
"""Nothing larger is ever read as text."""

_MIXER, _LARGEST_INTEGER = 0x9E37_79B9_7F4A_7C15, (1 << 63) - 1
_DEEPEST_NESTING = 8
_PSEUDO_FILE_SYSTEMS = frozenset(
    {
        "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "debugfs", "tracefs",
        "securityfs", "configfs", "mqueue", "pstore", "bpf",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stat:
    """What tells cheaply whether a file changed.

    `mtime_ns` is no date but a stamp of both times that the system keeps. Anybody can set back when a file
    was written, and a rename brings a file with times of its own; nobody can set its change time.
    """

    size: int
    mtime_ns: int
    written_ns: int = field(default=0, compare=False)
    """When the file was written, as far as it can be known."""

    @classmethod
    def of(cls, found: os.stat_result) -> Stat:
        stamp = found.st_mtime_ns + found.st_ctime_ns * _MIXER
        return cls(found.st_size, stamp & _LARGEST_INTEGER, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that count. `skipped` says why others do not; ignored ones are in neither.

    Another class that takes `file` and `skip` can look at each of many files and keep none.
    """

    files: dict[RelPath, Stat]
    skipped: dict[RelPath, str]

    def file(self, path: RelPath, stat: Stat) -> None:
        self.files[path] = stat

    def skip(self, path: RelPath, reason: str) -> None:
        self.skipped[path] = reason


class Sink(Protocol):
    """What takes a listing, file by file; no path twice."""

    def file(self, path: RelPath, stat: Stat) -> None: ...
    def skip(self, path: RelPath, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's text with its line endings, and what is needed to write it back byte for byte."""

    text: str
    encoding: str
    bom: bool
    digest: str
    stat: Stat


def list_files(root: Path, *, exclude: Sequence[str] = (), max_bytes: int) -> Listing:
    """Every file below `root` that is not ignored; `exclude` is more to leave out, in .gitignore syntax.

    Asks git where it can, since git knows what is tracked, and walks the folders otherwise. A root that
    is not there has no files.
    """
    listing = Listing({}, {})
    list_into(listing, root, exclude=exclude, max_bytes=max_bytes)
    return listing


def list_into(into: Sink, root: Path, *, exclude: Sequence[str] = (), max_bytes: int) -> None:
    """The same, handing over one file after another."""
    rules = IgnoreRules.load(root, exclude)
    names = _from_git(root, rules) if rules.in_repository else None
    if names is None:
        _walk(root, "", rules, into, max_bytes)
    else:
        _look(root, names, rules, into, max_bytes, _DEEPEST_NESTING)


def tracked_though_ignored(root: Path, exclude: Sequence[str] = ()) -> frozenset[str]:
    """The files that count only because git tracks them: what `git add -f` and `git rm --cached` change."""
    rules = IgnoreRules.load(root, exclude)
    if not rules.in_repository:
        return frozenset()
    derived = [f"--exclude={pattern}" for pattern in derived_patterns(rules.own)]
    printed = git.run(root, ["ls-files", "-z", "-ci", "--exclude-standard", *derived])
    return frozenset(filter(None, os.fsdecode(printed or b"").split("\0")))


def read(root: Path, path: RelPath, max_bytes: int = LARGEST) -> TextFile:
    """The text of one file. Raises FileUnreadable with a short reason, or OutsideWorkspace."""
    return text_file(path, *beneath.read_bytes(root, path, max_bytes))


def executable(root: Path, path: RelPath) -> bool:
    """Whether a regular file may be run by its owner; False for anything else, and where nothing is."""
    try:
        found = os.lstat(root / path)
    except (OSError, ValueError):
        return False
    return modes.S_ISREG(found.st_mode) and bool(found.st_mode & modes.S_IXUSR)


def holds(root: Path, path: RelPath, word: bytes) -> bool:
    """Whether a file has these bytes somewhere. Raises what `read` raises, except that it is no text."""
    return word in beneath.read_bytes(root, path, LARGEST)[0]


def text_file(path: RelPath, data: bytes, found: os.stat_result) -> TextFile:
    """The text of a file whose bytes are at hand. Raises FileUnreadable where they are no text."""
    decoded = encodings.decode(data)
    if decoded is None:
        raise FileUnreadable(path, "binary")
    text, encoding, bom = decoded
    return TextFile(text, encoding, bom, digest(data), Stat.of(found))


def encode(text: str, like: TextFile | None) -> bytes:
    """The bytes of `text` as the file had them: its encoding, its byte order mark. A new file is UTF-8.

    Raises WorkspaceError for a character that the file's encoding does not have.
    """
    encoding = "utf-8" if like is None else like.encoding
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError as error:
        character = text[error.start]
        raise WorkspaceError(
            f"the file is in {encoding}, which has no {character!a}; save it as UTF-8 first"
        ) from None
    return encodings.mark_of(encoding) + data if like is not None and like.bom else data


def digest(data: bytes) -> str:
    """The name of a content: BLAKE2b, 128 bits, in hexadecimal."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _from_git(root: Path, rules: IgnoreRules) -> Iterator[str] | None:
    derived = [f"--exclude={pattern}" for pattern in derived_patterns(rules.own)]
    printed = git.run(root, ["ls-files", "-z", "-co", "--exclude-standard", *derived])
    return None if printed is None else _names(printed)


def _names(printed: bytes) -> Iterator[str]:
    """Names that git printed, one at a time: there may be a hundred thousand."""
    last, at = b"", 0
    while (end := printed.find(b"\0", at)) >= 0:
        name, at = printed[at:end], end + 1
        if name != last:  # a file with a merge conflict is printed once for each side
            yield os.fsdecode(name)
        last = name


def _look(
    root: Path, names: Iterable[str], rules: IgnoreRules, into: Sink, max_bytes: int, nesting: int
) -> None:
    """Stat what git named. Git lists a tracked path even where a link has taken its folder's place."""
    real = {"": True}
    pseudo = tuple(pseudo_mounts(root))
    prefix = f"{root}/"
    for name in names:
        path = RelPath(name.rstrip("/"))
        folder = path.rpartition("/")[0]
        if not (real[folder] if folder in real else _is_real(prefix, folder, real)):
            continue
        if rules.hides(path) or path.startswith(pseudo):
            continue
        try:
            found = os.lstat(prefix + path)
        except (OSError, ValueError):  # deleted, but still in git's index
            continue
        if modes.S_ISDIR(found.st_mode):
            _nested(root, path, rules, into, max_bytes, nesting)
        else:
            _file(path, found, into, max_bytes)


def _nested(root: Path, path: RelPath, rules: IgnoreRules, into: Sink, max_bytes: int, nesting: int) -> None:
    """A submodule or a repository inside the repository: its files belong to the workspace as well."""
    inner = root / path
    if nesting == 0 or not git.is_repository(inner):
        return  # a submodule that was never checked out
    names = _from_git(inner, rules)
    if names is None:
        _walk(root, path, rules, into, max_bytes)
    else:
        _look(root, (f"{path}/{name}" for name in names), rules, into, max_bytes, nesting - 1)


def _walk(root: Path, start: str, rules: IgnoreRules, into: Sink, max_bytes: int) -> None:
    """The same without git. Not recursive: a tree can be deeper than the stack."""
    pseudo = set(pseudo_mounts(root))
    top = f"{root}/"
    folders = [start]
    while folders:
        folder = folders.pop()
        prefix = f"{folder}/" if folder else ""
        try:
            with os.scandir(top + folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError:  # gone, not permitted, or its name has grown too long
            continue
        rules.seen(folder, {entry.name for entry in entries})
        for entry in entries:
            path = RelPath(prefix + entry.name)
            try:
                is_dir = entry.is_dir(follow_symlinks=False)
                if rules.ignores_here(path, is_dir):
                    continue
                if not is_dir:
                    _file(path, entry.stat(follow_symlinks=False), into, max_bytes)
                elif f"{path}/" not in pseudo:
                    folders.append(path)
            except OSError:
                continue


def _file(path: RelPath, found: os.stat_result, into: Sink, max_bytes: int) -> None:
    if modes.S_ISLNK(found.st_mode):
        into.skip(path, "link")
    elif not modes.S_ISREG(found.st_mode):
        into.skip(path, "not a regular file")
    elif reason := reason_to_skip(path, found.st_size, max_bytes):
        into.skip(path, reason)
    else:
        into.file(path, Stat.of(found))


def _is_real(prefix: str, folder: str, known: dict[str, bool]) -> bool:
    """Whether neither `folder` nor one above it is a link."""
    above = folder.rpartition("/")[0]
    real = known[above] if above in known else _is_real(prefix, above, known)
    if real:
        try:
            real = modes.S_ISDIR(os.lstat(prefix + folder).st_mode)
        except (OSError, ValueError):
            real = False
    known[folder] = real
    return real


def pseudo_mounts(root: Path) -> Iterator[str]:
    """Folders below the root where the kernel shows itself as files: /proc and the like."""
    try:
        table = Path("/proc/self/mounts").read_bytes()
    except OSError:
        return
    start = f"{root.as_posix().rstrip('/')}/"
    for line in table.split(b"\n"):
        _, _, rest = line.partition(b" ")
        where, _, rest = rest.partition(b" ")
        if rest.split(b" ")[0].decode("latin-1") in _PSEUDO_FILE_SYSTEMS:
            mount = os.fsdecode(where.replace(b"\\040", b" "))
            if mount.startswith(start):
                yield mount[len(start) :] + "/"

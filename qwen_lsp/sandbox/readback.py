"""What a command changed in the scratch copy, taken into the fork where it may be, and told where not.

Only text is taken, of files that count, in an encoding that gives the same bytes again when it lands.
"""

from __future__ import annotations

import stat as modes
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

from qwen_lsp.errors import FileUnreadable, OutsideWorkspace, WorkspaceError
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.sandbox.copying import Pair, Signature
from qwen_lsp.sandbox.fitting import Working, like_on_disk, source_signature
from qwen_lsp.sandbox.looking import Look, look
from qwen_lsp.workspace import beneath, disk, encodings
from qwen_lsp.workspace.ignore import content_reason, reason_to_skip
from qwen_lsp.workspace.paths import RelPath, folder_of, protection, rel_path, touchy

MOST_TAKEN, MOST_BYTES, LARGEST = 2_000, 32 * 1024 * 1024, 8 * 1024 * 1024
"""Files and bytes taken from one command, and the size of one file."""
_MOST_TOLD = 20

LeftOut = tuple[RelPath, str]


@dataclass(slots=True)
class Taken:
    """What became of a command's changes."""

    fork: Snapshot
    changed: list[RelPath] = field(default_factory=list[RelPath])
    touchy: list[tuple[RelPath, str | None]] = field(default_factory=list[tuple[RelPath, str | None]])
    """Changes that want leave, each with the text after it (None: deleted); not in the fork."""
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])


class _No(Exception):
    """Why a change is not taken."""


def read_back(working: Working, fork: Snapshot) -> Taken:
    """Look at the copy and take what may be taken into `fork`, to which it was fitted."""
    found = look(working)
    taken = Taken(fork)
    candidates = [*found.changed, *found.new]
    if found.too_many or len(candidates) + len(found.gone) > MOST_TAKEN:
        undo(working, found)
        taken.left_out.append((RelPath("."), "it changed too many files at once; none of them was taken"))
        return taken
    for path in found.repositories:
        working.stale.add(path)
        taken.left_out.append((path, "repositories are not made by commands"))
    for path in found.behind:
        working.stale.add(path)
        taken.left_out.append((path, "its folder was replaced by something else"))
    room = MOST_BYTES
    for path in sorted((*candidates, *found.gone)):
        mark = found.changed.get(path) or found.new.get(path)
        try:
            room -= _take(working, taken, path, mark, room)
        except _No as no:
            taken.left_out.append((path, str(no)))
            _keep_aside(working, path, mark)
    taken.left_out = _summarised(taken.left_out)
    working.held = taken.fork
    return taken


def undo(working: Working, found: Look | None = None) -> None:
    """Have everything that differs put right before the next command."""
    found = found if found is not None else look(working)
    working.stale.update(found.changed, found.new, found.gone, found.behind, found.repositories)


def _take(working: Working, taken: Taken, path: RelPath, mark: Signature | None, room: int) -> int:
    """Take one change; how many bytes that was. Raises _No with a reason."""
    pair = working.known.get(path)
    if reason := protection(path, working.guarded):
        working.stale.add(path)
        raise _No(reason)
    if reason := working.allowed(path) or _bad_name(path):
        raise _No(reason)
    if mark is not None and not modes.S_ISREG(mark[0]):
        raise _No("link" if modes.S_ISLNK(mark[0]) else "not a regular file")
    buffer = taken.fork.buffers.get(path)
    source = source_signature(working.root, path)
    if buffer is None and source != (pair.source if pair is not None else None):
        if pair is None:
            raise _No("the workspace has such a file, which the copy does not have")
        working.stale.add(path)
        raise _No("it changed in the workspace at the same time; run the command again")
    like = like_on_disk(working.root, path)
    if buffer is None and source is not None and like is None:
        if mark is None or not _same_content(working, path):
            raise _No("binary" if modes.S_ISREG(source[0]) else "not a regular file")
        working.known[path] = Pair(source, mark)
        return 0
    before = buffer.text if buffer is not None else like.text if like is not None else None
    after, size = (None, 0) if mark is None else _text(working, path, like, is_new=before is None)
    if size > room:
        working.stale.add(path)
        raise _No("the command changed too much at once")
    runs = mark is not None and bool(mark[0] & 0o100)
    moded = mark is not None and runs != taken.fork.executable(path)
    if (after != before or moded) and (touchy(path) or reason_to_skip(path, 0, 1) == "lock file"):
        working.stale.add(path)
        taken.touchy.append((path, after))
        return size
    if after != before:
        taken.fork = taken.fork.edited(path, after, was=before)
    if moded:
        taken.fork = taken.fork.moded(path, runs)
    if after != before or moded:
        taken.changed.append(path)
    if mark is None:
        working.known.pop(path, None)
    else:
        working.known[path] = Pair(source, mark)
    return size


def _text(working: Working, path: RelPath, like: disk.TextFile | None, *, is_new: bool) -> tuple[str, int]:
    """The text of a file in the copy and its size in bytes. Raises _No with a reason."""
    try:
        data, _ = beneath.read_bytes(working.copy, path, LARGEST)
    except (FileUnreadable, OutsideWorkspace) as error:
        raise _No(getattr(error, "reason", "link out of the workspace")) from None
    if is_new:
        reason = reason_to_skip(path, len(data), LARGEST) or content_reason(path, data[:16_384], len(data))
        if reason not in (None, "generated", "lock file"):
            raise _No(reason)
    if encodings.decode(data) is None:
        raise _No("binary")
    text = _decoded(data, like)
    try:
        same = text is not None and disk.encode(text, like) == data
    except WorkspaceError:
        same = False
    if text is None or not same:
        raise _No("its encoding was changed" if like is not None else "not UTF-8")
    return text, len(data)


def _same_content(working: Working, path: RelPath) -> bool:
    """Whether a file was only touched."""
    try:
        here, there = (beneath.read_bytes(top, path, LARGEST)[0] for top in (working.copy, working.root))
    except WorkspaceError:
        return False
    return here == there


def _decoded(data: bytes, like: disk.TextFile | None) -> str | None:
    """In the encoding that the file has in the workspace: landing writes it in that one."""
    encoding = "utf-8" if like is None else like.encoding
    if like is not None and like.bom:
        data = data.removeprefix(encodings.mark_of(encoding))
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _keep_aside(working: Working, path: RelPath, mark: Signature | None) -> None:
    """What was told once is not told again; what is stale is put right anyway."""
    pair = working.known.get(path)
    if pair is None:
        if mark is not None:
            working.untaken[path] = mark
    elif mark is not None:
        working.known[path] = Pair(pair.source, mark)
    else:
        working.known.pop(path)


def _bad_name(path: RelPath) -> str | None:
    try:
        path.encode("utf-8")
        plain = rel_path(path) == path
    except (UnicodeEncodeError, OutsideWorkspace):
        plain = False
    if not plain or any(unicodedata.category(c) in ("Cc", "Cf") for c in path):
        return "a name that cannot be shown"
    return None


def _summarised(left_out: list[LeftOut]) -> list[LeftOut]:
    """Many files with the same reason in one folder are said as one."""
    if len(left_out) <= _MOST_TOLD:
        return left_out
    groups = Counter((folder_of(path) or ".", reason) for path, reason in left_out)
    said = [
        (RelPath(folder), f"{number} files: {reason}" if number > 1 else reason)
        for (folder, reason), number in groups.most_common(_MOST_TOLD)
    ]
    rest = len(left_out) - sum(number for _, number in groups.most_common(_MOST_TOLD))
    return [*said, (RelPath("."), f"and {rest} more")] if rest else said

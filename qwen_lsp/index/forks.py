"""What a fork has that its base has not: texts and rights that lie over the disk, told as edits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from qwen_lsp.errors import FileUnreadable
from qwen_lsp.index.buffers import Buffer
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath


class Overlay(Protocol):
    """What of a snapshot is asked here."""

    @property
    def root(self) -> Path: ...
    @property
    def buffers(self) -> Mapping[RelPath, Buffer]: ...
    @property
    def modes(self) -> Mapping[RelPath, bool]: ...


def changes(base: Overlay, fork: Overlay) -> list[FileEdit]:
    """What leads from `base` to `fork`, one edit for each path, sorted."""
    edits: list[FileEdit] = []
    for path in sorted({*fork.buffers, *base.buffers, *fork.modes, *base.modes}):
        mine, theirs = fork.buffers.get(path), base.buffers.get(path)
        before = after = None
        if mine is theirs:
            before = after = disk_text(fork.root, path) if mine is None else mine.text
        else:
            after = disk_text(fork.root, path) if mine is None else mine.text
            if theirs is not None:
                before = theirs.text
            elif mine is not None:
                before = mine.original
        executable = None if after is None else _new_mode(base, fork, path)
        if before != after or executable is not None:
            edits.append(FileEdit(path, before, after, executable=executable))
    return edits


def modes(overlay: Overlay, path: RelPath, executable: bool | None) -> Mapping[RelPath, bool]:
    """The rights that lie over the disk once `path` may be run, or may not, or as the disk says (None)."""
    kept = {other: mode for other, mode in overlay.modes.items() if other != path}
    if executable is not None and executable != on_disk(overlay, path):
        kept[path] = executable
    return kept


def on_disk(overlay: Overlay, path: RelPath) -> bool:
    """Whether the disk says that a file may be run; one that the fork has made is none of the disk's."""
    buffer = overlay.buffers.get(path)
    made = buffer is not None and buffer.version is None and buffer.original is None
    return not made and disk.executable(overlay.root, path)


def disk_text(root: Path, path: RelPath) -> str | None:
    """The text of a file as the disk has it; None for none that can be read."""
    try:
        return disk.read(root, path).text
    except FileUnreadable:
        return None


def _new_mode(base: Overlay, fork: Overlay, path: RelPath) -> bool | None:
    now = fork.modes.get(path)
    if now == base.modes.get(path):
        return None
    return on_disk(fork, path) if now is None else now

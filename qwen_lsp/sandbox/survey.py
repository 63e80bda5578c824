"""What of a workspace a command gets to see: what is copied, what is lent read-only, what is not there.

Copied are the files that count, and small ignored ones that programs need, such as a built extension module.
Folders of dependencies, and ignored folders that are too heavy to copy, are lent as they are. What is
withheld from the model by name is not there at all, because the model reads what a command prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.sandbox import lending
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.guard import own_folders
from qwen_lsp.workspace.ignore import REPOSITORY_FOLDERS, IgnoreRules
from qwen_lsp.workspace.paths import RelPath

Allowed = Callable[[RelPath], str | None]
"""Why nothing of a file may be shown, by its name; None when it may."""

MOST_FILES, MOST_BYTES = 1_000, 32 * 1024 * 1024
"""An ignored folder with more than this is heavy."""
_MOST_LOOKED_AT = 50_000
"""Names in a heavy folder that are looked at for what is withheld."""
_MOST_EXTRAS, _MOST_LENT, _DEEPEST = 20_000, 200, 60
HIDDEN = "hidden by .qwenignore"


@dataclass(slots=True)
class Survey:
    """One look at a workspace. Names are by folder, since a folder is opened once for all of its files."""

    rules: IgnoreRules
    files: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Files and links that count, by folder. A folder without any is there as well."""
    extras: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Ignored ones that are copied all the same; nothing that happens to them is read back."""
    lent: list[RelPath] = field(default_factory=list[RelPath])
    """Folders that appear in the copy as they are in the workspace, read-only."""
    beyond: list[Path] = field(default_factory=list[Path])
    """Folders outside the workspace which these need, read-only as well."""
    environments: list[RelPath] = field(default_factory=list[RelPath])
    """Virtual environments of Python's, in the workspace or linked from it."""
    absent: list[tuple[RelPath, str]] = field(default_factory=list[tuple[RelPath, str]])
    """What commands do not see, each with the reason."""


def survey(root: Path, allowed: Allowed) -> Survey:
    """Look through a workspace; reads names, ignore files and what git tracks, and nothing else."""
    rules = IgnoreRules.load(root)
    tracked = disk.tracked_though_ignored(root)
    holding = {folder for path in tracked for folder in _above(path)}
    pseudo = set(disk.pseudo_mounts(root))
    own = own_folders(root)
    found = Survey(rules)
    room = _MOST_EXTRAS
    folders: list[tuple[str, bool]] = [("", False)]
    while folders:
        folder, inside_ignored = folders.pop()
        names: list[str] = found.files.setdefault(folder, [])
        entries = _entries(root, folder)
        rules.seen(folder, {entry.name for entry in entries})
        for entry in entries:
            path = RelPath(f"{folder}/{entry.name}" if folder else entry.name)
            is_dir = entry.is_dir(follow_symlinks=False)
            if f"{path}/" in pseudo:
                continue
            if entry.name in REPOSITORY_FOLDERS:
                _repository(root, path, is_dir, found)
            elif path in own:
                found.absent.append((path, "this program's own"))
            elif rules.own.match(path, is_dir):
                found.absent.append((path, HIDDEN))
            elif reason := allowed(path):
                found.absent.append((path, reason))
            elif path not in tracked and (inside_ignored or rules.ignores_here(path, is_dir)):
                if is_dir and path in holding and path.count("/") < _DEEPEST:
                    folders.append((path, True))
                elif is_dir:
                    room -= _ignored_folder(root, path, found, allowed, room)
                elif room > 0:
                    room -= 1
                    _ignored_file(root, path, entry, found)
            elif not is_dir:
                names.append(entry.name)
            elif path.count("/") < _DEEPEST:
                folders.append((path, False))
            else:
                found.absent.append((path, "too deep"))
    return found


def _repository(root: Path, path: RelPath, is_dir: bool, found: Survey) -> None:
    """The folder that git keeps is lent; a file that points to it is copied, and what it points to lent."""
    if is_dir and not (root / path).is_symlink():
        _lend(path, found)
    elif (folders := lending.repository_of(root / path)) is not None:
        found.beyond += folders
        folder, _, name = path.rpartition("/")
        found.files.setdefault(folder, []).append(name)
    else:
        found.absent.append((path, "no repository that knows this workspace"))


def _ignored_file(root: Path, path: RelPath, entry: os.DirEntry[str], found: Survey) -> None:
    folder, _, name = path.rpartition("/")
    if entry.is_symlink():
        # A virtual environment is often kept elsewhere, with a link to it in its place.
        needed = lending.environment_of(root / path)
        if needed is None:
            return
        found.beyond += needed
        found.environments.append(path)
    found.extras.setdefault(folder, []).append(name)


def _ignored_folder(root: Path, path: RelPath, found: Survey, allowed: Allowed, room: int) -> int:
    """Lend a folder, or copy it when it is light. How many files that makes."""
    if lending.is_environment(root / path):
        found.beyond += lending.environment_of(root / path) or ()
        found.environments.append(path)
        _lend(path, found)
        return 0
    name = path.rpartition("/")[2]
    if name in lending.DEPENDENCIES:
        _lend(path, found)
        return 0
    light, withheld = _weigh(root, path, allowed)
    if light is not None:
        number = sum(len(names) for names in light.values())
        if number <= room:
            found.extras.update(light)
            return number
    if name in lending.MADE_ANEW:
        found.absent.append((path, "too large to copy; a build makes it anew"))
    elif withheld:
        found.absent.append((path, withheld))
    else:
        _lend(path, found)
    return 0


def _lend(path: RelPath, found: Survey) -> None:
    if len(found.lent) < _MOST_LENT:
        found.lent.append(path)
    else:
        found.absent.append((path, "too many folders of its kind"))


def _weigh(root: Path, top: RelPath, allowed: Allowed) -> tuple[dict[str, list[str]] | None, str]:
    """The files of a folder, by folder, or None when it is heavy; and why something in it is withheld."""
    listed: dict[str, list[str]] = {}
    withheld = ""
    number = size = looked_at = 0
    heavy = False
    folders = [top]
    while folders and looked_at < _MOST_LOOKED_AT:
        folder = folders.pop()
        names = listed.setdefault(folder, [])
        for entry in _entries(root, folder):
            looked_at += 1
            path = RelPath(f"{folder}/{entry.name}")
            if reason := allowed(path):
                withheld = withheld or f"holds {entry.name} ({reason})"
            elif entry.is_dir(follow_symlinks=False):
                folders.append(path)
            else:
                names.append(entry.name)
                number += 1
                try:
                    size += 0 if heavy else entry.stat(follow_symlinks=False).st_size
                except OSError:
                    continue
        heavy = heavy or number + len(folders) > MOST_FILES or size > MOST_BYTES
        if heavy and withheld:
            break
    return None if heavy or folders else listed, withheld


def _entries(root: Path, folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(f"{root}/{folder}") as scanned:
            return list(scanned)
    except OSError:  # gone, or not permitted
        return []


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:i]) for i in range(1, len(parts))]

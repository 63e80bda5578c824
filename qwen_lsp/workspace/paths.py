"""RelPath, the only name a file has inside; absolute paths and URIs exist only at the edges."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import NewType
from urllib.parse import quote, unquote, urlsplit

from qwen_lsp.errors import OutsideWorkspace
from qwen_lsp.workspace.protected import protection as protection
from qwen_lsp.workspace.protected import touchy as touchy

RelPath = NewType("RelPath", str)
"""A path below the root: forward slashes, no leading slash, no `.` or `..`, never empty."""


def rel_path(text: str) -> RelPath:
    """Check and normalise a relative path written by a person, a model or git.

    Raises OutsideWorkspace for an absolute path, one that climbs out, an empty one, or one with NUL.
    """
    cleaned = text.replace("\\", "/") if "\\" in text and PureWindowsPath(text).drive == "" else text
    if "\0" in cleaned or PureWindowsPath(text).drive or cleaned.startswith("/"):
        raise OutsideWorkspace(f"{text!r} is not a path inside the workspace")
    parts: list[str] = []
    for part in cleaned.split("/"):
        if part == "..":
            if not parts:
                raise OutsideWorkspace(f"{text!r} leaves the workspace")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if not parts:
        raise OutsideWorkspace(f"{text!r} names the workspace itself, not a file in it")
    return RelPath("/".join(parts))


def within(root: Path, path: Path) -> RelPath | None:
    """The name of an absolute path below `root`, or None when it is elsewhere. Touches no disk."""
    try:
        relative = path.relative_to(root)
    except ValueError:
        return None
    if not relative.parts or ".." in relative.parts:
        return None
    return RelPath(relative.as_posix())


def inside(root: Path, text: str) -> RelPath:
    """A path that may be relative, or absolute and inside the root. Raises OutsideWorkspace."""
    if not (text.startswith("/") or PureWindowsPath(text).drive):
        return rel_path(text)
    found = None if "\0" in text else within(root, Path(text))
    if found is None:
        raise OutsideWorkspace(f"{text!r} is outside the workspace {root.name!r}")
    return found


def from_uri(uri: str) -> Path | None:
    """The file system path of a `file:` URI, percent-decoded; None for any other scheme, or for none."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path)
    if parts.scheme != "file" or "\0" in path:
        return None
    if len(path) > 2 and path[0] == "/" and path[2] == ":":  # /C:/x
        path = path[1:]
    if parts.netloc not in ("", "localhost"):
        path = f"//{parts.netloc}{path}"
    return Path(path)


def to_uri(root: Path, path: RelPath) -> str:
    """The `file:` URI of a file below `root`."""
    return uri_of(root / path)


def uri_of(path: Path) -> str:
    text = path.as_posix()
    return "file://" + quote(text if text.startswith("/") else f"/{text}", safe="/:@!$&'()*+,;=~-._")


def holds_home(folder: Path) -> bool:
    """Whether an absolute folder is the user's home or above it: all of a home or a machine is no project."""
    home = Path.home()
    return any(folder in (one, *one.parents) for one in (home, Path(os.path.realpath(home))))


def user_folder(variable: str, fallback: str, environ: Mapping[str, str] = os.environ) -> Path:
    """This program's own folder below a base folder of the user's (XDG Base Directory Specification).

    `fallback` is below the home folder; it is used where the variable is unset or not absolute.
    """
    base = environ.get(variable, "")
    return (Path(base) if base.startswith("/") else Path.home() / fallback) / "qwen-lsp"


def folder_of(path: str) -> str:
    """The folder that a path of the workspace is in; empty at the top."""
    return path[: max(path.rfind("/"), 0)]

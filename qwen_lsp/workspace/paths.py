"""RelPath, the only name a file has inside; absolute paths and URIs exist only at the edges."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NewType
from urllib.parse import quote, unquote, urlsplit

from qwen_lsp.errors import OutsideWorkspace

RelPath = NewType("RelPath", str)
"""A path below the root: forward slashes, no leading slash, no `.` or `..`, never empty."""

# What governs this program, the editor, git or the build: an edit here would be code execution or a
# change of rights. Compared case-folded, since a case-insensitive disk makes `.GIT` the same folder.
_PROTECTED_ANYWHERE = frozenset(
    {
        ".git", ".hg", ".svn", ".vscode", ".idea", ".zed", ".cursor", ".claude", ".clinerules", ".qwen",
        ".qwen-lsp", ".mcp.json", ".envrc", ".npmrc", ".husky", ".gitmodules", ".gitattributes",
        ".gitconfig", ".pre-commit-config.yaml",
    }
)  # fmt: skip
_SHORT_NAMES = {"git~1": ".git", "gitmod~1": ".gitmodules"}
_PROTECTED_PREFIXES = (".github/workflows", ".github/actions", ".gitlab-ci.yml", ".circleci")


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


def protection(path: RelPath) -> str | None:
    """Why nothing may write this path, or None when it may be written.

    Compared without what some file system ignores (case, the form of letters, invisible characters,
    trailing dots and spaces, the name of a stream), on every platform: what is harmless here may be `.git`
    on the machine that pulls it.
    """
    folded = [_folded(part) for part in PurePosixPath(path).parts]
    for part in folded:
        if part in _PROTECTED_ANYWHERE or part.endswith(".code-workspace"):
            return f"{part} holds settings that run programs or change rights"
    joined = "/".join(folded)
    for prefix in _PROTECTED_PREFIXES:
        if joined == prefix or joined.startswith(prefix + "/"):
            return f"{prefix} runs in continuous integration"
    return None


def _folded(part: str) -> str:
    folded = unicodedata.normalize("NFKC", part).casefold()
    plain = "".join(c for c in folded if unicodedata.category(c) != "Cf")
    name = unicodedata.normalize("NFKC", plain).partition(":")[0].rstrip(". ")
    return _SHORT_NAMES.get(name, name)


def user_folder(variable: str, fallback: str, environ: Mapping[str, str] = os.environ) -> Path:
    """This program's own folder below a base folder of the user's (XDG Base Directory Specification).

    `fallback` is below the home folder; it is used where the variable is unset or not absolute.
    """
    base = environ.get(variable, "")
    return (Path(base) if base.startswith("/") else Path.home() / fallback) / "qwen-lsp"


def folder_of(path: str) -> str:
    """The folder that a path of the workspace is in; empty at the top."""
    return path[: max(path.rfind("/"), 0)]

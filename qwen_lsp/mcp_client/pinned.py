"""What the user has allowed of each server, kept in the state folder: one file, for the user only."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from qwen_lsp.mcp_client.offered import Offered
from qwen_lsp.workspace.paths import user_folder

_VERSION = 1
_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pinned:
    """What was allowed of one server: digests of how it is started, and its tools once they were seen."""

    launch: Mapping[str, str]
    tools: tuple[Offered, ...] | None = None


def pinned_file() -> Path:
    """`mcp.json` in the user's state folder."""
    return user_folder("XDG_STATE_HOME", ".local/state") / "mcp.json"


def read(path: Path) -> dict[str, Pinned]:
    """What is kept, by server. Nothing where the file is missing, damaged, or one that others may write."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
                return {}
            data = cast("dict[str, Any]", json.loads(file.read(_LARGEST)))
        servers = cast("dict[str, Any]", data["servers"])
        return {n: _entry(entry) for n, entry in servers.items()} if data["version"] == _VERSION else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def keep(path: Path, server: str, entry: Pinned) -> None:
    """Write what was allowed of a server. On a disk that takes nothing it is asked for again next time."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        known: dict[str, Any] = {name: _plain(other) for name, other in read(path).items()}
        known[server] = _plain(entry)
        handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # made with mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"version": _VERSION, "servers": known}, out)
        Path(name).replace(path)


def _plain(entry: Pinned) -> dict[str, Any]:
    tools = entry.tools
    listed = None if tools is None else [[t.name, t.description, dict(t.schema)] for t in tools]
    return {"launch": dict(entry.launch), "tools": listed}


def _entry(entry: Mapping[str, Any]) -> Pinned:
    launch = {str(name): str(value) for name, value in entry["launch"].items()}
    tools = entry["tools"]
    if tools is None:
        return Pinned(launch)
    return Pinned(launch, tuple(Offered(str(name), str(text), dict(schema)) for name, text, schema in tools))

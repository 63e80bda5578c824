"""One folder of a workspace as somebody sees it who looks for its checks, and what a check is."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.settings import CheckKind
from qwen_lsp.workspace.paths import RelPath


@dataclass(frozen=True, slots=True)
class Check:
    """One command line that says whether something is wrong."""

    kind: CheckKind
    line: str
    folder: str = ""
    needs: str = ""
    """A shell command that succeeds where the check can be run; empty: nothing is needed."""


@dataclass(frozen=True, slots=True)
class Project:
    """One folder of a workspace as the rows of the table look at it."""

    snapshot: Snapshot
    folder: str
    paths: tuple[RelPath, ...]
    """Files and folders that the checks are to be about; empty: all."""

    def has(self, *names: str) -> bool:
        return any(self.snapshot.has(p) or (self.snapshot.root / p).exists() for p in map(self._at, names))

    def text(self, name: str) -> str:
        """The text of a file of the folder; empty where there is none."""
        try:
            return self.snapshot.text(self._at(name))
        except WorkspaceError:
            return ""

    def toml(self, name: str) -> Mapping[str, Any]:
        try:
            return tomllib.loads(self.text(name))
        except tomllib.TOMLDecodeError:
            return {}

    def targets(self, *suffixes: str, whole: str = "") -> str:
        """The paths as arguments, relative to the folder, of files those that end so; `whole` for none."""
        top = f"{self.folder}/" if self.folder else ""
        named = [
            path[len(top) :]
            for path in self.paths
            if path.startswith(top) and (path.endswith(suffixes) or not self.snapshot.has(path))
        ]
        return shlex.join(named) if named else whole

    def _at(self, name: str) -> RelPath:
        return RelPath(f"{self.folder}/{name}" if self.folder else name)


def upwards(folder: str) -> list[str]:
    """A folder and those above it, the top one last."""
    parts = folder.split("/") if folder else []
    return ["/".join(parts[:i]) for i in range(len(parts), -1, -1)]

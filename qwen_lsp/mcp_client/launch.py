"""What is started for one configured server: resolved, checked, and named by what it is made of."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.errors import ExternalFailed
from qwen_lsp.settings import McpServerSettings
from qwen_lsp.workspace.paths import within


@dataclass(frozen=True, slots=True)
class Launch:
    """A program with all that decides what it is.

    Its environment holds these variables and the few that every program needs (HOME, PATH, ...).
    """

    server: str
    command: Path
    args: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    passed: tuple[str, ...]
    """Names of variables whose values come from the user's own environment."""
    folder: Path
    seconds: float
    """Longest start, and longest call."""

    def fields(self) -> dict[str, str]:
        """A digest of each thing that a yes is bound to. Values that are passed on may change, for tokens do;
        those written in the configuration may not."""
        own = {name: value for name, value in self.environment.items() if name not in self.passed}
        return {
            "command": digest(str(self.command)),
            "arguments": digest(list(self.args)),
            "variables": digest([sorted(own.items()), sorted(self.passed)]),
            "folder": digest(str(self.folder)),
        }

    def shown(self) -> str:
        """The same for a person: what would be started, whole, without the values of variables."""
        own = sorted(set(self.environment) - set(self.passed))
        variables = [*own, *(f"{name} (from your environment)" for name in sorted(self.passed))]
        rows = {
            "command": str(self.command),
            "arguments": json.dumps(list(self.args), ensure_ascii=False),
            "folder": str(self.folder),
            "variables": ", ".join(variables) or "none",
        }
        return "\n".join(f"{name}: {value}" for name, value in rows.items())


def launch_of(
    server: str, settings: McpServerSettings, root: Path, environ: Mapping[str, str] = os.environ
) -> Launch:
    """What the configuration of a server says to start. Raises ExternalFailed.

    A program inside the workspace is refused, and none is started in a folder of it unless that is what the
    user's configuration says: a project may bring a program, or a module, of any name.
    """
    home = Path.home()
    folder = Path(settings.cwd).expanduser() if settings.cwd else home
    if not folder.is_absolute():
        raise ExternalFailed(f"MCP server {server}: cwd must be an absolute path, not {settings.cwd!r}.")
    missing = [name for name in settings.pass_env if name not in environ]
    if missing:
        raise ExternalFailed(f"MCP server {server}: {', '.join(missing)} is not set in the environment.")
    passed = {name: environ[name] for name in settings.pass_env}
    own = {name: value.get_secret_value() for name, value in settings.env.items()}
    return Launch(
        server, _program(server, settings.command, root, environ), settings.args, own | passed,
        settings.pass_env, folder, settings.timeout_seconds,
    )  # fmt: skip


def _program(server: str, command: str, root: Path, environ: Mapping[str, str]) -> Path:
    named = Path(command).expanduser()
    if not named.is_absolute() and ("/" in command or os.sep in command):
        raise ExternalFailed(
            f"MCP server {server}: command must be an absolute path or a name on PATH, not {command!r}."
        )
    # Only absolute folders: an empty or relative one on PATH is whatever folder somebody is in.
    folders = [f for f in environ.get("PATH", "").split(os.pathsep) if Path(f).is_absolute()]
    found = shutil.which(str(named), path=os.pathsep.join(folders))
    if found is None:
        raise ExternalFailed(f"MCP server {server}: there is no program {command!r}.")
    if within(Path(os.path.realpath(root)), Path(os.path.realpath(found))) or within(root, Path(found)):
        raise ExternalFailed(
            f"MCP server {server}: {command!r} is a program of the workspace itself, which may not start any."
        )
    return Path(found)


def digest(value: object) -> str:
    """A name for a value that JSON can hold; the order of an object's fields does not matter."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

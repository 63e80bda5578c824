"""The programs that can be set up, and what each is to have in which of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

from qwen_lsp.cli.setup import places
from qwen_lsp.cli.setup.jsonc import Value
from qwen_lsp.cli.setup.places import Machine
from qwen_lsp.cli.setup.splice import Put, Unfit, value_at
from qwen_lsp.mcp_server.catalog import ENTRIES

SERVER = "qwen-lsp"
"""The name that the clients know our server by; it begins the names of its tools."""

LOOKS = tuple(entry.name for entry in ENTRIES.values() if not entry.writes)
"""The tools that change nothing: they may run without a question."""

ASKS = tuple(entry.name for entry in ENTRIES.values() if entry.writes)

WAIT = 60
"""Seconds that a client waits for the server. Not told so, Cline waits 3 and goes on without tools."""


@dataclass(frozen=True, slots=True)
class Target:
    """One file, and what is to be in it: a whole text, or values among others."""

    path: Path
    reader: str
    """Who reads it, for a person."""
    text: str | None = None
    entry: Mapping[str, Any] | None = None
    """What is to be known under `mcpServers.qwen-lsp`."""
    allowed: tuple[str, ...] = ()
    """What is to be among `permissions.allow`."""
    reads_comments: bool = True

    def puts(self, root: Value | None) -> list[Put]:
        """What to put into a file. An entry that is there keeps what its owner has set. Raises Unfit."""
        assert self.entry is not None  # noqa: S101 - asked of settings only
        path = ("mcpServers", SERVER)
        found = value_at(root, path)
        if found is None:
            allowed = [Put(("permissions", "allow"), name, item=True) for name in self.allowed]
            return [Put(path, dict(self.entry)), *allowed]
        if not found.is_object or "url" in found.plain or "httpUrl" in found.plain:
            raise Unfit(f"“{'.'.join(path)}” is a server that is not started as a program")
        ours = {"command", "args"}
        return [
            Put((*path, name), value)
            for name, value in self.entry.items()
            if name in ours or (name in _WAITS and name not in found.plain)
        ]


_WAITS = {"timeout", "discoveryTimeoutMs"}


@dataclass(frozen=True, slots=True)
class Client:
    """A program that can be set up."""

    name: str
    title: str
    is_here: Callable[[Machine], bool]
    targets: Callable[[Machine, Sequence[str]], list[Target]]
    """The user's own files, given the command line that starts this program."""
    serves: str
    """The subcommand that the client starts."""
    next: str
    """What to do then."""
    rights: str = ""
    """What of ours runs without a question there."""
    next_in_project: str = ""
    project: Callable[[Path, Sequence[str]], Target] | None = None
    rules: str = ""
    """Where in a project the rules for its model go."""

    def rules_target(self, root: Path) -> Target:
        return Target(root / self.rules, self.title, text=rules())


def rules() -> str:
    """What tells a model when to use which of our tools."""
    return resources.files("qwen_lsp.cli.setup").joinpath("rules.md").read_text(encoding="utf-8")


def _cline(machine: Machine, command: Sequence[str]) -> list[Target]:
    entry = {
        "command": command[0],
        "args": [*command[1:], "mcp"],
        "timeout": WAIT,
        "disabled": False,
        "autoApprove": list(LOOKS),
    }
    own = Target(places.cline_settings(machine), "Cline", entry=entry, reads_comments=False)
    extensions = [
        Target(path, f"the Cline extension before 4.0 in {name}", entry=entry, reads_comments=False)
        for name, path in places.extension_settings(machine)
    ]
    return [own, *extensions]


def _qwen(path: Path, reader: str, command: Sequence[str]) -> Target:
    entry = {
        "command": command[0],
        "args": [*command[1:], "mcp"],
        "discoveryTimeoutMs": WAIT * 1000,
        "alwaysLoadTools": True,
    }
    allowed = tuple(f"mcp__{SERVER}__{name}" for name in LOOKS)
    return Target(path, reader, entry=entry, allowed=allowed)


def _qwen_user(machine: Machine, command: Sequence[str]) -> list[Target]:
    return [_qwen(places.qwen_folder(machine) / "settings.json", "Qwen Code", command)]


def _qwen_project(root: Path, command: Sequence[str]) -> Target:
    return _qwen(root / ".qwen" / "settings.json", "Qwen Code in this project", command)


def _neovim(machine: Machine, command: Sequence[str]) -> list[Target]:
    template = resources.files("qwen_lsp.cli.setup").joinpath("neovim.lua").read_text(encoding="utf-8")
    cmd = ", ".join(_lua(word) for word in (*command, "serve"))
    text = template.replace("{ COMMAND }", f"{{ {cmd} }}")
    return [Target(places.neovim_folder(machine) / "after" / "plugin" / "qwen.lua", "Neovim", text=text)]


def _lua(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


CLIENTS = {
    client.name: client
    for client in (
        Client(
            "cline", "Cline", places.has_cline, _cline, "mcp",
            "Start Cline again, and ask it which tools it has from qwen-lsp.",
            "In an editor, Cline may use what only looks without a question, and asks before apply_edits. "
            "Cline's command line asks about nothing at all unless it runs with --auto-approve false.",
            rules=".clinerules/qwen-lsp.md",
        ),
        Client(
            "qwen-code", "Qwen Code", places.has_qwen, _qwen_user, "mcp",
            "Start qwen again; /mcp shows when the server is connected, and its tools.",
            "What only looks runs without a question; apply_edits asks, unless qwen's approval mode decides.",
            "Qwen Code starts the servers of a project only when they are approved there: "
            "qwen mcp approve qwen-lsp. The file names a path of this machine, so do not commit it.",
            project=_qwen_project, rules=".qwen/rules/qwen-lsp.md",
        ),
        Client(
            "neovim", "Neovim", places.has_neovim, _neovim, "serve",
            "Start Neovim again in a project; :checkhealth vim.lsp shows the server.",
        ),
    )
}  # fmt: skip


def snippet(target: Target) -> Any:
    """What would stand in a file that held nothing else, for a person to copy."""
    wanted: dict[str, Any] = {"mcpServers": {SERVER: dict(cast("Mapping[str, Any]", target.entry))}}
    if target.allowed:
        wanted["permissions"] = {"allow": list(target.allowed)}
    return wanted

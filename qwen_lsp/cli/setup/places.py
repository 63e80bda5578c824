"""Where other programs keep their settings, on Linux, macOS and Windows."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

EXTENSION = "saoudrizwan.claude-dev"
"""Cline's name among the extensions of VS Code."""

_SETTINGS = "cline_mcp_settings.json"
_EDITORS = {
    "Code": "VS Code",
    "Code - Insiders": "VS Code Insiders",
    "VSCodium": "VSCodium",
    "Cursor": "Cursor",
    "Windsurf": "Windsurf",
}
_SERVERS = {
    ".local/share/code-server": "code-server",
    ".openvscode-server/data": "openvscode-server",
    ".vscode-server/data": "VS Code, remote",
    ".vscode-server-insiders/data": "VS Code Insiders, remote",
    ".vscodium-server/data": "VSCodium, remote",
    ".cursor-server/data": "Cursor, remote",
    ".windsurf-server/data": "Windsurf, remote",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides where things are."""

    home: Path = field(default_factory=Path.home)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    platform: str = sys.platform

    def named(self, variable: str) -> Path | None:
        """A folder or file that a variable names."""
        value = self.environ.get(variable, "").strip()
        return Path(os.path.expanduser(value)).absolute() if value else None  # noqa: PTH111

    @property
    def configuration(self) -> Path:
        """Where programs with windows keep what the user has set."""
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        if self.platform == "win32":
            return self.named("APPDATA") or self.home / "AppData" / "Roaming"
        return self.named("XDG_CONFIG_HOME") or self.home / ".config"

    def has(self, program: str) -> bool:
        """Whether a program of that name is on the search path."""
        return shutil.which(program, path=self.environ.get("PATH")) is not None


def cline_settings(machine: Machine) -> Path:
    """The file that Cline's command line, its JetBrains plugin and its VS Code extension since 4.0 read."""
    if file := machine.named("CLINE_MCP_SETTINGS_PATH"):
        return file
    own = machine.named("CLINE_DIR") or machine.home / ".cline"
    return (machine.named("CLINE_DATA_DIR") or own / "data") / "settings" / _SETTINGS


def extension_settings(machine: Machine) -> Iterator[tuple[str, Path]]:
    """What Cline's extension reads before 4.0, in every editor that has it: its name, and the file."""
    folders = {name: machine.configuration / folder for folder, name in _EDITORS.items()}
    folders |= {name: machine.home / folder for folder, name in _SERVERS.items()}
    if portable := machine.named("VSCODE_PORTABLE"):
        folders["VS Code, portable"] = portable / "user-data"
    for name, folder in folders.items():
        storage = folder / "User" / "globalStorage" / EXTENSION
        if storage.is_dir():
            yield name, storage / "settings" / _SETTINGS


def has_cline(machine: Machine) -> bool:
    return (
        machine.has("cline")
        or (machine.home / ".cline").is_dir()
        or cline_settings(machine).exists()
        or any(True for _ in extension_settings(machine))
    )


def qwen_folder(machine: Machine) -> Path:
    """Qwen Code's folder of the user's."""
    return machine.named("QWEN_HOME") or machine.home / ".qwen"


def has_qwen(machine: Machine) -> bool:
    return machine.has("qwen") or qwen_folder(machine).is_dir()


def neovim_folder(machine: Machine) -> Path:
    """The user's configuration of Neovim."""
    if machine.platform == "win32":
        base = machine.named("LOCALAPPDATA") or machine.home / "AppData" / "Local"
    else:
        base = machine.named("XDG_CONFIG_HOME") or machine.home / ".config"
    return base / (machine.environ.get("NVIM_APPNAME") or "nvim")


def has_neovim(machine: Machine) -> bool:
    return machine.has("nvim") or neovim_folder(machine).is_dir()

"""A home of nobody's, this program installed in it, and `qwen-lsp setup` run as a person does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from qwen_lsp.cli import main, setup_command
from qwen_lsp.cli.setup.clients import ASKS, LOOKS
from qwen_lsp.cli.setup.trial import Tried
from tests.cli.conftest import Ran

Run = Callable[..., Ran]

TOKEN = "ghp_0123456789"
OTHERS = f"""{{
  "mcpServers": {{
    "github": {{
      "command": "npx",
      "env": {{ "GITHUB_TOKEN": "{TOKEN}" }}
    }}
  }}
}}
"""
COMMENTED = f"""{{
  // my theme, and {TOKEN}
  "ui": {{ "theme": "Dark" }}, /* keep */
  "permissions": {{
    "allow": [
      "Bash(git *)", // mine
    ],
  }},
}}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of nobody's, with a project in it that is the current folder."""
    found = tmp_path / "home"
    (found / "project").mkdir(parents=True)
    for name in list(os.environ):
        if name.startswith(("CLINE_", "QWEN_", "NVIM_", "XDG_", "VSCODE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(found))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(found / "project")
    return found


@pytest.fixture
def installed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This program as the script that a package manager makes, which starts when it is tried."""
    script = home / ".local" / "bin" / "qwen-lsp"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    monkeypatch.setattr(sys, "argv", [str(script), "setup"])

    async def tried(command: Sequence[str]) -> Tried:
        assert command == [str(script), "mcp"]
        return Tried(0.8, (*LOOKS, *ASKS))

    monkeypatch.setattr(setup_command, "tried", tried)
    return script


@pytest.fixture
def cline(home: Path) -> Path:
    return home / ".cline" / "data" / "settings" / "cline_mcp_settings.json"


@pytest.fixture
def qwen(home: Path) -> Path:
    return home / ".qwen" / "settings.json"


def holds(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def everything(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below one, with what it holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; no model is asked, so nothing has to be served meanwhile."""

    def ran(*argv: str) -> Ran:
        capsys.readouterr()
        code = main(argv)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return ran

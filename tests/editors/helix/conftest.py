"""Helix in a terminal, configured as docs/helix.md says, beside another language server."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.editors.conftest import program
from tests.editors.pages import piece
from tests.editors.support.terminal import Tmux
from tests.support.agent import FILES
from tests.support.endpoint import ScriptedEndpoint

SOURCES = Path(__file__).parents[3]
NEIGHBOUR = f"""
[language-server.pylsp]
command = "{sys.executable}"
args = ["-m", "tests.editors.neighbour"]
environment = {{ "PYTHONPATH" = "{SOURCES}" }}
"""


@dataclass
class Helix:
    """The editor on a small workspace, and the model behind the server."""

    terminal: Tmux
    model: ScriptedEndpoint
    root: Path
    log: Path

    async def served(self, *, times: int = 1) -> None:
        """Wait until the server runs and has read the workspace, for the first time or once more."""
        await self.terminal.shows(lambda _: self.logged('"kind":"end"') >= times)

    def logged(self, text: str) -> int:
        """How often something went over the wire, or was noted by Helix."""
        return self.log.read_text(errors="replace").count(text) if self.log.exists() else 0

    async def normal(self) -> None:
        """Stop typing text. Escape and the key after it would be one key when they come together."""
        await self.terminal.keys("Escape")
        await self.terminal.shows(" NOR ")

    async def command(self, text: str) -> None:
        await self.terminal.types(f":{text}\n")

    async def open(self, path: str) -> None:
        await self.command(f"open {path}")
        await self.terminal.shows(f" {path}")

    def on_disk(self, *paths: str) -> dict[str, str | None]:
        files = {path: self.root / path for path in paths}
        return {path: file.read_text() if file.exists() else None for path, file in files.items()}


@asynccontextmanager
async def helix(
    folder: Path, *opened: str, model: ScriptedEndpoint | None = None, **files: str
) -> AsyncGenerator[Helix]:
    """The editor with these files open; `files` are more of them, by name without suffix."""
    root, home = folder / "shop", folder / "home"
    (root / ".git").mkdir(parents=True)
    for path, text in {**FILES, **{f"{name}.py": text for name, text in files.items()}}.items():
        (root / path).write_text(text)
    configuration = home / ".config" / "helix"
    configuration.mkdir(parents=True)
    (configuration / "languages.toml").write_text(piece("helix.md", "[[language]]") + NEIGHBOUR)
    (configuration / "config.toml").write_text(piece("helix.md", "[keys.normal.space.q]"))
    log = folder / "helix.log"
    async with model or ScriptedEndpoint() as endpoint:
        environment = {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(SOURCES),
            "OPENAI_BASE_URL": endpoint.base_url,
            "OPENAI_MODEL": endpoint.model,
        }
        started = Tmux(program("hx"), "-v", "--log", log, *opened, cwd=root, environment=environment)
        async with started as terminal:
            at = Helix(terminal, endpoint, root, log)
            await at.served()
            yield at

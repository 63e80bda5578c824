"""Emacs in a terminal, configured as docs/emacs.md says."""

from __future__ import annotations

import json
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
QUIET = """
(setq inhibit-startup-screen t make-backup-files nil create-lockfiles nil)
(setq python-indent-guess-indent-offset nil)
(unless (locate-library "eglot")
  (let ((default-directory "/usr/share/emacs/site-lisp/elpa")) (normal-top-level-add-subdirs-to-load-path)))
(unless (fboundp 'eglot-ensure) (autoload 'eglot-ensure "eglot"))
(setq eglot-connect-timeout 60)
"""
"""What a person has anyway: a quiet start, and eglot where it is a package of its own."""
OWN = piece("emacs.md", "(require 'qwen)").replace("~/src/qwen-lsp", str(SOURCES))
EGLOT = piece("emacs.md", "eglot-ensure")
OTHER = " ".join(json.dumps(word) for word in (sys.executable, "-m", "tests.editors.neighbour"))
BESIDE = EGLOT.replace('"qwen-lsp" "serve"', OTHER)
"""eglot with another server, as most people have it."""


@dataclass
class Emacs:
    """The editor on a small workspace, and the model behind the server."""

    terminal: Tmux
    model: ScriptedEndpoint
    root: Path

    async def call(self, command: str, *answers: str) -> None:
        """`M-x`, then what is typed at its questions."""
        await self.terminal.keys("M-x")
        await self.terminal.shows("M-x")
        await self.terminal.types(f"{command}\n")
        for answer in answers:
            await self.terminal.types(f"{answer}\n")

    async def pick(self, action: str) -> None:
        """One of eglot's code actions, by its title."""
        await self.call("eglot-code-actions")
        await self.terminal.shows("Pick an action")
        # Quoted, since a blank alone completes a word.
        await self.terminal.types(action.replace(" ", "\x11 ") + "\n")

    async def open(self, path: str) -> None:
        await self.terminal.keys("C-x", "C-f")
        await self.terminal.shows("Find file:")
        await self.terminal.types(f"{path}\n")
        await self.terminal.shows(f" {Path(path).name} ")

    def on_disk(self, *paths: str) -> dict[str, str | None]:
        files = {path: self.root / path for path in paths}
        return {path: file.read_text() if file.exists() else None for path, file in files.items()}


@asynccontextmanager
async def emacs(
    folder: Path, configuration: str, *, model: ScriptedEndpoint | None = None, **files: str
) -> AsyncGenerator[Emacs]:
    """The editor with prices.py open; `files` are more of the workspace, by name without suffix."""
    root, home = folder / "shop", folder / "home"
    (root / ".git").mkdir(parents=True)
    home.mkdir()
    for path, text in {**FILES, **{f"{name}.py": text for name, text in files.items()}}.items():
        (root / path).write_text(text)
    init = home / "init.el"
    init.write_text(QUIET + configuration)
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
        command = (program("emacs"), "-nw", "-Q", "-l", init, "prices.py")
        async with Tmux(*command, cwd=root, environment=environment) as terminal:
            at = Emacs(terminal, endpoint, root)
            await terminal.shows("def net")
            yield at

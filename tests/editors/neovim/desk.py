"""A real Neovim in a real terminal, with the plugin, its server, and a scripted model behind it.

async with opened(root, "cart.py") as nvim:
    await nvim.terminal.types("Go")
    await nvim.terminal.shows("ghost")
    assert await nvim.lua("vim.fn.line('.')") == 6
"""

from __future__ import annotations

import asyncio
import json
import os
import sysconfig
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.editors.conftest import program
from tests.editors.support.terminal import WAIT, Tmux
from tests.support.endpoint import Recorded, Reply, ScriptedEndpoint

PLUGIN = Path(__file__).parents[3] / "editors" / "neovim"
OLD, NEW = "nvim-0.10", "nvim-0.12"
QUIET = "vim.o.swapfile = false vim.o.laststatus = 2 vim.o.shortmess = vim.o.shortmess .. 'I'\n"
SETUP = f"vim.opt.runtimepath:append('{PLUGIN}')\nrequire('qwen').setup()\n"
"""What a person writes who has the plugin in a folder."""


@dataclass(frozen=True, slots=True)
class Nvim:
    """The editor, and the model that its server asks."""

    terminal: Tmux
    model: ScriptedEndpoint
    root: Path
    address: Path
    name: str

    async def lua(self, expression: str) -> Any:
        """The value of a Lua expression in the editor, as JSON has it. Errors fail the test."""
        quoted = f"vim.json.encode({{ {expression} }})".replace("'", "''")
        process = await asyncio.create_subprocess_exec(
            program(self.name), "--clean", "--server", self.address,
            "--remote-expr", f"luaeval('{quoted}')",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            out, errors = await asyncio.wait_for(process.communicate(), WAIT)
        except TimeoutError:
            process.kill()
            screen = await self.terminal.screen()
            pytest.fail(f"the editor does not answer; the screen:\n{screen}", pytrace=False)
        assert process.returncode == 0, errors.decode()
        found = json.loads(out or errors)
        return found[0] if found else None

    async def until(self, condition: str) -> None:
        """Ask until a Lua expression is true. Keys are taken meanwhile, which `vim.wait` would stop."""
        try:
            async with asyncio.timeout(WAIT):
                while not await self.lua(condition):
                    pass
        except TimeoutError:
            pytest.fail(f"not so: {condition}; the screen:\n{await self.terminal.screen()}", pytrace=False)

    async def attached(self) -> None:
        """Wait until the server is at work in the current buffer."""
        await self.until(
            "(function() local c = vim.lsp.get_clients({ name = 'qwen', bufnr = 0 })[1]"
            " return c and c.initialized"
            " and not vim.tbl_contains({ 'off', 'indexing' }, require('qwen').state.state)"
            " end)()"
        )

    async def command(self, text: str) -> None:
        """Type a command line."""
        await self.terminal.keys("Escape")
        await self.terminal.types(f":{text}\n")

    async def lines(self) -> list[str]:
        """The text of the current buffer."""
        return await self.lua("vim.api.nvim_buf_get_lines(0, 0, -1, false)")


def only_suggests(request: Recorded) -> Reply | None:
    """A model that completes with nothing, whenever it is asked, and else says what was scripted."""
    return Reply() if "messages" not in request.json else None


def suggests(text: str) -> Callable[[Recorded], Reply]:
    """A model that completes everything with one text, and says one thing in a chat."""
    return lambda request: Reply(text if "messages" not in request.json else f"It is {text}.")


async def listening(socket: Path) -> None:
    """Wait until the editor can be asked; it draws before that."""
    async with asyncio.timeout(WAIT):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_unix_connection(socket)
                writer.close()
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def opened(
    root: Path,
    *files: str,
    name: str = NEW,
    init: str | None = SETUP,
    model: Callable[[Recorded], Reply | None] = only_suggests,
    environment: Mapping[str, str] | None = None,
    width: int = 80,
    height: int = 24,
    attach: bool = True,
) -> AsyncGenerator[Nvim]:
    """The editor with these files of the workspace; `init` is its configuration, `model` answers what is not
    scripted. With `attach`, once the server is at work. Without `init` it is started as a person starts it,
    with what is in the home."""
    folder = root.parent
    (folder / "init.lua").write_text(QUIET + (init or ""))
    socket = folder / "s"
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "qwen-lsp" / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    # Requests that nobody sees would take what was scripted for others.
    settings.write_text('[completion]\nwarm_up = "off"\nfetch_ahead = "off"\n')
    async with ScriptedEndpoint(responder=model) as server:
        variables = {
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_MODEL": server.model,
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_RUNTIME_DIR": str(folder),
            "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
            **(environment or {}),
        }
        with_init = [] if init is None else ["--clean", "-u", folder / "init.lua"]
        command = [program(name), *with_init, "--listen", socket, *files]
        async with Tmux(*command, cwd=root, environment=variables, width=width, height=height) as terminal:
            nvim = Nvim(terminal, server, root, socket, name)
            await listening(socket)
            if attach:
                await terminal.shows("All")
                await nvim.attached()
            yield nvim

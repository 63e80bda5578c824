"""The lines of the README, carried out as they stand there, in a home of nobody's."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.editors.neovim.desk import NEW, OLD, PLUGIN, QUIET, opened, suggests

README = (PLUGIN / "README.md").read_text(encoding="utf-8")


def lines_under(title: str) -> str:
    """The first block of code below a title."""
    found = re.search(rf"\*\*{re.escape(title)}\*\*.*?```\w*\n(.*?)```", README, re.DOTALL)
    assert found, title
    return found[1]


def clone(into: Path) -> Path:
    """What a clone of the repository has of the plugin."""
    shutil.copytree(PLUGIN, into / "editors" / "neovim")
    return into


async def suggests_something(root: Path, init: str, name: str = NEW) -> None:
    async with opened(root, "cart.py", name=name, init=init, model=suggests("len(lines)")) as nvim:
        await nvim.terminal.types("GA + ")
        if name == NEW:
            await nvim.terminal.shows("+ len(lines)")
            await nvim.terminal.keys("Tab")
        else:
            await nvim.terminal.keys("C-x", "C-o")
        await nvim.until("vim.endswith(vim.fn.getline('$'), 'lines) + len(lines)')")
        await nvim.command("help qwen-review")
        await nvim.terminal.shows("tick the file, or untick it")


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_without_a_plugin_manager(root: Path, name: str) -> None:
    home = Path(os.environ["HOME"])
    script = lines_under("Without a plugin manager").splitlines()
    assert script[0].startswith("git clone ")
    clone(home / "qwen-lsp")
    (home / ".config" / "nvim").mkdir(parents=True)
    (home / ".config" / "nvim" / "init.lua").write_text("")
    run = await asyncio.create_subprocess_exec("sh", "-e", "-c", "\n".join(script[1:]))
    assert await run.wait() == 0
    written = (home / ".config" / "nvim" / "init.lua").read_text()
    data = home / ".local" / "share" / "nvim" / "site"
    # The test's configuration is named on the command line, so that the folder of packages is named too.
    await suggests_something(root, f"vim.opt.packpath:append('{data}')\n{written}", name)


@pytest.mark.parametrize(("title", "folder"), [("vim.pack", "core"), ("mini.deps", "deps")])
async def test_a_manager_that_keeps_plugins_as_packages(root: Path, title: str, folder: str) -> None:
    first, *rest = lines_under(title).splitlines()
    assert "qwen-lsp/qwen-lsp" in first
    # What the manager does: it clones, and puts the clone on the runtime path.
    at = clone(root.parent / "data" / "nvim" / "site" / "pack" / folder / "opt" / "qwen-lsp")
    await suggests_something(root, "\n".join([f"vim.opt.runtimepath:append('{at}')", *rest]))


async def test_lazy(root: Path) -> None:
    at = clone(root.parent / "lazy")
    # As lazy.nvim does with a plugin that is not lazy: `config` is called with it, and it has its folder.
    spec = f"local spec = {lines_under('lazy.nvim')}\nvim.go.loadplugins = false\n"
    await suggests_something(root, f"{spec}spec.config({{ dir = '{at}' }})\n")


async def test_vim_plug(root: Path) -> None:
    plug, *rest = lines_under("vim-plug").splitlines()
    at = clone(root.parent / "plugged")
    where = re.search(r"'rtp': '([^']+)'", plug)
    assert where
    lua = next(line.removeprefix("lua ") for line in rest if line.startswith("lua "))
    await suggests_something(root, f"vim.opt.runtimepath:append('{at / where[1]}')\n{lua}\n")


def test_the_readme_needs_nothing_but_what_is_in_it() -> None:
    assert QUIET.count("qwen") == 0
    for name in re.findall(r"require\('([\w.]+)'\)", README):
        assert name in ("qwen", "cmp"), name
    for picture in re.findall(r"\]\((\.\./\.\./docs/images/[^)]+)\)", README):
        assert (PLUGIN / picture).resolve().is_file(), picture

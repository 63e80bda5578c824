"""The lines of the README, carried out as they stand there, in a home of nobody's.

The address of the repository leads git to a copy of this tree. lazy.nvim is a third party's and is looked for
in the folder `plugins` beside the editors.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.editors.conftest import CACHE
from tests.editors.neovim.desk import NEW, OLD, PLUGIN, QUIET, Nvim, opened, suggests

README = (PLUGIN / "README.md").read_text(encoding="utf-8")
FIRST = (PLUGIN.parents[1] / "README.md").read_text(encoding="utf-8")
LAZY = Path(os.environ[CACHE]) / "plugins" / "lazy.nvim"
AS_LAZY_SAYS = """\
vim.g.mapleader = ' '
vim.opt.rtp:prepend(vim.fn.stdpath('data') .. '/lazy/lazy.nvim')
-- It looks for parsers where a Neovim has them that was built in one folder; ours was not.
local parsers = vim.fs.dirname(vim.api.nvim_get_runtime_file('parser/*', false)[1])
require('lazy').setup({{
  spec = {{ {spec} }},
  performance = {{ rtp = {{ paths = {{ vim.fs.dirname(parsers) }} }} }},
}})
"""


def lines_under(title: str, page: str = README) -> str:
    """The first block of code below a title."""
    found = re.search(rf"\*\*{re.escape(title)}\*\*.*?```\w*\n(.*?)```", page, re.DOTALL)
    assert found, title
    return found[1]


@pytest.fixture
def home(own_user_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it but what git needs to find the repository here."""
    home = own_user_folders
    for variable, folder in (("CONFIG", ".config"), ("DATA", ".local/share"), ("STATE", ".local/state")):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(home / folder))
    (home / ".config" / "nvim").mkdir(parents=True)
    (home / ".config" / "nvim" / "init.lua").write_text(QUIET)
    copy = tmp_path / "tree"
    clone(copy)
    named = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org")
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*named, "commit", "--quiet", "--message=The tree"],
        ["clone", "--quiet", "--bare", ".", str(tmp_path / "qwen-lsp.git")],
        ["config", "--global", f"url.file://{tmp_path}/.insteadOf", "https://github.com/qwen-lsp/"],
    ):
        subprocess.run(["git", *command], cwd=copy, check=True)
    return home


def clone(into: Path) -> Path:
    """What a clone of the repository has of the plugin."""
    shutil.copytree(PLUGIN, into / "editors" / "neovim")
    return into


def by_hand(lines: str) -> None:
    subprocess.run(["sh", "-ec", lines], check=True)


def write(home: Path, lines: str) -> None:
    with (home / ".config" / "nvim" / "init.lua").open("a") as file:
        file.write(lines)


@contextlib.asynccontextmanager
async def first_start(root: Path) -> AsyncGenerator[Nvim]:
    """Neovim with what was written into its own files, as it is when it starts for the first time."""
    async with opened(
        root, "cart.py", init=None, model=suggests("len(lines)"), attach=False,
        environment={"XDG_DATA_HOME": os.environ["XDG_DATA_HOME"]},
    ) as nvim:  # fmt: skip
        yield nvim


async def suggests_something(root: Path, init: str | None, name: str = NEW) -> None:
    data = {} if init is not None else {"XDG_DATA_HOME": os.environ["XDG_DATA_HOME"]}
    async with opened(
        root, "cart.py", name=name, init=init, model=suggests("len(lines)"), environment=data
    ) as nvim:
        await takes(nvim, name)


async def takes(nvim: Nvim, name: str = NEW) -> None:
    """A suggestion comes and is taken, and the plugin's help is found."""
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
async def test_without_a_plugin_manager(root: Path, home: Path, name: str) -> None:
    by_hand(lines_under("Without a plugin manager"))
    assert (home / "qwen-lsp" / "editors" / "neovim").is_dir()
    await suggests_something(root, None, name)


async def test_vim_pack_installs_it_once_it_may(root: Path, home: Path) -> None:
    write(home, lines_under("vim.pack"))
    async with first_start(root) as nvim:
        await nvim.terminal.shows("[Y]es")
        await nvim.terminal.picture("neovim-vim-pack")
        await nvim.terminal.types("y")
        await nvim.terminal.shows("def total")
        await nvim.attached()
        await takes(nvim)
    await suggests_something(root, None)


@pytest.mark.skipif(not LAZY.is_dir(), reason="lazy.nvim is not installed here")
async def test_lazy_installs_it(root: Path, home: Path) -> None:
    shutil.copytree(LAZY, home / ".local" / "share" / "nvim" / "lazy" / "lazy.nvim")
    write(home, AS_LAZY_SAYS.format(spec=lines_under("lazy.nvim")))
    async with first_start(root) as nvim:
        await nvim.terminal.shows("lazy.nvim")
        await nvim.terminal.hides("Working")
        await nvim.terminal.picture("neovim-lazy")
        await nvim.terminal.types("q")
        await nvim.terminal.shows("def total")
        await nvim.attached()
        await takes(nvim)
    await suggests_something(root, None)


async def test_mini_deps(root: Path) -> None:
    first, *rest = lines_under("mini.deps").splitlines()
    assert "qwen-lsp/qwen-lsp" in first
    # What the manager does: it clones, and puts the clone on the runtime path.
    at = clone(root.parent / "data" / "nvim" / "site" / "pack" / "deps" / "opt" / "qwen-lsp")
    await suggests_something(root, "\n".join([f"vim.opt.runtimepath:append('{at}')", *rest]))


async def test_vim_plug(root: Path) -> None:
    plug, *rest = lines_under("vim-plug").splitlines()
    at = clone(root.parent / "plugged")
    where = re.search(r"'rtp': '([^']+)'", plug)
    assert where
    lua = next(line.removeprefix("lua ") for line in rest if line.startswith("lua "))
    await suggests_something(root, f"vim.opt.runtimepath:append('{at / where[1]}')\n{lua}\n")


async def test_the_first_page_without_the_plugin(root: Path, home: Path) -> None:
    write(home, lines_under("Neovim", FIRST))
    async with first_start(root) as nvim:
        await nvim.until("#vim.lsp.get_clients({ name = 'qwen' }) == 1")
        await nvim.until("vim.lsp.get_clients({ name = 'qwen' })[1].initialized")
        await nvim.terminal.types("GA + ")
        await nvim.terminal.shows("+ len(lines)")
        await nvim.terminal.picture("neovim-no-plugin")
        await nvim.terminal.keys("Tab")
        await nvim.until("vim.endswith(vim.fn.getline('$'), 'lines) + len(lines)')")


def test_the_readme_needs_nothing_but_what_is_in_it() -> None:
    assert QUIET.count("qwen") == 0
    for name in re.findall(r"require\('([\w.]+)'\)", README):
        assert name in ("qwen", "cmp"), name
    for picture in re.findall(r"\]\((\.\./\.\./docs/images/[^)]+)\)", README):
        assert (PLUGIN / picture).resolve().is_file(), picture

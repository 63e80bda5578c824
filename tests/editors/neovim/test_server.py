"""The server's life under the editor: started, found missing, killed, restarted, shared, looked into."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.editors.neovim.desk import NEW, OLD, PLUGIN, SETUP, Nvim, opened, suggests
from tests.editors.support.terminal import WAIT

PID = "vim.iter(vim.lsp.get_clients({ name = 'qwen' })):map(function(c) return c.id end):totable()"


def setup(options: str) -> str:
    return f"vim.opt.runtimepath:append('{PLUGIN}')\nrequire('qwen').setup({options})\n"


def servers_of(nvim_pid: int) -> list[int]:
    """The processes of the server that this editor has started."""
    found: list[int] = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            command = (status.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if fields.get("PPid", "").strip() == str(nvim_pid) and b"qwen-lsp" in command:
            found.append(int(status.parent.name))
    return found


async def server(nvim: Nvim) -> int:
    (pid,) = servers_of(await nvim.lua("vim.fn.getpid()"))
    return pid


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_a_server_that_is_killed_comes_back_by_itself(root: Path, name: str) -> None:
    async with opened(root, "cart.py", name=name, model=suggests("1")) as nvim:
        before, first = await nvim.lua(PID), await server(nvim)
        os.kill(first, signal.SIGKILL)
        await nvim.terminal.shows("ended unexpectedly and is started again")
        await nvim.attached()
        assert await nvim.lua(PID) != before
        assert await server(nvim) != first


async def test_it_is_restarted_on_request_and_suggests_again(root: Path) -> None:
    async with opened(root, "cart.py", model=suggests("len(lines)")) as nvim:
        first = await server(nvim)
        await nvim.command("Qwen restart")
        await nvim.until(f"vim.deep_equal({PID}, {{ 2 }})")
        await nvim.attached()
        assert await server(nvim) != first
        await nvim.terminal.types("GA + ")
        await nvim.terminal.shows("+ len(lines)")
        assert "unexpectedly" not in await nvim.lua("vim.fn.execute('messages')")


async def test_nothing_of_it_is_left_behind(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        process = os.pidfd_open(await server(nvim))
        gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(process, gone.set)
        await nvim.command("qa!")
        assert await nvim.terminal.ended() == 0
        await asyncio.wait_for(gone.wait(), WAIT)
        asyncio.get_running_loop().remove_reader(process)
        os.close(process)


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_where_it_is_missing_one_line_says_what_to_run(root: Path, name: str) -> None:
    nowhere = {"PATH": "/usr/bin:/bin"}
    async with opened(root, "cart.py", name=name, environment=nowhere, attach=False) as nvim:
        await nvim.terminal.shows("`pipx install git+https://github.com/qwen-lsp/qwen-lsp`")
        await nvim.command("edit prices.py")
        await nvim.terminal.shows("prices.py")
        told = await nvim.lua("vim.fn.execute('messages')")
        assert told.count("pipx install") == 1
        await nvim.command("checkhealth qwen")
        await nvim.terminal.shows("ERROR no server: ")


async def test_two_folders_have_one_server(root: Path) -> None:
    other = root.parent / "other"
    (other / ".git").mkdir(parents=True)
    (other / "main.py").write_text("from shapes import area\n")
    async with opened(root, "cart.py") as nvim:
        await nvim.command(f"edit {other / 'main.py'}")
        await nvim.attached()
        asked = "{ command = 'qwen.status', arguments = { vim.empty_dict() } }"
        folders = (
            "vim.tbl_map(function(f) return f.name end, vim.lsp.get_clients({ name = 'qwen' })[1]"
            f":request_sync('workspace/executeCommand', {asked}, 9000, 0).result.folders)"
        )
        await nvim.until(f"#({folders}) == 2")
        assert sorted(await nvim.lua(folders)) == ["other", "shop"]
        assert len(await nvim.lua(PID)) == 1


async def test_the_key_comes_from_a_command_and_is_kept_nowhere(root: Path) -> None:
    init = setup("{ api_key = { 'sh', '-c', 'echo sk-from-a-command' } }")
    async with opened(root, "cart.py", init=init, model=suggests("1")) as nvim:
        await nvim.terminal.types("GA + ")
        await nvim.terminal.shows("+ 1")
        assert nvim.model.requests[0].headers["authorization"] == "Bearer sk-from-a-command"
        kept = await nvim.lua("vim.inspect(vim.lsp.get_clients({ name = 'qwen' })[1].config)")
        assert "sk-from-a-command" not in kept
        assert await nvim.lua("vim.env.OPENAI_API_KEY or ''") == ""


async def test_a_key_in_the_configuration_is_refused(root: Path) -> None:
    async with opened(root, "cart.py", init=setup("{ api_key = 'sk-1' }"), attach=False) as nvim:
        await nvim.terminal.shows("is a command as a list")


async def test_a_misspelt_option_is_named(root: Path) -> None:
    async with opened(root, "cart.py", init=setup("{ inlin = true }"), attach=False) as nvim:
        await nvim.terminal.shows("no option `inlin`")


async def test_settings_reach_the_server(root: Path) -> None:
    init = setup("{ settings = { completion = { enabled = false } } }")
    async with opened(root, "cart.py", init=init, attach=False) as nvim:
        await nvim.terminal.shows("cart.py")
        await nvim.until("require('qwen').status() == 'Qwen: off'")


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_checkhealth_tells_what_works_and_what_is_in_the_way(root: Path, name: str) -> None:
    init = SETUP + "package.loaded.copilot = {}\n"
    async with opened(root, "cart.py", name=name, init=init) as nvim:
        await nvim.command("checkhealth qwen")
        await nvim.terminal.shows("copilot.lua")
        told = "\n".join(await nvim.lines())
        assert f"endpoint 127.0.0.1:{nvim.model.port}, model {nvim.model.model}" in told
        assert "running; open buffers: 1" in told
        assert ("suggestions are ghost text" in told) is (name == NEW)


async def test_a_status_line_follows(root: Path) -> None:
    line = "function _G.Line() return require('qwen').status({ tokens = true }) end\n"
    init = SETUP + line + "vim.o.statusline = '%f %{v:lua.Line()} %P'\n"
    async with opened(root, "cart.py", init=init, model=suggests("1")) as nvim:
        await nvim.terminal.shows("cart.py Qwen: on All")
        await nvim.terminal.types("GA + ")
        await nvim.terminal.shows("Qwen: on 110 tokens")

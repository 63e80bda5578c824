"""Neovim with the one file that setup writes: the server starts, with our plugin and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.editors.cli.conftest import SOURCE, Person
from tests.editors.conftest import program

_TELL = """
local function client() return vim.lsp.get_clients({ name = "qwen", bufnr = 0 })[1] end
local began = vim.wait(120000, function() return client() ~= nil and client().initialized end, 50)
local said = { began = began, plugin = vim.fn.exists(":Qwen") == 2 }
if began then
  local cmd = client().config.cmd
  said.cmd = type(cmd) == "table" and cmd or require("qwen.options").now.cmd -- the plugin starts it itself
  said.root = client().config.root_dir
end
io.stdout:write(vim.json.encode(said))
"""


@pytest.mark.parametrize("version", ["nvim-0.12", "nvim-0.10"])
@pytest.mark.parametrize("plugin", [False, True])
async def test_the_server_starts_when_a_file_is_opened(
    person: Person, tmp_path: Path, version: str, plugin: bool
) -> None:
    assert "Neovim will run" in await person.sets_up("neovim")
    told = await opened(person, tmp_path / "tell.lua", version, plugin=plugin)
    assert told == {
        "began": True,
        "plugin": plugin,
        "cmd": [str(person.script), "serve"],
        "root": str(person.project),
    }
    await person.sets_up("neovim", "--undo")
    assert not (person.home / ".config").exists()


async def test_options_of_the_plugin_that_are_set_already_stay(person: Person, tmp_path: Path) -> None:
    await person.sets_up("neovim")
    mine = person.home / "other" / "qwen-lsp"
    person.writes(mine, person.script.read_text(encoding="utf-8"))
    mine.chmod(0o755)
    start = f'require("qwen").setup({{ cmd = {{ "{mine}", "serve" }} }})\n'
    person.writes(person.home / ".config" / "nvim" / "init.lua", start)
    told = await opened(person, tmp_path / "tell.lua", "nvim-0.12", plugin=True)
    assert told["cmd"] == [str(mine), "serve"]


async def opened(person: Person, script: Path, version: str, *, plugin: bool) -> dict[str, Any]:
    """Open a file of the project in a Neovim with nobody's settings but these; what its client says."""
    person.writes(script, _TELL)
    path = ("--cmd", f"set runtimepath+={SOURCE}/editors/neovim") if plugin else ()
    then = ("-c", f"luafile {script}", "-c", "qa!")
    ran = await person.runs(program(version), "--headless", "-i", "NONE", *path, "shop/till.py", *then)
    assert "{" in ran.said, ran.said
    return json.loads(ran.said[ran.said.index("{") : ran.said.rindex("}") + 1])

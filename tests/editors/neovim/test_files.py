"""The plugin's files: every one is read by both editors, sets no global, and the help has its tags."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.editors.conftest import program
from tests.editors.neovim.desk import NEW, OLD, PLUGIN

LUA = sorted(PLUGIN.rglob("*.lua"))
LOOK = """
local globals = vim.tbl_keys(_G)
local loaded = {}
for _, file in ipairs(vim.split(vim.env.FILES, ' ')) do
  local chunk, problem = loadfile(file)
  if not chunk then error(problem) end
  loaded[#loaded + 1] = chunk
end
vim.opt.runtimepath:append(vim.env.PLUGIN)
require('qwen').setup({ keys = false })
for _, file in ipairs(vim.fn.glob(vim.env.PLUGIN .. '/lua/qwen/*.lua', false, true)) do
  require('qwen.' .. vim.fs.basename(file):gsub('%.lua$', ''))
end
for name in pairs(_G) do
  if not vim.tbl_contains(globals, name) then error('a global: ' .. name) end
end
io.stdout:write('good')
"""


@pytest.mark.parametrize("name", [OLD, NEW])
def test_every_file_loads_and_sets_no_global(name: str, tmp_path: Path) -> None:
    script = tmp_path / "look.lua"
    script.write_text(LOOK)
    where = {"FILES": " ".join(map(str, LUA)), "PLUGIN": str(PLUGIN)}
    done = subprocess.run(
        [program(name), "--clean", "--headless", "-l", script],
        env={**where, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout[-4:]) == (0, "good"), done.stderr


def test_lines_are_short_and_indented_by_two() -> None:
    for file in LUA:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            assert len(line) <= 120, f"{file.name}:{number}"
            assert line == line.rstrip(), f"{file.name}:{number}"
            indentation = len(line) - len(line.lstrip(" "))
            assert "\t" not in line and indentation % 2 == 0, f"{file.name}:{number}"


def test_the_help_has_its_tags_and_names_every_command_and_option(tmp_path: Path) -> None:
    help_text = (PLUGIN / "doc" / "qwen.txt").read_text()
    copy = tmp_path / "doc"
    copy.mkdir()
    (copy / "qwen.txt").write_text(help_text)
    subprocess.run([program(NEW), "--clean", "--headless", "-c", f"helptags {copy}", "-c", "q"], check=True)
    assert (copy / "tags").read_text() == (PLUGIN / "doc" / "tags").read_text()
    commands = (PLUGIN / "lua" / "qwen" / "commands.lua").read_text()
    names = re.findall(r"^  (\w+) = function", commands[commands.index("local COMMANDS") :], re.MULTILINE)
    assert len(names) > 12
    for name in names:
        assert f"*:Qwen-{name}*" in help_text
    options = (PLUGIN / "lua" / "qwen" / "options.lua").read_text()
    for name in re.findall(r"^---@field (\w+)\?", options, re.MULTILINE):
        assert f"*qwen-option-{name}*" in help_text
    for line in help_text.splitlines():
        assert len(line) <= 79, line

"""Sixty keys a second: none is lost, none overtakes another; and how long the first suggestion takes."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from tests.editors.neovim.desk import SETUP, opened, suggests
from tests.editors.support import pictures

TEXT = "".join(f"value_{n} = total([{n}, {n + 1}]) * {n % 7} + len(names)\n" for n in range(12))
RATE = 60


async def test_nothing_that_is_typed_is_lost_or_overtaken(root: Path) -> None:
    (root / "cart.py").write_text("")
    init = "vim.o.autoindent = false vim.cmd('filetype indent off')\n"
    async with opened(root, "cart.py", init=SETUP + init, model=suggests("suggested(1)")) as nvim:
        await nvim.terminal.types("i")
        began = time.monotonic()
        for count, key in enumerate(TEXT, 1):
            await nvim.terminal.types(key)
            # A key has its time; where the machine was late, the next ones come as fast as it can.
            await asyncio.sleep(max(0.0, began + count / RATE - time.monotonic()))
        took = time.monotonic() - began
        await nvim.terminal.keys("Escape")
        await nvim.until("vim.fn.mode() == 'n'")
        assert "\n".join(await nvim.lines()) == TEXT
        asked = len(nvim.model.requests)
    report = {"keys": len(TEXT), "keys_a_second": round(len(TEXT) / took, 1), "requests": asked}
    (pictures.folder() / "neovim-typing.json").write_text(json.dumps(report))


WATCH = """
local times, began = {}, vim.uv.hrtime()
local function mark(name) times[name] = times[name] or math.floor((vim.uv.hrtime() - began) / 1e6) end
_G.times = times
vim.api.nvim_create_autocmd('VimEnter', { callback = function()
  mark('editor is up')
  vim.api.nvim_feedkeys(vim.keycode('GA + '), 't', false)
end })
vim.api.nvim_create_autocmd('LspAttach', { callback = function()
  mark('server has answered the first request')
end })
vim.api.nvim_create_autocmd('LspRequest', { callback = function(event)
  local request = event.data.request
  if request.method ~= 'textDocument/inlineCompletion' then return end
  mark(request.type == 'pending' and 'a suggestion is asked for' or 'it is answered')
end })
local timer = vim.uv.new_timer()
timer:start(0, 2, vim.schedule_wrap(function()
  local space = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
  if space and #vim.api.nvim_buf_get_extmarks(0, space, 0, -1, {}) > 0 then mark('it is shown') end
end))
"""


async def test_the_first_suggestion_after_opening_a_file_and_where_its_time_goes(root: Path) -> None:
    async with opened(root, "cart.py", init=WATCH + SETUP, model=suggests("len(lines)")) as nvim:
        await nvim.terminal.shows("+ len(lines)")
        times = await nvim.lua("_G.times")
    assert set(times) == {
        "editor is up",
        "server has answered the first request",
        "a suggestion is asked for",
        "it is answered",
        "it is shown",
    }
    (pictures.folder() / "neovim-first-ghost-text.json").write_text(json.dumps(times, indent=1))

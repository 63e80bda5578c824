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

"""Where Neovim has no inline completion, the suggestion is in the completion menu."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.neovim.desk import NEW, OLD, PLUGIN, SETUP, opened, suggests

BLOCK = "if not lines:\n        return 0\n    return 1"
MENU = "vim.o.completeopt = 'menuone,noselect'\n"
INLINE_OFF = f"vim.opt.runtimepath:append('{PLUGIN}')\nrequire('qwen').setup({{ inline = false }})\n"


@pytest.mark.parametrize(("name", "init"), [(OLD, SETUP), (NEW, INLINE_OFF)])
async def test_a_suggestion_of_several_lines_is_an_item_of_the_menu(root: Path, name: str, init: str) -> None:
    (root / "cart.py").write_text("def total(lines):\n    \n")
    async with opened(root, "cart.py", name=name, init=MENU + init, model=suggests(BLOCK)) as nvim:
        await nvim.terminal.types("jA")
        await nvim.terminal.keys("C-x", "C-o")
        await nvim.terminal.shows("if not lines: …")
        await nvim.terminal.picture(f"neovim-menu-{name}")
        await nvim.terminal.keys("C-n", "C-y")
        await nvim.until("vim.fn.line('$') == 4")
        await nvim.terminal.types("  # one")
        await nvim.until("vim.fn.getline(4) == '    return 1  # one'")
        assert (await nvim.lines())[:3] == ["def total(lines):", "    if not lines:", "        return 0"]

"""Suggestions as they are typed at: shown, taken whole or in part, hidden, turned off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.neovim.desk import NEW, OLD, PLUGIN, SETUP, Nvim, opened, suggests

BLOCK = "if not lines:\n        return 0\n    return 1"
CALL = "len(lines) * rate"
BEGUN = "    return sum(net(line) for line in lines) + "
GHOST = "vim.lsp.inline_completion.is_enabled({ bufnr = 0 })"


async def typed_to_a_suggestion(nvim: Nvim) -> None:
    await nvim.terminal.types("GA + ")
    await nvim.terminal.shows(f"+ {CALL}")


async def last_line(nvim: Nvim) -> str:
    return (await nvim.lines())[-1]


async def test_a_suggestion_is_shown_and_tab_takes_it(root: Path) -> None:
    async with opened(root, "cart.py", model=suggests(CALL)) as nvim:
        await typed_to_a_suggestion(nvim)
        assert await last_line(nvim) == BEGUN
        await nvim.terminal.picture("neovim-ghost-text")
        await nvim.terminal.keys("Tab")
        await nvim.until(f"vim.fn.getline('$') == '{BEGUN}{CALL}'")
        await nvim.terminal.keys("Escape", "u")
        await nvim.until(f"vim.fn.getline('$') == '{BEGUN}'")


async def test_several_lines_come_and_are_taken_line_by_line(root: Path) -> None:
    (root / "cart.py").write_text("def total(lines):\n    \n")
    async with opened(root, "cart.py", model=suggests(BLOCK)) as nvim:
        await nvim.terminal.types("jA")
        await nvim.terminal.shows("        return 0")
        await nvim.terminal.keys("M-l")
        await nvim.until("vim.fn.getline(2) == '    if not lines:'")
        assert len(await nvim.lines()) == 2
        await nvim.terminal.shows("        return 0")
        await nvim.terminal.keys("M-l")
        await nvim.until("vim.fn.getline(3) == '        return 0'")
        assert (await nvim.lua("vim.api.nvim_win_get_cursor(0)")) == [3, 16]


async def test_words_are_taken_one_by_one_and_the_rest_stays(root: Path) -> None:
    async with opened(root, "cart.py", model=suggests(CALL)) as nvim:
        await typed_to_a_suggestion(nvim)
        await nvim.terminal.keys("M-Right", "M-Right", "M-Right")
        await nvim.until(f"vim.fn.getline('$') == '{BEGUN}len(lines'")
        await nvim.terminal.shows(f"+ {CALL}")
        await nvim.terminal.keys("Tab")
        await nvim.until(f"vim.fn.getline('$') == '{BEGUN}{CALL}'")


async def test_typing_along_keeps_it_and_typing_something_else_takes_it_away(root: Path) -> None:
    async with opened(root, "cart.py", model=suggests(CALL), width=120) as nvim:
        await typed_to_a_suggestion(nvim)
        await nvim.terminal.types("len")
        assert CALL in await nvim.terminal.screen()
        await nvim.terminal.keys("Tab")
        await nvim.until(f"vim.fn.getline('$') == '{BEGUN}{CALL}'")
        await nvim.terminal.types(" + ")
        await nvim.terminal.shows(f"{CALL} + {CALL}")
        await nvim.terminal.types("x")
        await nvim.terminal.shows(lambda screen: f"{CALL} + x\n" in screen)
        await nvim.terminal.keys("Tab")
        await nvim.until(f"vim.startswith(vim.fn.getline('$'), '{BEGUN}{CALL} + x')")
        assert "xen(lines)" not in await last_line(nvim)


async def test_what_is_typed_behind_tab_stands_behind_the_suggestion(root: Path) -> None:
    async with opened(root, "cart.py", model=suggests(CALL)) as nvim:
        await typed_to_a_suggestion(nvim)
        await nvim.terminal.types("\t  # all")
        await nvim.until(f"vim.fn.getline('$') == '{BEGUN}{CALL}  # all'")


async def test_it_can_be_dismissed(root: Path) -> None:
    async with opened(root, "cart.py", model=suggests(CALL)) as nvim:
        await typed_to_a_suggestion(nvim)
        await nvim.terminal.keys("C-]")
        await nvim.terminal.hides(CALL)
        assert await last_line(nvim) == BEGUN


async def test_tab_does_what_it_did_before_where_nothing_is_suggested(root: Path) -> None:
    init = "vim.keymap.set('i', '<Tab>', function() return '<C-v>u2192' end, { expr = true })\n" + SETUP
    async with opened(root, "cart.py", init=init, model=suggests(CALL)) as nvim:
        await nvim.terminal.types("ggO\t|")
        await nvim.until("vim.fn.getline(1) == '→|'")


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_tab_is_tab_where_it_was_nothing_else(root: Path, name: str) -> None:
    async with opened(root, "cart.py", name=name, model=suggests(CALL)) as nvim:
        await nvim.command("set noexpandtab softtabstop=0")
        await nvim.terminal.types("ggO\t|")
        await nvim.until("vim.fn.getline(1) == '\\t|'")


async def test_no_keys_are_taken_when_none_are_wanted(root: Path) -> None:
    init = f"vim.opt.runtimepath:append('{PLUGIN}')\nrequire('qwen').setup({{ keys = false }})\n"
    init += "vim.keymap.set('i', '<C-y>', '<Plug>(qwen-accept)')\n"
    async with opened(root, "cart.py", init=init, model=suggests(CALL)) as nvim:
        assert await nvim.lua("vim.fn.maparg('<M-l>', 'i')") == ""
        await typed_to_a_suggestion(nvim)
        await nvim.terminal.keys("C-y")
        await nvim.until(f"vim.fn.getline('$') == '{BEGUN}{CALL}'")


async def test_it_is_hidden_while_the_completion_menu_is_open(root: Path) -> None:
    async with opened(root, "cart.py", model=suggests(CALL)) as nvim:
        await typed_to_a_suggestion(nvim)
        await nvim.terminal.types("l")
        await nvim.terminal.keys("C-n")
        await nvim.until("vim.fn.pumvisible() == 1")
        await nvim.terminal.hides(CALL)
        assert not await nvim.lua(GHOST)
        await nvim.terminal.keys("C-e")
        await nvim.until(GHOST)
        await nvim.terminal.types("e")
        await nvim.terminal.shows(f"+ {CALL}")


async def test_it_is_turned_off_here_and_everywhere(root: Path) -> None:
    async with opened(root, "cart.py", "prices.py", model=suggests(CALL)) as nvim:
        await nvim.command("Qwen disable")
        await nvim.until(f"not {GHOST}")
        assert await nvim.lua("require('qwen').status()") == "Qwen: off here"
        await nvim.command("next")
        await nvim.until(GHOST)
        await nvim.command("Qwen! disable")
        await nvim.until(f"not {GHOST}")
        await nvim.command("Qwen! enable")
        await nvim.until(GHOST)
        assert await nvim.lua("require('qwen').status()") == "Qwen: on"


async def test_filetypes_special_buffers_and_large_files_are_left_alone(root: Path) -> None:
    (root / "notes.md").write_text("# Notes\n")
    (root / "large.py").write_text("x = 1\n" * 2_000)
    init = f"vim.opt.runtimepath:append('{PLUGIN}')\n"
    init += "require('qwen').setup({ filetypes = { markdown = false }, max_file_size = 10000 })\n"
    here = "#vim.lsp.get_clients({ name = 'qwen', bufnr = 0 })"
    async with opened(root, "cart.py", init=init, model=suggests(CALL)) as nvim:
        for left_alone in ("edit notes.md", "edit large.py", "help lsp"):
            await nvim.command(left_alone)
            await nvim.until(f"vim.fn.expand('%:t') ~= 'cart.py' and {here} == 0")
            await nvim.command("buffer cart.py")
        await nvim.command("edit prices.py")
        await nvim.until(f"{here} == 1")


async def test_it_works_by_vim_lsp_enable_alone(root: Path) -> None:
    init = f"vim.opt.runtimepath:append('{PLUGIN}')\nvim.lsp.enable('qwen')\n"
    init += "vim.keymap.set('i', '<Tab>', '<Plug>(qwen-accept)')\n"
    async with opened(root, "cart.py", init=init, model=suggests(CALL)) as nvim:
        await typed_to_a_suggestion(nvim)
        await nvim.terminal.keys("Tab")
        await nvim.until(f"vim.fn.getline('$') == '{BEGUN}{CALL}'")

"""Explanations, contexts and reasons, in windows of their own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.editors.neovim.desk import NEW, OLD, opened, suggests
from tests.support.endpoint import Reply

TEXT = "# cart.py\n\n`total` adds up **net** prices.\n\n- of each line\n- and nothing else\n"


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_an_explanation_streams_into_a_window(root: Path, name: str) -> None:
    async with opened(root, "cart.py", name=name) as nvim:
        nvim.model.script([Reply(TEXT, chunks=[TEXT[:40], TEXT[40:]], pace=1.0)])
        await nvim.command("Qwen explain")
        screen = await nvim.terminal.shows("adds up")
        assert "nothing else" not in screen
        await nvim.terminal.shows("nothing else")
        assert await nvim.lua("vim.bo.filetype") == "markdown"
        assert "\n".join(await nvim.lines()).rstrip() == TEXT.rstrip()
        await nvim.terminal.picture("neovim-explain")
        await nvim.terminal.keys("q")
        await nvim.terminal.hides("nothing else")
        assert await nvim.lua("vim.fn.expand('%:t')") == "cart.py"


async def test_closing_the_window_ends_the_explanation(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        nvim.model.reply(TEXT, hang_after=4)
        await nvim.command("Qwen explain")
        await nvim.terminal.shows("# cart")
        await nvim.terminal.keys("q")
        await nvim.model.wait_early_closes()


async def test_lines_alone_are_explained(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        nvim.model.reply("It adds up.")
        await nvim.command("4,5Qwen explain")
        await nvim.terminal.shows("It adds up.")
        assert "total" in nvim.model.requests[-1].prompt


async def test_context_and_reasons_are_told(root: Path) -> None:
    async with opened(root, "cart.py", model=suggests("1")) as nvim:
        await nvim.command("Qwen context")
        await nvim.terminal.shows("whole    prices.py")
        await nvim.terminal.keys("q")
        await nvim.command("Qwen context agent")
        await nvim.terminal.shows("of 65,536 tokens")
        await nvim.terminal.keys("q")
        await nvim.terminal.types("GA + ")
        await nvim.terminal.shows("+ 1")
        await nvim.command("Qwen why")
        await nvim.terminal.shows("Why this suggestion: cart.py:5")


async def test_without_an_endpoint_there_are_suggestions_and_a_plain_word_about_it(root: Path) -> None:
    (root / "cart.py").write_text("total = price * amount\ncount = price * amount\nsum = price * \n")
    nowhere = {"OPENAI_BASE_URL": "", "OPENAI_MODEL": ""}
    async with opened(root, "cart.py", environment=nowhere) as nvim:
        await nvim.terminal.types("GA")
        await nvim.terminal.shows("sum = price * amount")
        assert await nvim.lua("require('qwen').status()") == "Qwen: no model"
        await nvim.command("Qwen edit Rename price")
        await nvim.terminal.shows("The agent needs a model: set OPENAI_BASE_URL")
        await nvim.terminal.keys("Enter")  # it takes more than a line
        assert await nvim.lua("#vim.api.nvim_list_wins()") == 1, "a view of nothing stands in the way"


async def test_an_endpoint_that_is_gone_is_told_and_the_embedded_default_goes_on(root: Path) -> None:
    (root / "cart.py").write_text("total = price * amount\ncount = price * amount\nsum = price * \n")
    async with opened(root, "cart.py", model=suggests("rate")) as nvim:
        await asyncio.wait_for(nvim.model.stop(), 30)
        await nvim.terminal.types("GA")
        await nvim.terminal.shows("sum = price * amount")
        await nvim.until("require('qwen').status() == 'Qwen: failing!'")

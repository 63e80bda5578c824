"""Agent runs: watched, asked about, looked at, landed in part, taken back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.editors.neovim.desk import NEW, OLD, Nvim, opened
from tests.support.agent import CALLS, FILES, NEW_CART, NEW_PRICES, NOTES, RENAME

PLAN = [{"content": "Rename net", "status": "completed"}, {"content": "Write notes", "status": "in_progress"}]
ECHO = ("run_shell_command", {"command": "echo hello", "description": "Say hello"})


def rename(nvim: Nvim) -> None:
    """The model renames something in four files."""
    nvim.model.reply("I look first.", tool_calls=[("todo_write", {"todos": PLAN}), *CALLS])
    nvim.model.reply("It is renamed, as **asked**.")


async def text_of(nvim: Nvim, path: str) -> str | None:
    """What the editor has of a file: its buffer, else the disk."""
    name = str(nvim.root / path)
    lines = await nvim.lua(
        f"(vim.fn.bufloaded('{name}') == 1 and vim.fn.getbufline('{name}', 1, '$') or vim.NIL)"
    )
    if lines is not None:
        return "\n".join(lines) + "\n"
    return (nvim.root / path).read_text() if (nvim.root / path).exists() else None


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_a_run_is_watched_looked_at_landed_in_part_and_taken_back(root: Path, name: str) -> None:
    async with opened(root, "cart.py", name=name) as nvim:
        rename(nvim)
        await nvim.command("Qwen edit Rename net")
        await nvim.terminal.shows("land 4 of 4")
        await nvim.terminal.picture(f"neovim-review-{name}")
        for path, text in FILES.items():
            assert await text_of(nvim, path) == text
        await nvim.terminal.keys("G", "Space")
        await nvim.terminal.shows("land 3 of 4")
        await nvim.terminal.keys("Enter")
        await nvim.terminal.shows("3 files changed")
        assert await text_of(nvim, "cart.py") == NEW_CART
        assert await text_of(nvim, "prices.py") == FILES["prices.py"]
        assert await text_of(nvim, "docs/notes.md") == NOTES
        assert await text_of(nvim, "gone.py") is None
        await nvim.command("Qwen undo")
        await nvim.terminal.shows("3 files as before")
        for path in ("cart.py", "prices.py", "gone.py"):
            assert await text_of(nvim, path) == FILES[path]


async def test_all_or_none_is_one_key(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        rename(nvim)
        await nvim.command("Qwen edit Rename net")
        await nvim.terminal.shows("land 4 of 4")
        await nvim.terminal.keys("n")
        await nvim.terminal.shows("land 0 of 4")
        await nvim.terminal.keys("Enter")
        await nvim.terminal.shows("nothing was ticked")
        assert await text_of(nvim, "cart.py") == FILES["cart.py"]
        await nvim.command("Qwen review")
        await nvim.terminal.shows("land 4 of 4")
        await nvim.terminal.keys("Enter")
        await nvim.terminal.shows("4 files changed")
        assert await text_of(nvim, "prices.py") == NEW_PRICES
        await nvim.command("wall")
        await nvim.until("#vim.fn.getbufinfo({ bufmodified = 1 }) == 0")
        assert (root / "prices.py").read_text() == NEW_PRICES


async def test_the_view_takes_no_focus_and_says_when_there_is_something_to_look_at(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        nvim.model.reply("I look first.", tool_calls=[("todo_write", {"todos": PLAN}), RENAME])
        nvim.model.reply("Renamed.", hang="headers")
        await nvim.command("Qwen edit Rename net")
        await nvim.terminal.shows("▸ edit prices.py")
        await nvim.terminal.types("ggOimport math")
        screen = await nvim.terminal.shows("import math")
        assert "✓ Rename net" in screen
        assert "Turn 1, 110 tokens" in screen
        assert await nvim.lua("vim.fn.expand('%:t')") == "cart.py"
        await nvim.terminal.picture("neovim-run")
        await nvim.command("Qwen stop")
        await nvim.terminal.shows("Stopped")
        await nvim.terminal.shows("1 file to look at")


async def test_a_wide_screen_has_the_view_at_its_side(root: Path) -> None:
    async with opened(root, "cart.py", width=140, height=36) as nvim:
        nvim.model.reply("I look first.", tool_calls=[("todo_write", {"todos": PLAN}), *CALLS])
        nvim.model.reply("Renamed it all.", hang_after=3)
        await nvim.command("Qwen edit Rename net")
        screen = await nvim.terminal.shows("Renamed")
        assert screen.splitlines()[0].startswith("from prices import net")
        assert "╭ Qwen: Rename net" in screen.splitlines()[1]
        await nvim.terminal.picture("neovim-run-wide")


@pytest.mark.parametrize(("keys", "ran"), [(("y",), True), (("n",), False)])
async def test_a_question_is_answered_by_a_key_in_the_view(
    root: Path, keys: tuple[str, ...], ran: bool
) -> None:
    async with opened(root, "cart.py") as nvim:
        nvim.model.reply(tool_calls=[ECHO])
        nvim.model.reply("Done.")
        await nvim.command("Qwen edit Say hello")
        await nvim.terminal.shows("y: Allow once")
        assert await nvim.lua("vim.fn.expand('%:t')") == "cart.py"
        await nvim.command("Qwen view")
        await nvim.terminal.picture("neovim-question")
        await nvim.terminal.keys(*keys)
        await nvim.model.wait_requests(2)
        answer = nvim.model.requests[1].messages[-1]["content"]
        assert ("did not allow" not in answer) is ran, answer
        await nvim.terminal.shows("Nothing is to be changed")


async def test_a_question_is_answered_from_anywhere(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        ask = ("ask_user", {"question": "Which database?", "options": ["sqlite", "postgres"]})
        nvim.model.reply(tool_calls=[ask])
        nvim.model.reply("Done.")
        await nvim.command("Qwen edit Choose a database")
        await nvim.terminal.shows("2: postgres")
        await nvim.command("Qwen answer")
        await nvim.terminal.shows("3: another answer")
        await nvim.terminal.types("3\n")
        await nvim.terminal.shows(re.compile(r"cancels\): 3\nWhich database\?"))
        await nvim.terminal.types("mysql\n")
        await nvim.model.wait_requests(2)
        assert "mysql" in nvim.model.requests[1].messages[-1]["content"]


@pytest.mark.parametrize("name", [OLD, NEW])
async def test_a_selection_is_changed_after_a_look_at_its_diff(root: Path, name: str) -> None:
    async with opened(root, "cart.py", name=name) as nvim:
        nvim.model.reply("    return 2 * sum(net(line) for line in lines)\n")
        await nvim.command("5Qwen edit Double it")
        screen = await nvim.terminal.shows("+    return 2 * sum")
        assert "y: Apply" in screen
        assert await text_of(nvim, "cart.py") == FILES["cart.py"]
        await nvim.terminal.keys("y")
        await nvim.terminal.shows("1 file changed")
        assert (await nvim.lines())[-1] == "    return 2 * sum(net(line) for line in lines)"


async def test_a_refused_selection_stays_as_it_is(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        nvim.model.reply("    return 2 * sum(net(line) for line in lines)\n")
        await nvim.command("5Qwen edit Double it")
        await nvim.terminal.shows("y: Apply")
        await nvim.terminal.keys("n")
        await nvim.terminal.shows("it was refused")
        assert await text_of(nvim, "cart.py") == FILES["cart.py"]


async def test_earlier_runs_are_listed_shown_and_looked_at_again(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        rename(nvim)
        await nvim.command("Qwen edit Rename net")
        await nvim.terminal.shows("land 4 of 4")
        await nvim.terminal.keys("q")
        await nvim.command("Qwen runs")
        await nvim.terminal.shows("Done · 4 files  Rename net")
        await nvim.terminal.types("1\n")
        await nvim.terminal.shows("1: Look at the changes")
        await nvim.terminal.types("1\n")
        await nvim.terminal.shows("land 4 of 4")
        await nvim.terminal.keys("q")
        await nvim.command("Qwen runs")
        await nvim.terminal.shows("Done · 4 files  Rename net")
        await nvim.terminal.types("1\n")
        await nvim.terminal.shows("2: Show what happened")
        await nvim.terminal.types("2\n")
        await nvim.until("vim.fn.expand('%') == 'qwen://run'")


async def test_an_edit_of_a_text_that_changed_meanwhile_is_fitted_to_it(root: Path) -> None:
    async with opened(root, "cart.py") as nvim:
        rename(nvim)
        await nvim.command("Qwen edit Rename net")
        await nvim.terminal.shows("land 4 of 4")
        await nvim.lua("(function() vim.fn.appendbufline('cart.py', 2, '# mine') return 1 end)()")
        await nvim.terminal.keys("Enter")
        await nvim.terminal.shows("4 files changed")
        assert await text_of(nvim, "cart.py") == NEW_CART.replace("\n\n\n", "\n\n# mine\n\n", 1)

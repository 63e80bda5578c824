"""The terminal that the tests of Neovim, Helix, Emacs and the command lines type into."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.editors.support.terminal import Tmux


async def test_what_is_typed_arrives_as_it_stands(tmp_path: Path) -> None:
    async with Tmux("cat", cwd=tmp_path) as terminal:
        await terminal.types('it\'s "50 %"; #{x} $HOME ~ grün 🙂\n')
        screen = await terminal.shows(lambda screen: screen.count("🙂") == 2)
        assert screen.splitlines()[1] == 'it\'s "50 %"; #{x} $HOME ~ grün 🙂'


async def test_keys_by_name_and_the_end(tmp_path: Path) -> None:
    async with Tmux("sh", "-c", "cat; echo over; exit 7", cwd=tmp_path) as terminal:
        await terminal.types("one\n")
        await terminal.shows("one\none")
        await terminal.keys("C-d")
        assert await terminal.ended() == 7
        assert "over" in await terminal.screen()


async def test_a_screen_that_does_not_come_is_told_with_what_stands_there(tmp_path: Path) -> None:
    async with Tmux("sh", "-c", "echo something else; cat", cwd=tmp_path) as terminal:
        await terminal.shows("something else")
        with pytest.raises(AssertionError, match="'a miracle' did not come; the screen:\nsomething else"):
            await terminal.shows("a miracle", wait=0.2)


async def test_the_program_has_the_environment_the_folder_and_the_size(tmp_path: Path) -> None:
    told = 'echo "$PWD|$QUIET|$(stty size)"; cat'
    async with Tmux(
        "sh", "-c", told, cwd=tmp_path, environment={"QUIET": "a b"}, width=180, height=40
    ) as terminal:
        screen = await terminal.shows(re.compile(r"\|\d+ \d+"))
        assert f"{tmp_path}|a b|40 180" in screen


async def test_a_long_text_arrives_whole(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(500))
    async with Tmux("sh", "-c", "cat > out; echo written; cat", cwd=tmp_path, height=10) as terminal:
        await terminal.types(text)
        await terminal.keys("C-d")
        await terminal.shows("written")
        assert (tmp_path / "out").read_text() == text


async def test_a_picture_has_the_screen_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_LSP_SCREENS", str(tmp_path / "screens"))
    printed = r"printf '\033[31mred\033[0m and \033[1;32mgreen\033[0m ✓ │\n'; cat"
    async with Tmux("sh", "-c", printed, cwd=tmp_path, height=5) as terminal:
        await terminal.shows("green")
        file = await terminal.picture("colours")
    assert file == tmp_path / "screens" / "colours.png"
    assert file.read_bytes().startswith(b"\x89PNG")

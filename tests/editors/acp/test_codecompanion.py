"""The agent in Neovim by CodeCompanion, with the lines of docs/acp.md.

The plugins are third parties' and are looked for in the folder `plugins` beside the editors.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.editors.conftest import CACHE, program
from tests.support.agent import AFTER, CALLS, FILES, NEW_CART
from tests.support.endpoint import ScriptedEndpoint

TIME = 300.0
"""Longest run, in seconds."""
PLUGINS = Path(os.environ[CACHE]) / "plugins"
DRIVE = Path(__file__).with_name("drive.lua")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (PLUGINS / "codecompanion.nvim").is_dir(), reason="CodeCompanion is not installed here"
    ),
]


async def driven(root: Path, model: ScriptedEndpoint, *tasks: str) -> dict[str, object]:
    """What CodeCompanion shows after these messages, each question accepted."""
    shown = root.parent / "shown.json"
    variables = {
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_MODEL": model.model,
        "PLUGINS": str(PLUGINS),
        "AGENT": json.dumps([sys.executable, "-m", "qwen_lsp", "acp"]),
        "TASKS": json.dumps(tasks),
        "OPEN": str(root / "cart.py"),
        "SHOWN": str(shown),
    }
    editor = await asyncio.create_subprocess_exec(
        program("nvim-0.12"), "--headless", "--clean", "-c", f"luafile {DRIVE}", cwd=root,
        env={**os.environ, **variables}, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, said = await asyncio.wait_for(editor.communicate(), TIME)
    finally:
        if editor.returncode is None:
            editor.kill()
            await editor.wait()
    assert shown.exists(), said.decode()
    return json.loads(shown.read_text())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    for path, text in FILES.items():
        (folder / path).write_text(text)
    return folder


async def test_a_change_of_many_files_is_accepted_and_lands(root: Path) -> None:
    async with ScriptedEndpoint() as model:
        model.reply("I rename it.", tool_calls=CALLS)
        model.reply("Renamed it.")

        shown = await driven(root, model, "Rename net.")

    chat = str(shown["chat"])
    for words in (
        "I rename it.",
        "Apply the change of 4 files: cart.py",
        "You selected: Accept",
        "Applied: cart.py",
    ):
        assert words in chat
    files = {path: (root / path).read_text() if (root / path).exists() else None for path in AFTER}
    assert files == AFTER
    assert shown["text"] == NEW_CART, "the open text is that of the disk"


async def test_and_one_command_takes_it_back(root: Path) -> None:
    async with ScriptedEndpoint() as model:
        model.reply(tool_calls=CALLS)
        model.reply("Renamed it.")

        shown = await driven(root, model, "Rename net.", "/undo")

    assert "Taken back: cart.py" in str(shown["chat"])
    assert {path: (root / path).read_text() for path in FILES} == FILES

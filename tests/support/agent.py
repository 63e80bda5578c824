"""A workspace, an editor with some of its files open, and a model that carries out a task in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import EGLOT, HELIX, Desk
from tests.support.editor import TIME, Editor, EditorError, Json, in_process, indexed
from tests.support.endpoint import ScriptedEndpoint

PRICES = "def net(price):\n    return price\n\n\ndef gross(price):\n    return price * 1.2\n"
CART = "from prices import net\n\n\ndef total(lines):\n    return sum(net(line) for line in lines)\n"
FILES = {"prices.py": PRICES, "cart.py": CART, "old.py": "x = 1\n", "gone.py": "y = 2\n"}
NEW_PRICES = PRICES.replace("def net", "def before_tax")
NEW_CART = CART.replace("net", "before_tax")
NOTES = "net is called before_tax now.\n"
RENAME: tuple[str, Json] = (
    "edit",
    {"file_path": "prices.py", "old_string": "def net", "new_string": "def before_tax"},
)
CALLS: list[tuple[str, Json]] = [
    RENAME,
    (
        "edit",
        {"file_path": "cart.py", "old_string": "net", "new_string": "before_tax", "replace_all": True},
    ),
    ("write_file", {"file_path": "docs/notes.md", "content": NOTES}),
    ("delete_file", {"file_path": "gone.py"}),
]
TASK = {"task": "Rename net."}
AFTER = {"prices.py": NEW_PRICES, "cart.py": NEW_CART, "docs/notes.md": NOTES, "gone.py": None}
BEFORE = {path: FILES.get(path) for path in AFTER}


@dataclass
class Scene:
    """What stands ready before the task."""

    desk: Desk
    model: ScriptedEndpoint

    @property
    def editor(self) -> Editor:
        return self.desk.editor

    def script(self, *calls: tuple[str, Json]) -> None:
        """The model makes these calls in one turn, then says that it is done."""
        self.model.reply(tool_calls=calls or CALLS)
        self.model.reply("Renamed it.")

    async def edit(self, **more: Any) -> Json:
        return await self.editor.command("qwen.edit", {**TASK, **more})

    def begin(self, token: str = "", **more: Any) -> tuple[int, asyncio.Future[Json]]:
        """Send the command; its id, and the whole reply to come."""
        params: Json = {"command": "qwen.edit", "arguments": [{**TASK, **more}]}
        if token:
            params["workDoneToken"] = token
        return self.editor.ask("workspace/executeCommand", params)

    async def undo(self, **more: Any) -> Json:
        return await self.editor.command("qwen.undoEdit", more)

    def seen(self, *paths: str) -> dict[str, str | None]:
        """What the person sees of these files, or of those that the usual task is about."""
        return {path: self.desk.text(path) for path in paths or AFTER}

    async def refused(self, command: str, argument: Json) -> str:
        with pytest.raises(EditorError) as caught:
            await self.editor.command(command, argument)
        return str(caught.value)


async def result_of(reply: asyncio.Future[Json]) -> Json:
    async with asyncio.timeout(TIME):
        answered = await reply
    assert "result" in answered, answered
    return answered["result"]


@asynccontextmanager
async def scene(
    root: Path, client: Json, *, skips_old: bool = False, **settings: Any
) -> AsyncGenerator[Scene]:
    """The server in this process, and its client with two files open."""
    for path, text in FILES.items():
        (root / path).write_text(text)
    async with ScriptedEndpoint() as model, in_process() as editor:
        options = {"endpoint": endpoint(model), **settings}
        await editor.initialize(root, capabilities=client, initializationOptions=options)
        await indexed(editor)
        desk = Desk(editor, root, skips_old=skips_old, like_helix=client in (HELIX, EGLOT))
        desk.open("prices.py")
        desk.open("cart.py")
        yield Scene(desk, model)


def endpoint(model: ScriptedEndpoint) -> Json:
    """The settings of an endpoint that is asked once and never again."""
    return {"baseUrl": model.base_url, "model": model.model, "kind": "vllm", "maxRetries": 0}


def mine(text: str) -> str:
    """What the person types in cart.py, away from the lines that the agent changes."""
    return text.replace("\n\n\ndef", "\n\n# mine\n\ndef")


def states(result: Json) -> dict[str, str]:
    return {file["path"]: file["state"] for file in result["files"]}


def ways(result: Json) -> dict[str, str]:
    return {file["path"]: file["way"] for file in result["files"]}

"""Code actions for an editor that never has one resolved: a command, carried out by the server."""

from __future__ import annotations

from pathlib import Path

from tests.support.agent import PRICES, Scene, scene, ways
from tests.support.desk import EGLOT
from tests.support.editor import Json

LITERAL: Json = {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}
EMACS: Json = {**EGLOT, "textDocument": {"codeAction": LITERAL}}
"""It takes actions as literals, and asks for nothing afterwards."""
DOCUMENTED = '```python\ndef net(price):\n    """Without tax."""\n```'


async def offered(at: Scene, begins: str) -> Json:
    """The one action for `net` whose title begins so."""
    place = {"line": 0, "character": 4}
    params: Json = {
        "textDocument": {"uri": at.desk.uri("prices.py")},
        "range": {"start": place, "end": place},
        "context": {"diagnostics": []},
    }
    actions = await at.editor.request("textDocument/codeAction", params)
    (action,) = [action for action in actions if action["title"].startswith(begins)]
    return action


async def test_an_action_is_a_command_that_is_answered_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path, EMACS) as at:
        action = await offered(at, "Document")
        assert "data" not in action
        assert "edit" not in action
        (argument,) = action["command"]["arguments"]
        assert argument["wait"] is False, "such an editor locks the keyboard until it is answered"
        at.model.reply(DOCUMENTED)
        told = await at.editor.command(action["command"]["command"], {**argument, "wait": True})
        assert told["text"] == "1 file changed (save the one that is open)"
        assert ways(told) == {"prices.py": "editor"}
        assert at.desk.text("prices.py") == PRICES.replace(":\n", ':\n    """Without tax."""\n', 1)


async def test_what_it_cannot_do_is_written_to_disk(tmp_path: Path) -> None:
    async with scene(tmp_path, EMACS) as at:
        action = await offered(at, "Write tests")
        (argument,) = action["command"]["arguments"]
        at.model.reply("```python\ndef test_net():\n    assert True\n```")
        told = await at.editor.command(action["command"]["command"], {**argument, "wait": True})
        ((path, way),) = ways(told).items()
        assert way == "disk"
        assert "def test_net" in (tmp_path / path).read_text()


async def test_an_action_that_never_came_from_here_is_refused(tmp_path: Path) -> None:
    async with scene(tmp_path, EMACS) as at:
        said = await at.refused("qwen.act", {"uri": at.desk.uri("prices.py"), "offer": {"id": "x"}})
        assert "ask for the actions again" in said

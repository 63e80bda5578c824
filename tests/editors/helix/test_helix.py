"""Helix with the configuration of docs/helix.md: what a person types, and what is on the screen then."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.editors.helix.conftest import Helix, helix
from tests.editors.neighbour import COMPLAINT, FIX, WORD
from tests.editors.pages import completing, servers
from tests.support.agent import AFTER, BEFORE, CALLS, PRICES
from tests.support.endpoint import ScriptedEndpoint

CLASS = "class Cart:\n    def total(self):\n        return wrong\n"
QUESTION = ("ask_user", {"question": "Which name?", "options": ["before_tax", "without_tax"]})


# -- while typing --------------------------------------------------------------------------------------


async def test_a_completion_is_taken_beside_those_of_another_server(tmp_path: Path) -> None:
    model = ScriptedEndpoint(responder=completing("sum(self.prices)\n        # all of them"))
    async with helix(tmp_path, "till.py", model=model, till="class Till:\n    pass\n") as at:
        await at.terminal.keys("g", "e", "o")
        await at.terminal.shows(" INS ")
        await at.terminal.types("total = n")
        menu = await at.terminal.shows(lambda screen: WORD in screen and "nsum(self.prices)" in screen)
        await at.terminal.keys("Tab", *(["Tab"] if menu.index(WORD) < menu.index("nsum") else []))
        await at.terminal.shows("Qwen")
        await at.terminal.picture("helix-completion")
        await at.terminal.keys("Enter")
        await at.normal()
        await at.terminal.shows("total = nsum(self.prices)")
        await at.command("w")
        await at.terminal.shows("written")
        assert (
            (at.root / "till.py").read_text().endswith("total = nsum(self.prices)\n        # all of them\n")
        )


async def test_actions_of_both_servers_are_in_one_menu(tmp_path: Path) -> None:
    async with helix(tmp_path, "till.py", till=CLASS) as at:
        await at.terminal.shows(COMPLAINT[:20])
        await at.terminal.keys("3", "g", "g", "w", "w", "w")
        await at.terminal.keys("Space", "a")
        menu = await at.terminal.shows("Write tests for")
        assert FIX in menu
        assert "Fix: " in menu
        assert "Change by instruction" not in menu, "nobody would ask for the words"
        await at.terminal.picture("helix-actions")


async def test_an_action_of_one_file_is_applied(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        at.model.reply('```python\ndef net(price):\n    """The price without tax."""\n```')
        await at.terminal.keys("Space", "a")
        await at.terminal.shows("Document `net`")
        await at.terminal.keys("Enter")
        await at.terminal.shows("The price without tax.")
        await at.terminal.keys("u")
        await at.terminal.hides("The price without tax.")


async def test_tests_are_written_to_a_new_buffer(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        at.model.reply("```python\nfrom prices import net\n\n\ndef test_net():\n    assert net(1) == 1\n```")
        await at.terminal.keys("Space", "a")
        await at.terminal.shows("Write tests for `net`")
        await at.terminal.keys("Down", "Enter")
        await at.terminal.shows(lambda _: at.logged('tests/test_prices.py","version":0') > 0)
        await at.command("wa")
        await at.terminal.shows("'tests/test_prices.py' written")
        assert "def test_net" in (at.root / "tests/test_prices.py").read_text()


# -- explaining ----------------------------------------------------------------------------------------


async def test_an_explanation_opens_as_a_text(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        at.model.reply("# Prices\n\nWith tax and without.")
        await at.terminal.keys("Space", "q", "e")
        await at.terminal.shows("With tax and without.")
        await at.terminal.picture("helix-explain")
        await at.terminal.keys("C-o")
        await at.terminal.shows("def gross")


# -- the agent -----------------------------------------------------------------------------------------


async def asked_for(at: Helix, task: str) -> None:
    """A task typed after `space q a`."""
    await at.terminal.keys("Space", "q", "a")
    await at.terminal.shows('{"task":""}')
    await at.terminal.types(f"{task}\n")


async def test_an_edit_of_many_files_is_asked_about_lands_and_is_taken_back(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        at.model.reply(tool_calls=CALLS)
        at.model.reply("Renamed it.")
        await asked_for(at, "Rename net.")
        asked = await at.terminal.shows("Leave as it is")
        for line in (
            "Apply the edit of 4 files?",
            "create docs/notes.md",
            "delete gone.py",
            "change cart.py",
        ):
            assert line in asked
        await at.terminal.picture("helix-agent-question")
        await at.terminal.keys("Enter")
        told = await at.terminal.shows("Renamed it. 4 files changed")
        assert "def before_tax" in told
        assert at.on_disk(*AFTER) == {**AFTER, "prices.py": PRICES}, "what is open is the person's to save"
        await at.command("w")
        await at.terminal.shows("written")
        assert at.on_disk(*AFTER) == AFTER
        await at.terminal.keys("Space", "q", "u")
        await at.terminal.shows("Taken back. 4 files changed")
        await at.command("w")
        await at.terminal.shows(lambda _: at.on_disk(*BEFORE) == BEFORE)


async def test_an_edit_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        at.model.reply(tool_calls=CALLS)
        at.model.reply("Renamed it.")
        await asked_for(at, "Rename net.")
        await at.terminal.shows("Leave as it is")
        await at.terminal.keys("Escape")
        await at.terminal.shows("Not applied: it was refused")
        assert at.on_disk(*BEFORE) == BEFORE


async def test_a_text_that_no_server_of_helix_knows_is_changed_on_disk(tmp_path: Path) -> None:
    """Helix tells nobody of a Markdown file here: what it made of an edit, nobody could see."""
    async with helix(tmp_path, "prices.py") as at:
        (at.root / "notes.md").write_text("net is the price.\n")
        change = {"file_path": "notes.md", "old_string": "net", "new_string": "before_tax"}
        at.model.reply(tool_calls=[("edit", change)])
        at.model.reply("Changed the notes.")
        await asked_for(at, "Rename net.")
        await at.terminal.shows("change notes.md")
        await at.terminal.keys("Enter")
        await at.terminal.shows("Changed the notes. 1 file changed;")
        assert at.on_disk("notes.md") == {"notes.md": "before_tax is the price.\n"}


async def test_the_model_asks_and_is_told(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        at.model.reply(tool_calls=[QUESTION])
        at.model.reply("It shall be without_tax.")
        await asked_for(at, "Rename net.")
        await at.terminal.shows("Which name?")
        await at.terminal.keys("Down", "Enter")
        await at.terminal.shows("It shall be without_tax.")
        assert "without_tax" in at.model.requests[1].prompt


# -- when things go wrong ------------------------------------------------------------------------------


async def test_an_endpoint_that_is_gone_is_told(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        await at.model.stop()
        await asked_for(at, "Rename net.")
        said = await at.terminal.shows("127.0.0.1")
        await at.terminal.picture("helix-endpoint-gone")
        assert "def net" in said


async def test_how_it_stands_is_said(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        await at.terminal.keys("Space", "q", "s")
        await at.terminal.shows("127.0.0.1")


async def test_a_server_that_was_killed_is_started_again(tmp_path: Path) -> None:
    async with helix(tmp_path, "prices.py") as at:
        (server,) = servers(at.root)
        os.kill(server, signal.SIGKILL)
        await at.terminal.shows("Language server exited: qwen")
        await at.terminal.types("ox = 1")
        await at.terminal.shows("x = 1")  # the next key is read alone
        await at.normal()
        await at.command("lsp-restart qwen")
        await at.served(times=2)
        assert servers(at.root) not in ([], [server])
        at.model.reply("# Prices\n\nWith tax and without.")
        await at.terminal.keys("Space", "q", "e")
        await at.terminal.shows("With tax and without.")

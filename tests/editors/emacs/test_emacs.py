"""Emacs with the configuration of docs/emacs.md: what a person types, and what is on the screen then."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.editors.conftest import program
from tests.editors.emacs.conftest import BESIDE, EGLOT, OWN, SOURCES, emacs
from tests.editors.neighbour import COMPLAINT
from tests.editors.pages import completing, servers
from tests.support.agent import AFTER, BEFORE, CALLS, PRICES, RENAME
from tests.support.endpoint import ScriptedEndpoint

DOCUMENTED = '```python\ndef net(price):\n    """The price without tax."""\n```'
TESTS = "```python\nfrom prices import net\n\n\ndef test_net():\n    assert net(1) == 1\n```"
QUESTION = ("ask_user", {"question": "Which name?", "options": ["before_tax", "without_tax"]})


def test_the_file_is_compiled_without_a_warning(tmp_path: Path) -> None:
    shutil.copy(SOURCES / "editors/emacs/qwen.el", tmp_path)
    strictly = ("--eval", "(setq byte-compile-error-on-warn t)", "-f", "batch-byte-compile", "qwen.el")
    made = subprocess.run(
        [program("emacs"), "--batch", "-Q", *strictly],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")


# -- beside another server -----------------------------------------------------------------------------


async def test_a_completion_beside_another_server_of_eglot(tmp_path: Path) -> None:
    model = ScriptedEndpoint(responder=completing("sum(prices)"))
    async with emacs(tmp_path, BESIDE + OWN, model=model, till="wrong = 1\ntotal = \n") as at:
        await at.open("till.py")
        await at.terminal.shows("[eglot:")
        await at.terminal.keys("M->", "Left")
        await at.terminal.keys("C-c", "q", "c")
        await at.terminal.shows("total = sum(prices)")
        await at.call("flymake-show-buffer-diagnostics")
        await at.terminal.shows(COMPLAINT)
        await at.terminal.picture("emacs-beside")
        await at.terminal.keys("C-/")
        await at.terminal.hides("sum(prices)")


async def test_an_action_is_chosen_and_taken_back(tmp_path: Path) -> None:
    async with emacs(tmp_path, OWN) as at:
        at.model.reply(DOCUMENTED)
        await at.terminal.keys("C-c", "q", "a")
        await at.terminal.shows("Action:")
        await at.terminal.types("Document `net`\n")
        await at.terminal.shows("The price without tax.")
        await at.terminal.keys("C-/")
        await at.terminal.hides("The price without tax.")


async def test_a_change_is_made_by_instruction(tmp_path: Path) -> None:
    async with emacs(tmp_path, OWN) as at:
        at.model.reply("```python\ndef net(amount):\n    return amount\n```")
        await at.terminal.keys("C-c", "q", "a")
        await at.terminal.shows("Action:")
        await at.terminal.types("Change by instruction…\n")
        await at.terminal.shows("Change:")
        await at.terminal.types("Call it amount.\n")
        await at.terminal.shows("Apply the edit of 1 file?")
        await at.terminal.shows("+def net(amount):")
        await at.terminal.types("y")
        await at.terminal.shows("\ndef net(amount):")
        assert "Call it amount." in at.model.requests[0].prompt


async def test_an_explanation_is_shown_while_it_is_written(tmp_path: Path) -> None:
    async with emacs(tmp_path, OWN) as at:
        at.model.reply("# Prices\n\nWith tax and without.", hang_after=3)
        await at.terminal.keys("C-c", "q", "e")
        await at.terminal.shows("# Prices")
        await at.terminal.picture("emacs-explain")


# -- the agent -----------------------------------------------------------------------------------------


async def test_an_edit_of_many_files_is_looked_at_lands_and_is_taken_back(tmp_path: Path) -> None:
    async with emacs(tmp_path, OWN) as at:
        at.model.reply(tool_calls=CALLS)
        at.model.reply("Renamed it.")
        await at.terminal.keys("C-c", "q", "q")
        await at.terminal.shows("Task:")
        await at.terminal.types("Rename net.\n")
        asked = await at.terminal.shows("Renamed it. Apply?")
        assert "+def before_tax" in asked or "+from prices import before_tax" in asked, "the diff"
        await at.terminal.picture("emacs-agent-diff")
        await at.terminal.types("y")
        told = await at.terminal.shows("Qwen: 4 files changed")
        assert "def before_tax(price):" in told
        assert at.on_disk(*AFTER) == {**AFTER, "prices.py": PRICES}, "what is open is the person's to save"
        await at.terminal.keys("C-c", "q", "u")
        await at.terminal.hides("def before_tax(price):")
        await at.terminal.shows(lambda _: at.on_disk(*BEFORE) == BEFORE)


async def test_what_is_typed_during_a_run_is_kept(tmp_path: Path) -> None:
    async with emacs(tmp_path, OWN) as at:
        at.model.reply(tool_calls=[RENAME])
        at.model.reply("Renamed it.")
        await at.terminal.keys("C-c", "q", "q")
        await at.terminal.types("Rename net.\n")
        await at.terminal.shows("Renamed it. Apply?")
        await at.terminal.types("n")
        await at.terminal.keys("M->")
        await at.terminal.types("mine = 1\n")
        run = await at.terminal.shows("mine = 1")
        assert "def net" in run, "nothing has landed"


async def test_the_model_asks_and_is_told(tmp_path: Path) -> None:
    async with emacs(tmp_path, OWN) as at:
        at.model.reply(tool_calls=[QUESTION])
        at.model.reply("It shall be without_tax.")
        await at.terminal.keys("C-c", "q", "q")
        await at.terminal.types("Rename net.\n")
        await at.terminal.shows(re.compile(r"^Which name\?", re.MULTILINE))  # not yet what the run waits for
        await at.terminal.types("without_tax\n")
        await at.terminal.shows("It shall be without_tax.")
        assert "without_tax" in at.model.requests[1].prompt


# -- when things go wrong ------------------------------------------------------------------------------


async def test_an_endpoint_that_is_gone_is_told(tmp_path: Path) -> None:
    async with emacs(tmp_path, OWN) as at:
        await at.model.stop()
        await at.terminal.keys("C-c", "q", "q")
        await at.terminal.types("Rename net.\n")
        await at.terminal.shows("cannot be reached")


async def test_a_server_that_was_killed_is_started_by_the_next_command(tmp_path: Path) -> None:
    async with emacs(tmp_path, OWN) as at:
        at.model.reply("With tax and without.")
        await at.terminal.keys("C-c", "q", "e")
        await at.terminal.shows("With tax and without.")
        (server,) = servers(at.root)
        os.kill(server, signal.SIGKILL)
        await at.terminal.shows("Server exited")
        at.model.reply("Nothing but prices.")
        await at.terminal.keys("C-c", "q", "e")
        await at.terminal.shows("Nothing but prices.")
        await at.terminal.keys("C-c", "q", "s")
        await at.terminal.shows(re.compile("127.0.0.1|Reading the workspace"))


# -- eglot alone ---------------------------------------------------------------------------------------


async def test_eglot_completes_with_this_server(tmp_path: Path) -> None:
    model = ScriptedEndpoint(responder=completing("um(prices)"))
    async with emacs(tmp_path, EGLOT, model=model, till="total = s\n") as at:
        await at.open("till.py")
        await at.terminal.shows("[eglot:")
        await at.terminal.keys("M->", "Left", "C-M-i")
        await at.terminal.shows("total = sum(prices)")


@pytest.mark.parametrize("title", ["Document `net`", "Write tests for `net`"])
async def test_eglot_applies_an_action(tmp_path: Path, title: str) -> None:
    async with emacs(tmp_path, EGLOT) as at:
        at.model.reply(DOCUMENTED if title.startswith("Document") else TESTS)
        await at.terminal.shows("[eglot:")
        await at.pick(title)
        if title.startswith("Document"):
            await at.terminal.shows("Proceed?")
            await at.terminal.types("y")
            await at.terminal.shows("The price without tax.")
        else:
            await at.terminal.shows("Wrote tests/test_prices.py.")
            assert "def test_net" in (at.root / "tests/test_prices.py").read_text()


async def test_eglot_tells_an_explanation(tmp_path: Path) -> None:
    async with emacs(tmp_path, EGLOT) as at:
        at.model.reply("With tax and without.")
        await at.terminal.shows("[eglot:")
        await at.pick("Explain the selection")
        await at.terminal.shows("With tax and without.")

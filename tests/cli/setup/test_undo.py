"""Taking back what was written, when others have written too."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from qwen_lsp.cli import setup_command
from qwen_lsp.cli.setup.clients import LOOKS
from qwen_lsp.cli.setup.trial import Tried
from tests.cli.setup.conftest import OTHERS, TOKEN, Run, holds


@pytest.mark.usefixtures("installed")
def test_what_was_changed_since_stays(cline: Path, run: Run) -> None:
    holds(cline, OTHERS)
    run("setup", "cline")
    settings = json.loads(cline.read_text())
    settings["mcpServers"]["later"] = {"command": "z", "env": {"K": TOKEN}}
    cline.write_text(json.dumps(settings, indent=4))
    ran = run("setup", "cline", "--undo")
    assert ran.code == 0
    assert "without what setup wrote" in ran.out
    assert TOKEN not in ran.out
    del settings["mcpServers"]["qwen-lsp"]
    assert json.loads(cline.read_text()) == settings


@pytest.mark.usefixtures("installed")
def test_our_entry_goes_though_cline_has_changed_it_and_that_is_told(cline: Path, run: Run) -> None:
    run("setup", "cline")
    settings = json.loads(cline.read_text())
    settings["mcpServers"]["qwen-lsp"] |= {"disabled": True, "type": "stdio"}
    cline.write_text(json.dumps(settings))
    ran = run("setup", "cline", "--undo")
    assert "“qwen-lsp” was changed since (disabled, type) and went with the rest." in ran.out
    assert not cline.exists()


@pytest.mark.usefixtures("installed")
def test_an_entry_that_starts_something_else_now_stays(cline: Path, run: Run) -> None:
    run("setup", "cline")
    theirs = {"mcpServers": {"qwen-lsp": {"command": "ssh", "args": ["host", "qwen-lsp", "mcp"]}}}
    cline.write_text(json.dumps(theirs))
    ran = run("setup", "cline", "--undo")
    assert "“mcpServers.qwen-lsp” was changed since, so it stays." in ran.out
    assert json.loads(cline.read_text()) == theirs


@pytest.mark.usefixtures("installed")
def test_what_was_taken_out_by_hand_is_told(qwen: Path, run: Run) -> None:
    run("setup", "qwen-code")
    qwen.write_text('{"permissions": {"allow": ["Read"]}}')
    ran = run("setup", "qwen-code", "--undo")
    assert "“mcpServers.qwen-lsp” was not there any more." in ran.out
    assert "“mcp__qwen-lsp__outline” was not in “permissions.allow” any more." in ran.out
    assert qwen.read_text() == '{"permissions": {"allow": ["Read"]}}'


@pytest.mark.usefixtures("installed")
def test_a_file_that_was_broken_since_stays_until_it_is_mended(cline: Path, run: Run) -> None:
    run("setup", "cline")
    whole = cline.read_text()
    cline.write_text(whole[:-3])
    ran = run("setup", "cline", "--undo")
    assert ran.code == 1
    assert "Mend it and run this again" in ran.out
    cline.write_text(whole)
    assert "Removed" in run("setup", "cline", "--undo").out


@pytest.mark.usefixtures("installed")
def test_a_file_that_was_deleted_since_is_no_trouble(cline: Path, run: Run) -> None:
    run("setup", "cline")
    cline.unlink()
    ran = run("setup", "cline", "--undo")
    assert (ran.code, ran.err) == (0, "")
    assert "The file is gone already." in ran.out
    assert "nothing to take back" in run("setup", "cline", "--undo").out


@pytest.mark.usefixtures("installed")
def test_rules_that_were_changed_since_stay(home: Path, run: Run) -> None:
    run("setup", "cline", "--rules")
    rules = home / "project" / ".clinerules" / "qwen-lsp.md"
    rules.write_text("# Mine\n")
    ran = run("setup", "cline", "--rules", "--undo")
    assert "it is yours now and stays" in ran.out
    assert rules.read_text() == "# Mine\n"


def test_two_writings_are_taken_back_together(
    installed: Path, cline: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds(cline, OTHERS)
    run("setup", "cline")
    moved = installed.with_name("qwen-lsp-2") / "qwen-lsp"
    moved.parent.mkdir()
    installed.rename(moved)
    monkeypatch.setattr(sys, "argv", [str(moved)])

    async def tried(command: Sequence[str]) -> Tried:
        return Tried(1.0, LOOKS)

    monkeypatch.setattr(setup_command, "tried", tried)
    run("setup", "cline")
    assert str(moved) in cline.read_text()
    run("setup", "cline", "--undo")
    assert cline.read_text() == OTHERS

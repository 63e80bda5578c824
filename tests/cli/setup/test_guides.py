"""What the guides and the rules say is what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.cli.setup.clients import CLIENTS, rules, snippet
from qwen_lsp.cli.setup.places import Machine
from qwen_lsp.mcp_server.catalog import ENTRIES

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = "/home/you/.local/bin/qwen-lsp"


def named(text: str) -> set[str]:
    """The names in backquotes, and the tools named anywhere."""
    return set(re.findall(r"`([a-z]+_[a-z_]+)`", text)) | (set(ENTRIES) & set(re.findall(r"\w+", text)))


def test_the_rules_name_every_tool_and_no_other() -> None:
    assert named(rules()) == set(ENTRIES)
    assert len(rules().splitlines()) <= 20


def test_the_rules_beside_the_guide_are_those_that_setup_writes() -> None:
    assert (ROOT / "editors" / "cline" / ".clinerules" / "qwen-lsp.md").read_text(encoding="utf-8") == rules()


@pytest.mark.parametrize(("page", "client"), [("cline.md", "cline"), ("qwen-code.md", "qwen-code")])
def test_a_guide_shows_what_setup_writes(page: str, client: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    [shown] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    [target, *_] = CLIENTS[client].targets(Machine(), [PROGRAM])
    wanted: Any = snippet(target)
    assert shown == wanted
    assert named(text) - {"to_five"} <= set(ENTRIES)

"""The doctor says whether the agent can run commands, and what would let it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qwen_lsp.cli.doctor import sandbox_finding
from qwen_lsp.sandbox.command import NoSandbox
from qwen_lsp.sandbox.find import find
from tests.cli.conftest import Run


def test_one_that_is_there_is_named(tmp_path: Path) -> None:
    found = find(tmp_path)
    if isinstance(found, NoSandbox):
        pytest.skip(f"no sandbox here: {found.reason}")
    finding = sandbox_finding(found)
    assert (finding.ok, finding.found, finding.advice) == (True, f"{found.name}, tried out", "")


@pytest.mark.usefixtures("nobody")
async def test_one_that_is_missing_is_told_with_what_to_do(
    run: Run, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repo))
    ran = await run("doctor", repo, "--json")
    (told,) = [finding for finding in json.loads(ran.out)["findings"] if finding["name"] == "sandbox"]
    assert not told["ok"]
    assert told["found"].startswith("none, so the agent runs no commands: bubblewrap is not installed")
    assert "apt install bubblewrap" in told["advice"]

"""The top of the command line: what a command costs to start, and how it ends."""

from __future__ import annotations

import argparse
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qwen_lsp.cli import index_command, main
from qwen_lsp.errors import UserError

_LOADED = (
    "import sys, qwen_lsp.cli;"
    "print(sorted(m for m in sys.modules if m.startswith(('rich', 'pydantic', 'qwen_lsp.'))))"
)


@pytest.mark.slow
def test_a_command_imports_only_its_own_module() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _LOADED],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "['qwen_lsp.cli', 'qwen_lsp.cli.agent_arguments', 'qwen_lsp.errors']"


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (UserError("so it is"), 1, "qwen-lsp: so it is\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/y"),
            1,
            "qwen-lsp: /x/y: Permission denied\n",
        ),
    ],
)
def test_how_a_command_ends(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    status: int,
    said: str,
) -> None:
    def run(args: argparse.Namespace) -> int:
        raise raised

    monkeypatch.setattr(index_command, "run", run)
    monkeypatch.setattr("qwen_lsp.cli._let_go_of_output", lambda: None)
    assert main(["index"]) == status
    assert capsys.readouterr().err == said


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n", encoding="utf-8")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "qwen_lsp", "index", str(tmp_path)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "qwen-lsp: output: No space left on device\n"

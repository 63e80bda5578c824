"""What another program has to run to start this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.cli.setup import program
from qwen_lsp.errors import UserError
from tests.cli.setup.conftest import holds


def test_a_script_is_started_by_the_path_it_was_called_by(tmp_path: Path) -> None:
    real = tmp_path / "venv" / "bin" / "qwen-lsp"
    holds(real, "")
    link = tmp_path / "bin" / "qwen-lsp"
    link.parent.mkdir()
    link.symlink_to(real)
    assert program.command_line(str(link)) == [str(link)]


def test_a_module_is_started_by_its_interpreter() -> None:
    assert program.command_line("/x/qwen_lsp/__main__.py", "/x/bin/python") == [
        "/x/bin/python",
        "-m",
        "qwen_lsp",
    ]


@pytest.mark.parametrize(
    "passing",
    [".cache/uv/archive-v0/Xy12/bin/qwen-lsp", ".local/share/pipx/.cache/ab12/bin/qwen-lsp",
     ".local/pipx/.cache/ab12/bin/qwen-lsp", ".cache/pipx/ab12/bin/qwen-lsp"],
)  # fmt: skip
def test_a_program_that_will_be_gone_soon_is_refused(tmp_path: Path, passing: str) -> None:
    script = tmp_path / passing
    holds(script, "")
    with pytest.raises(UserError, match="pipx install"):
        program.command_line(str(script))

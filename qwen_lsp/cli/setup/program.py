"""What another program has to run to start this installation."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from qwen_lsp.errors import UserError

_NAME = "qwen-lsp"


def command_line(argv0: str = "", executable: str = "") -> list[str]:
    """Program and first arguments, all absolute: the script this was started by, else `python -m qwen_lsp`.

    Links stay links, so that what a package manager replaces behind them goes on working. Raises UserError
    for a program that will be gone soon.
    """
    argv0, executable = argv0 or sys.argv[0], executable or sys.executable
    found = [executable, "-m", "qwen_lsp"]
    if Path(argv0).stem == _NAME:
        script = Path(argv0) if os.sep in argv0 else Path(shutil.which(argv0) or argv0)
        if not script.exists() and script.with_suffix(".exe").exists():  # Windows leaves it out
            script = script.with_suffix(".exe")
        if script.exists():
            found = [os.path.abspath(script)]  # noqa: PTH100 - absolute, and links stay links
    if is_passing(found[0]):
        raise UserError(
            f"{found[0]} is in a cache that is emptied now and then, so no other program can rely on it. "
            "Install it to stay, then run setup again: "
            "pipx install 'qwen-lsp[mcp] @ git+https://github.com/qwen-lsp/qwen-lsp'"
        )
    return found


def is_passing(program: str) -> bool:
    """Whether a program is one that `uvx` or `pipx run` has put into a cache."""
    parts = Path(program).parts
    return any(part.startswith("archive-v") for part in parts) or (
        "pipx" in parts and ".cache" in parts[parts.index("pipx") - 1 :]
    )


def is_gone(command: Sequence[str]) -> bool:
    """Whether a program named by its path is not there any more."""
    return bool(command) and os.path.isabs(command[0]) and not Path(command[0]).exists()  # noqa: PTH117

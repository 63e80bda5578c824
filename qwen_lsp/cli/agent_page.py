"""Where the page of a run goes: a file that somebody names, which is told early when it cannot be written."""

from __future__ import annotations

from pathlib import Path

from qwen_lsp.errors import UserError


def check_page(file: str | None) -> None:
    """Say before anything runs that a page cannot be written there. Raises UserError."""
    if file is None:
        return
    if Path(file).is_dir():
        raise UserError(f"{file} is a folder; name the file to write")
    if not Path(file).parent.is_dir():
        raise UserError(f"{file}: there is no folder {Path(file).parent}")


def write_page(file: str, text: str) -> None:
    """Always UTF-8, whatever the terminal speaks: the page says so of itself. Raises OSError."""
    Path(file).write_bytes(text.encode())

"""What every test of the Neovim plugin shares: the files of a small workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.agent import FILES


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a few files."""
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    for path, text in FILES.items():
        (folder / path).write_text(text)
    return folder

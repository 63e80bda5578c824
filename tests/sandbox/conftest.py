"""What the tests of the sandbox share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.places import Place
from tests.sandbox.places import place as lay_out


@pytest.fixture
def place(own_user_folders: Path, tmp_path: Path) -> Place:
    """A workspace whose path has a space in it, below /tmp, and a home with secrets."""
    return lay_out(tmp_path, own_user_folders)

"""What the tests of the sandbox share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.sandbox.places import Place
from tests.sandbox.places import place as lay_out


@pytest.fixture
def place(own_user_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A workspace whose path has a space in it, below /tmp, and a home with secrets."""
    # A shim of a version manager costs more than what most of these tests run.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}")
    return lay_out(tmp_path, own_user_folders)

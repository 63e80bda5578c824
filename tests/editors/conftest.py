"""What every test in a real editor shares: where the programs are, and nothing of the user's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CACHE = "QWEN_LSP_EDITORS"
"""The folder that `make test-editors` installs the editors into; its `bin` has one program for each."""


def installed(name: str) -> Path | None:
    """The path of an editor, by its name in the cache folder's `bin`, or None where it was not installed."""
    found = Path(os.environ[CACHE]) / "bin" / name
    return found if found.exists() else None


def program(name: str) -> str:
    """The path of an editor, by its name in the cache folder's `bin`. Fails where it is missing."""
    found = installed(name)
    if found is None:
        pytest.fail(f"{name} is not installed; `make test-editors` installs it", pytrace=False)
    return str(found)

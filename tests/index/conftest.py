"""What tests of the index share."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.settings import IndexSettings


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    return IndexSettings(cache_dir=str(tmp_path / "cache"))

"""What every test shares: no real endpoint, no real user folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qwen_lsp.settings import ENVIRONMENT

collect_ignore = [] if os.environ.get("QWEN_LSP_EDITORS") else ["editors"]
"""The tests in real editors run where `make test-editors` has installed these."""


@pytest.fixture(autouse=True)
def own_user_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Caches, journals and configuration go to a folder of the test's; no endpoint is configured."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CONFIG_HOME", "config"),
    ):
        monkeypatch.setenv(variable, str(home / folder))
    for name in (
        *ENVIRONMENT,
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    return home

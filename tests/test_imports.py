"""How to have a module that is not installed: by the means this installation was made with."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from qwen_lsp.imports import installing


def test_in_an_environment_its_own_pip_is_named() -> None:
    assert installing("mcp") == f"{sys.executable} -m pip install 'qwen-lsp[mcp]'"


def test_what_pipx_made_is_added_to_by_pipx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # With --suffix, pipx has the environment under another name.
    prefix = tmp_path / "qwen-lsp-next"
    prefix.mkdir()
    (prefix / "pipx_metadata.json").touch()
    monkeypatch.setattr(sys, "prefix", str(prefix))
    asked = ["rich>=15", 'acpx; extra == "acp"', "mcp<3,>=2; extra == 'mcp'", 'mcp<3; extra == "dev"']
    monkeypatch.setattr(metadata, "requires", lambda name: asked)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    assert installing("mcp") == "pipx inject qwen-lsp-next 'mcp<3,>=2'"


def test_without_pip_it_is_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    assert installing("acp") == f"uv pip install --python {sys.executable} 'qwen-lsp[acp]'"

"""What was allowed, kept: for the user only, and nothing where the file is not what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.mcp_client.offered import Offered
from qwen_lsp.mcp_client.pinned import Pinned, keep, pinned_file, read

ONE = Pinned({"command": "c", "arguments": "a"}, (Offered("echo", "Say\u200b it.", {"type": "object"}),))


def test_what_is_kept_comes_back(own_user_folders: Path) -> None:
    file = pinned_file()
    assert file == own_user_folders / "state" / "qwen-lsp" / "mcp.json"
    keep(file, "one", ONE)
    keep(file, "two", Pinned({"command": "d"}))
    assert read(file) == {"one": ONE, "two": Pinned({"command": "d"})}
    keep(file, "one", Pinned({"command": "e"}, ()))
    assert read(file)["one"] == Pinned({"command": "e"}, ())


def test_it_is_for_the_user_only(tmp_path: Path) -> None:
    file = tmp_path / "state" / "mcp.json"
    keep(file, "one", ONE)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["mcp.json"]
    file.chmod(0o622)
    assert read(file) == {}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 2, "servers": {}}', '{"version": 1}', '{"version": 1, "servers": {"a": 1}}',
     '{"version": 1, "servers": {"a": {"launch": {}, "tools": [["x"]]}}}', "null", "\xff"],
)  # fmt: skip
def test_a_damaged_file_allows_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    assert read(file) == {}
    keep(file, "one", ONE)
    assert read(file) == {"one": ONE}


def test_a_disk_that_takes_nothing_is_asked_again_next_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    keep(tmp_path / "file" / "mcp.json", "one", ONE)
    assert read(tmp_path / "file" / "mcp.json") == {}

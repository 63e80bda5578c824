"""Files as they are found: empty, commented, linked, broken, not to be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cli.setup.conftest import COMMENTED, OTHERS, Run, everything, holds


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "found",
    [
        None, "", "\n", "{}", "{}\n", '{"mcpServers": {}}', OTHERS, COMMENTED, "// nothing yet\n",
        OTHERS.replace("\n", "\r\n"), COMMENTED.replace("  ", "\t"), "\ufeff" + OTHERS, "{ /* empty */ }\n",
        '{"mcpServers":{"a":{}},"permissions":{"allow":["Read"],"deny":[]}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("client", ["cline", "qwen-code"])
def test_taken_back_every_file_is_what_it_was(
    client: str, found: str | None, home: Path, cline: Path, qwen: Path, run: Run
) -> None:
    if found is not None:
        for file in (cline, qwen):
            holds(file, found)
    before = everything(home)
    assert run("setup", client).code == 0
    assert everything(home) != before
    ran = run("setup", client, "--undo")
    assert ran.code == 0
    left = {name: held for name, held in everything(home).items() if not name.startswith(".local/state")}
    assert left == before
    assert "nothing to take back" in run("setup", client, "--undo").out


@pytest.mark.usefixtures("installed")
def test_a_link_into_a_folder_of_dotfiles_stays_a_link(home: Path, qwen: Path, run: Run) -> None:
    real = home / "dotfiles" / "qwen.json"
    holds(real, OTHERS)
    real.chmod(0o640)
    qwen.parent.mkdir()
    qwen.symlink_to(real)
    assert run("setup", "qwen-code").code == 0
    assert qwen.readlink() == real
    assert "qwen-lsp" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    run("setup", "qwen-code", "--undo")
    assert qwen.readlink() == real
    assert real.read_text() == OTHERS


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("held", "said"),
    [
        ('{"mcpServers": {', "is no JSON (line 1: a name in double quotes is missing)"),
        ("[]", "the whole file is not an object"),
        ('{"mcpServers": 3}', "“mcpServers” is not an object"),
        ('{"permissions": {"allow": {}}}', "“permissions.allow” is not a list"),
        ('{"mcpServers": {"qwen-lsp": {"url": "https://example.org"}}}', "not started as a program"),
        ("{}".encode("utf-16"), "is not UTF-8"),
    ],
)
def test_a_file_that_must_not_be_touched_stays_and_what_to_add_is_told(
    held: str | bytes, said: str, qwen: Path, home: Path, run: Run
) -> None:
    holds(qwen, held)
    before = everything(home)
    ran = run("setup", "qwen-code")
    assert ran.code == 1
    assert said in ran.out
    assert "so it was left as it is" in ran.out
    assert '"mcp__qwen-lsp__outline"' in ran.out
    assert everything(home) == before


@pytest.mark.usefixtures("installed")
def test_a_folder_in_the_place_of_the_file_is_told(qwen: Path, run: Run) -> None:
    qwen.mkdir(parents=True)
    ran = run("setup", "qwen-code")
    assert (ran.code, ran.out) == (1, ran.out)
    assert f"{qwen} is not a file" in ran.out


@pytest.mark.usefixtures("installed")
def test_a_file_that_cannot_be_written_stays_and_nothing_is_remembered(
    qwen: Path, home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds(qwen, OTHERS)

    def refused(self: Path, target: Path) -> Path:
        if Path(target) == qwen:
            raise PermissionError(13, "Permission denied", str(target))
        os.replace(self, target)  # noqa: PTH105 - the method of Path is what is replaced here
        return Path(target)

    monkeypatch.setattr(Path, "replace", refused)
    ran = run("setup", "qwen-code")
    assert ran.code == 1
    assert f"{qwen} cannot be written: Permission denied" in ran.out
    assert qwen.read_text() == OTHERS
    assert [file.name for file in qwen.parent.iterdir()] == ["settings.json"]
    assert "nothing to take back" in run("setup", "qwen-code", "--undo").out

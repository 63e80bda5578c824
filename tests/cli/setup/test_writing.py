"""What is written, what is said of it, and what is left alone."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from qwen_lsp.cli import setup_command
from qwen_lsp.cli.setup.clients import ASKS, LOOKS
from qwen_lsp.cli.setup.trial import Tried
from qwen_lsp.errors import UserError
from tests.cli.setup.conftest import COMMENTED, OTHERS, TOKEN, Run, everything, holds


def test_cline_gets_a_server_that_it_waits_for(installed: Path, cline: Path, run: Run) -> None:
    ran = run("setup", "cline")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(cline.read_text()) == {
        "mcpServers": {
            "qwen-lsp": {
                "command": str(installed),
                "args": ["mcp"],
                "timeout": 60,
                "disabled": False,
                "autoApprove": list(LOOKS),
            }
        }
    }
    assert f"Wrote {cline} (a new file), which Cline reads:" in ran.out
    assert '+    "qwen-lsp": {' in ran.out
    assert "the server answers after 0.8 s" in ran.out
    assert "To take it back: qwen-lsp setup cline --undo" in ran.out
    assert stat.S_IMODE(cline.stat().st_mode) == 0o600


@pytest.mark.usefixtures("installed")
def test_no_tool_that_writes_runs_without_a_question(cline: Path, qwen: Path, run: Run) -> None:
    run("setup", "cline")
    run("setup", "qwen-code")
    assert not any(name in text for name in ASKS for text in (cline.read_text(), qwen.read_text()))
    assert "trust" not in qwen.read_text()


def test_qwen_code_gets_the_server_and_its_rights(installed: Path, qwen: Path, run: Run) -> None:
    holds(qwen, COMMENTED)
    ran = run("setup", "qwen-code")
    assert ran.code == 0
    lines = qwen.read_text().splitlines()
    assert lines[:3] == COMMENTED.splitlines()[:3]
    assert '      "Bash(git *)", // mine' in lines
    assert f'      "mcp__qwen-lsp__{LOOKS[0]}",' in lines
    assert f'      "command": "{installed}",' in lines
    assert TOKEN not in ran.out
    assert "Bash(git *)" not in ran.out
    assert "Dark" not in ran.out


def test_every_value_of_others_stays_unsaid(installed: Path, cline: Path, run: Run) -> None:
    holds(cline, OTHERS)
    ran = run("setup", "cline")
    assert cline.read_text().startswith(OTHERS.removesuffix("\n  }\n}\n"))
    assert TOKEN not in ran.out + ran.err
    assert "npx" not in ran.out
    assert f'"command": "{installed}"' in ran.out


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("client", ["cline", "qwen-code", "neovim"])
def test_a_second_time_there_is_nothing_to_do(client: str, home: Path, run: Run) -> None:
    run("setup", client)
    before = everything(home)
    ran = run("setup", client)
    assert ran.code == 0
    assert "has everything already" in ran.out
    assert "Nothing to do." in ran.out
    assert everything(home) == before


def test_a_program_that_has_moved_is_corrected_and_nothing_else(
    installed: Path, cline: Path, run: Run
) -> None:
    own = {"command": "/old/qwen-lsp", "args": ["mcp"], "timeout": 300, "autoApprove": [], "note": TOKEN}
    holds(cline, json.dumps({"mcpServers": {"qwen-lsp": own}}, indent=2))
    overview = run("setup")
    assert "starts qwen-lsp from another place; setup would correct that" in overview.out
    ran = run("setup", "cline")
    assert json.loads(cline.read_text())["mcpServers"]["qwen-lsp"] == {**own, "command": str(installed)}
    assert '-      "command": "/old/qwen-lsp"' in ran.out
    assert TOKEN not in ran.out
    run("setup", "cline", "--undo")
    assert json.loads(cline.read_text())["mcpServers"]["qwen-lsp"] == own


@pytest.mark.usefixtures("installed")
def test_a_server_without_a_time_to_wait_gets_one(cline: Path, installed: Path, run: Run) -> None:
    own = {"command": str(installed), "args": ["mcp"], "disabled": True}
    holds(cline, json.dumps({"mcpServers": {"qwen-lsp": own}}))
    ran = run("setup", "cline")
    assert json.loads(cline.read_text())["mcpServers"]["qwen-lsp"] == {**own, "timeout": 60}
    assert "switched off, and it stays off" in ran.out


@pytest.mark.usefixtures("installed")
def test_the_extension_has_a_file_of_its_own(home: Path, cline: Path, run: Run) -> None:
    storage = home / ".config" / "VSCodium" / "User" / "globalStorage" / "saoudrizwan.claude-dev"
    storage.mkdir(parents=True)
    ran = run("setup", "cline")
    own = storage / "settings" / "cline_mcp_settings.json"
    assert own.read_text() == cline.read_text()
    assert "the Cline extension before 4.0 in VSCodium" in ran.out
    run("setup", "cline", "--undo")
    assert storage.is_dir()
    assert not (storage / "settings").exists()


@pytest.mark.usefixtures("installed")
def test_what_cline_itself_cannot_read_is_told(cline: Path, run: Run) -> None:
    holds(cline, '{\n  "mcpServers": {}, // none yet\n}\n')
    ran = run("setup", "cline")
    assert ran.code == 0
    assert "Cline reads no comments and no trailing commas" in ran.out


@pytest.mark.usefixtures("installed")
def test_a_project_has_settings_of_its_own(home: Path, qwen: Path, run: Run) -> None:
    ran = run("setup", "qwen-code", "--project")
    assert (home / "project" / ".qwen" / "settings.json").is_file()
    assert not qwen.exists()
    assert "setup qwen-code --project --undo" in ran.out


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("client", "place"), [("cline", ".clinerules/qwen-lsp.md"), ("qwen-code", ".qwen/rules/qwen-lsp.md")]
)
def test_rules_go_into_the_project_on_request(client: str, place: str, home: Path, run: Run) -> None:
    before = everything(home)
    ran = run("setup", client, "--rules")
    rules = home / "project" / place
    assert rules.read_text().startswith("# Tools of qwen-lsp\n")
    assert str(rules) in ran.out
    run("setup", client, "--rules", "--undo")
    assert everything(home) == {**before, ".local/state": None, ".local/state/qwen-lsp": None}


def test_neovim_gets_one_file(installed: Path, home: Path, run: Run) -> None:
    ran = run("setup", "neovim")
    file = home / ".config" / "nvim" / "after" / "plugin" / "qwen.lua"
    assert f'local cmd = {{ "{installed}", "serve" }}' in file.read_text()
    assert f"Neovim will run: {installed} serve" in ran.out


@pytest.mark.usefixtures("installed")
def test_a_file_of_that_name_that_is_not_ours_stays(home: Path, run: Run) -> None:
    file = home / ".config" / "nvim" / "after" / "plugin" / "qwen.lua"
    holds(file, "-- mine\n")
    ran = run("setup", "neovim")
    assert ran.code == 1
    assert "was not written by setup" in ran.out
    assert file.read_text() == "-- mine\n"


@pytest.mark.usefixtures("installed")
def test_nothing_is_written_when_the_server_does_not_start(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tried(command: Sequence[str]) -> Tried:
        raise UserError("it does not start")

    monkeypatch.setattr(setup_command, "tried", tried)
    before = everything(home)
    ran = run("setup", "cline")
    assert (ran.code, ran.err) == (1, "qwen-lsp: it does not start\n")
    assert everything(home) == before


@pytest.mark.usefixtures("installed")
def test_without_the_package_for_the_protocol_what_to_install_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:

    def none(name: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", none)
    ran = run("setup", "qwen-code")
    assert ran.code == 1
    assert "pip install 'qwen-lsp[mcp]'" in ran.err


@pytest.mark.usefixtures("installed")
def test_only_shown_it_can_be_copied(home: Path, run: Run) -> None:
    before = everything(home)
    ran = run("setup", "qwen-code", "--print")
    head, _, rest = ran.out.partition("\n")
    assert head == f"# {home}/.qwen/settings.json (Qwen Code)"
    assert json.loads(rest)["mcpServers"]["qwen-lsp"]["args"] == ["mcp"]
    assert everything(home) == before


def test_without_a_name_it_says_what_is_here(installed: Path, home: Path, cline: Path, run: Run) -> None:
    (home / ".cline").mkdir()
    holds(home / ".qwen" / "settings.json", OTHERS)
    ran = run("setup")
    assert ran.code == 0
    assert ran.out.splitlines()[:5] == [
        "Cline",
        f"  {cline} (Cline): would be made",
        "Qwen Code",
        f"  {home}/.qwen/settings.json (Qwen Code): would get an entry",
        "Neovim: not found on this machine",
    ]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cline", "--project"), "Cline has no settings of a project"),
        (("neovim", "--rules"), "Neovim has no model of its own"),
        (("--undo",), "name what to set up"),
    ],
)
def test_what_makes_no_sense_is_told(words: Sequence[str], said: str, run: Run) -> None:
    ran = run("setup", *words)
    assert ran.code == 1
    assert said in ran.err

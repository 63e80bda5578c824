"""What is started for a server: what is refused, and what a yes is bound to."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import ExternalFailed
from qwen_lsp.mcp_client.launch import Launch, launch_of
from qwen_lsp.settings import McpServerSettings

ROOT = Path("/home/u/ws")
ENVIRON = {"PATH": os.environ["PATH"], "TOKEN": "t1", "UNRELATED": "x"}


def launched(root: Path = ROOT, environ: dict[str, str] | None = None, **settings: Any) -> Launch:
    settings = {"command": sys.executable, "args": ("-m", "tool"), **settings}
    return launch_of("one", McpServerSettings(**settings), root, environ if environ is not None else ENVIRON)


def test_a_server_gets_what_its_configuration_says_and_no_more() -> None:
    launch = launched(env={"LEVEL": "1"}, pass_env=("TOKEN",))
    assert launch.environment == {"LEVEL": "1", "TOKEN": "t1"}
    assert (launch.command, launch.args, launch.folder) == (
        Path(sys.executable), ("-m", "tool"), Path.home(),
    )  # fmt: skip


def test_a_person_sees_all_that_is_started_but_no_value() -> None:
    shown = launched(args=("--key", "a b"), env={"LEVEL": "private"}, pass_env=("TOKEN",), cwd="/srv").shown()
    assert shown.splitlines() == [
        f"command: {sys.executable}",
        'arguments: ["--key", "a b"]',
        "folder: /srv",
        "variables: LEVEL, TOKEN (from your environment)",
    ]
    assert "private" not in repr(launched(env={"LEVEL": "private"}))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"args": ("-m", "other")}, "arguments"),
        ({"args": ("-m tool",)}, "arguments"),
        ({"args": ()}, "arguments"),
        ({"env": {"LEVEL": "2"}}, "variables"),
        ({"env": {}}, "variables"),
        ({"env": {"LEVEL": "1", "MORE": ""}}, "variables"),
        ({"pass_env": ()}, "variables"),
        ({"cwd": "/srv"}, "folder"),
    ],
)
def test_a_yes_is_bound_to_each_thing_that_is_started(changed: dict[str, Any], field: str) -> None:
    before: dict[str, Any] = {"env": {"LEVEL": "1"}, "pass_env": ("TOKEN",)}
    old, new = launched(**before).fields(), launched(**{**before, **changed}).fields()
    assert [name for name in old if old[name] != new[name]] == [field]


def test_a_yes_is_bound_to_the_program_itself() -> None:
    old, new = launched().fields(), replace(launched(), command=Path("/usr/bin/other")).fields()
    assert [name for name in old if old[name] != new[name]] == ["command"]


def test_a_token_that_is_passed_on_may_change() -> None:
    old = launched(pass_env=("TOKEN",)).fields()
    assert old == launched(environ={**ENVIRON, "TOKEN": "t2"}, pass_env=("TOKEN",)).fields()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"command": "./server.py"}, "an absolute path or a name on PATH"),
        ({"command": "bin/server"}, "an absolute path or a name on PATH"),
        ({"command": "no-such-program-here"}, "there is no program"),
        ({"command": "/no/such/program"}, "there is no program"),
        ({"cwd": "here"}, "cwd must be an absolute path"),
        ({"pass_env": ("MISSING",)}, "MISSING is not set"),
    ],
)
def test_what_cannot_be_started_is_named(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ExternalFailed, match=said):
        launched(**settings)


def test_no_program_of_the_workspace_is_started(tmp_path: Path) -> None:
    program = tmp_path / "ws" / "bin" / "tool"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    link = tmp_path / "tool"
    link.symlink_to(program)
    for command, path in (
        (str(program), ""),
        (str(link), ""),
        ("tool", str(program.parent)),
        ("tool", str(tmp_path)),
    ):
        with pytest.raises(ExternalFailed, match="program of the workspace itself"):
            launched(tmp_path / "ws", {"PATH": path}, command=command)


def test_an_empty_or_relative_folder_on_the_path_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(program.parent)
    for path in ("", ".", "../bin", f":{os.pathsep}"):
        with pytest.raises(ExternalFailed, match="there is no program"):
            launched(environ={"PATH": path}, command="tool")

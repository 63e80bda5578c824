"""A real server process: started, asked, called, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import ExternalFailed
from qwen_lsp.mcp_client.launch import Launch, launch_of
from qwen_lsp.mcp_client.server import LONGEST_RESULT, Server
from qwen_lsp.settings import McpServerSettings
from tests.support import lending

REPOSITORY = Path(__file__).resolve().parents[2]


def launch(folder: Path, said: dict[str, Any], **settings: Any) -> Launch:
    file = folder / "list.json"
    file.write_text(json.dumps(said), encoding="utf-8")
    configured = McpServerSettings(
        command=sys.executable,
        args=("-m", "tests.support.lending", str(file)),
        cwd=str(REPOSITORY),
        **settings,
    )
    return launch_of("one", configured, folder / "workspace")


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setenv("SECRET_OF_THE_USER", "private")
    names = dict.fromkeys(lending.TOOLS, "A tool.")
    started = Server(launch(tmp_path, {"tools": names}, env={"LEVEL": "7"}))
    await started.start()
    yield started
    await started.stop()


@pytest.mark.slow
async def test_tools_are_listed_and_called(server: Server) -> None:
    listed = {tool.name: tool for tool in await server.tools()}
    assert set(listed) == set(lending.TOOLS)
    assert listed["add"].description == "A tool."
    assert listed["add"].schema["required"] == ["first"]
    added = await server.call("add", {"first": 2, "second": 3})
    assert (added.text, added.ok) == ("5", True)
    failed = await server.call("fail", {})
    assert (failed.text, failed.ok) == ("Error executing tool fail", False)
    wrong = await server.call("add", {"first": "two"})
    assert not wrong.ok


@pytest.mark.slow
async def test_what_a_tool_answers_is_made_harmless(server: Server) -> None:
    answer = (await server.call("dirty", {})).text
    taken_out = f"[{len(lending.HIDDEN)} characters that nobody sees were taken out]"
    assert answer == f"red {lending.KEY}\n{taken_out}"
    large = (await server.call("large", {})).text
    assert len(large) < LONGEST_RESULT + 100
    assert "[60,000 characters left out]" in large


@pytest.mark.slow
async def test_a_server_has_the_environment_and_the_folder_it_was_given(server: Server) -> None:
    assert json.loads((await server.call("where", {"name": "LEVEL"})).text) == ["7", str(REPOSITORY), None]


@pytest.mark.slow
async def test_one_that_ends_or_hangs_is_told_and_can_be_started_again(server: Server) -> None:
    server.launch = replace(server.launch, seconds=0.2)
    with pytest.raises(ExternalFailed, match=r"gave no answer within 0\.2 s"):
        await server.call("hang", {})
    server.launch = replace(server.launch, seconds=60)
    with pytest.raises(ExternalFailed, match=r"ended when it was asked for die\. It last said: out of ink"):
        await server.call("die", {})
    assert not server.running
    with pytest.raises(ExternalFailed, match="has ended"):
        await server.call("add", {"first": 1})
    await server.stop()
    await server.start()
    assert (await server.call("add", {"first": 1})).text == "1"


@pytest.mark.slow
async def test_one_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    silent = Server(launch(tmp_path, {"silent": True}, timeout_seconds=0.2))
    with pytest.raises(ExternalFailed, match=r"did not start within 0\.2 s"):
        await silent.start()
    assert not silent.running


@pytest.mark.slow
async def test_one_that_is_no_server_says_what_it_wrote(tmp_path: Path) -> None:
    plain = launch(tmp_path, {})
    wrong = Server(replace(plain, args=("-c", "import sys; sys.exit('no \x1b[31msuch\x1b[0m module')")))
    with pytest.raises(ExternalFailed, match=r"did not start \(.*\)\. It last said: no such module"):
        await wrong.start()
    missing = Server(replace(plain, command=Path("/no/such/program")))
    with pytest.raises(ExternalFailed, match=r"did not start \(.*/no/such/program"):
        await missing.start()


def test_the_library_is_not_loaded_before_a_server_is_needed() -> None:
    code = (
        "import sys; import qwen_lsp.features.agent.external, qwen_lsp.server.app, qwen_lsp.cli; "
        "print([name for name in sys.modules if name.split('.')[0] in ('mcp', 'mcp_types')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"


async def test_where_the_library_is_not_installed_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: str) -> None: ...

    monkeypatch.setattr("importlib.util.find_spec", none)
    with pytest.raises(ExternalFailed, match=r"pip install 'qwen-lsp\[mcp\]'"):
        await Server(launch(tmp_path, {})).start()

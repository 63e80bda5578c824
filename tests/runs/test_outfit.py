"""What a whole run may use: leave by the settings of the session, and tools of a real server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.features.agent.approval import Answer, Ask
from qwen_lsp.features.agent.events import AgentEvent, Asked, Noted, Observed
from qwen_lsp.layers import load
from qwen_lsp.runs.front import Plain
from qwen_lsp.runs.run import RunResult, carry_out
from qwen_lsp.session import Session
from tests.support.endpoint import ScriptedEndpoint

REPOSITORY = Path(__file__).resolve().parents[2]


async def ran(
    server: ScriptedEndpoint, root: Path, answer: Answer, events: list[AgentEvent], **agent: Any
) -> RunResult:
    async def approve(ask: Ask, /) -> Answer:
        return answer

    endpoint = {"base_url": server.base_url, "model": server.model, "kind": "vllm"}
    session = Session(root, load({"endpoint": endpoint, "agent": agent}, environ={}))
    try:
        await session.start()
        return await carry_out(session, "Add two and three", front=Plain(events.append, approve))
    finally:
        await session.aclose()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    (root / "store").mkdir(parents=True)
    (root / "a.py").write_text("x = 1\n", encoding="utf-8")
    (root / ".git").write_text("gitdir: store\n", encoding="utf-8")
    return root


def lending(tmp_path: Path) -> dict[str, Any]:
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps({"tools": {"add": "Add numbers."}}), encoding="utf-8")
    args = ["-m", "tests.support.lending", str(listed)]
    return {"calc": {"command": sys.executable, "args": args, "cwd": str(REPOSITORY)}}


@pytest.mark.parametrize("network", ["never", "ask"])
async def test_the_system_prompt_and_all_tools_of_a_run_stay_small(root: Path, network: str) -> None:
    """As a request carries them: those that run programs and ask the user included."""
    async with ScriptedEndpoint(kind="vllm") as server:
        server.reply(text="Nothing to do.")
        await ran(server, root, "no", [], network=network)
        (sent,) = [request.json for request in server.requests if request.messages]
    system, tools = sent["messages"][0], sent["tools"]
    assert system["role"] == "system"
    assert {"run_shell_command", "run_checks", "ask_user"} < {tool["function"]["name"] for tool in tools}
    assert len(system["content"]) + len(json.dumps(tools)) <= 10_000


@pytest.mark.slow
async def test_a_tool_of_a_server_is_offered_last_and_called(tmp_path: Path, root: Path) -> None:
    events: list[AgentEvent] = []
    async with ScriptedEndpoint(kind="vllm") as server:
        server.reply(tool_calls=[("mcp__calc__add", {"first": 2, "second": 3})])
        server.reply(text="It is five.")
        result = await ran(server, root, "once", events, mcp_servers=lending(tmp_path))
        sent = [request.json for request in server.requests if request.messages]
    assert result.result.summary == "It is five."
    assert [tool["function"]["name"] for tool in sent[0]["tools"]][-2:] == ["ask_user", "mcp__calc__add"]
    assert sent[0]["tools"] == sent[1]["tools"]
    (observed,) = [event for event in events if isinstance(event, Observed)]
    assert (observed.ok, observed.text.splitlines()[-1]) == (True, "5")
    answered = [
        event.title.partition("?")[0] for event in events if isinstance(event, Asked) and event.answer
    ]
    assert answered == [
        "Start the MCP server calc",
        "Lend the model this tool of the MCP server calc",
        "Call add of the MCP server calc",
    ]


async def test_a_server_that_nobody_allows_is_left_out_and_the_run_goes_on(
    tmp_path: Path, root: Path
) -> None:
    events: list[AgentEvent] = []
    async with ScriptedEndpoint(kind="vllm") as server:
        server.reply(text="Nothing to add with.")
        result = await ran(server, root, "no", events, mcp_servers=lending(tmp_path), mode="allow")
    assert result.result.ended == "done"
    assert [event.text for event in events if isinstance(event, Noted)] == [
        "The MCP server calc was not allowed; its tools are left out."
    ]


async def test_what_the_workspace_guards_is_kept_from_a_run(root: Path) -> None:
    events: list[AgentEvent] = []
    async with ScriptedEndpoint(kind="vllm") as server:
        server.reply(
            tool_calls=[
                ("write_file", {"file_path": "store/config", "content": "owned"}),
                ("write_file", {"file_path": "go.sum", "content": "owned"}),
            ]
        )
        server.reply(text="Done.")
        result = await ran(server, root, "no", events)
    assert result.edits == ()
    assert [event.text.partition(":")[0] for event in events if isinstance(event, Observed)] == [
        "store/config may not be changed by tools", "The user did not allow it",
    ]  # fmt: skip

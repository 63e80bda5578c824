"""An agent run against a scripted model server, and all that was told about it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from qwen_lsp.features.agent.approval import Approval
from qwen_lsp.features.agent.course import Means
from qwen_lsp.features.agent.events import AgentEvent
from qwen_lsp.features.agent.log import Changes
from qwen_lsp.features.agent.loop import AgentResult
from qwen_lsp.features.agent.opening import Request
from qwen_lsp.features.agent.task import run
from qwen_lsp.features.agent.toolbox import Desk, Tool
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.model.endpoint import Endpoint, connect
from qwen_lsp.model.messages import Message, Usage
from qwen_lsp.settings import AgentSettings, EndpointSettings
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.endpoint import ScriptedEndpoint
from tests.support.fixture import Workspace, workspace

FILES = """
#- greet.py
def greet(name):
    return "Hello " + name
#- main.py
from greet import greet

print(greet("Ada"))
"""
RENAME = {"file_path": "greet.py", "old_string": "def greet(", "new_string": "def welcome("}


class Kept:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.restarts: list[Sequence[Message]] = []
        self.work: list[Changes] = []

    def said(self, message: Message, /) -> None:
        self.messages.append(message)

    def restarted(self, history: Sequence[Message], /) -> None:
        self.restarts.append(tuple(history))

    def worked(self, changed: Changes, seen: Mapping[RelPath, str], /) -> None:
        self.work.append(changed)


@dataclass
class Ran:
    """One run, and all that was told about it."""

    result: AgentResult
    events: list[AgentEvent]
    log: Kept

    @property
    def record(self) -> list[Message]:
        return self.log.messages


@dataclass
class Agent:
    server: ScriptedEndpoint
    endpoint: Endpoint
    made: Workspace = field(default_factory=lambda: workspace(FILES))
    events: list[AgentEvent] = field(default_factory=list[AgentEvent])
    log: Kept = field(default_factory=Kept)
    tools: Mapping[str, Tool] = field(default_factory=lambda: TOOLS)
    cost: Callable[[Usage], float | None] = lambda usage: None
    count: Callable[[str], int] = lambda text: len(text) // 4 + 1
    max_tokens: int = 1_000
    after_edits: Callable[[Desk], Awaitable[str | None]] | None = None

    async def run(self, task: str = "Rename greet to welcome", **settings: Any) -> Ran:
        chosen = AgentSettings(**settings)
        means = Means(
            self.endpoint, Gate(None), chosen, self.count, self.max_tokens, Approval(chosen.mode),
            self.events.append, self.log, self.tools, cost=self.cost, after_edits=self.after_edits,
        )  # fmt: skip
        result = await run(self.made.snapshot, Request(task), means)
        return Ran(result, self.events, self.log)

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The bodies of the requests to the model."""
        return [request.json for request in self.server.requests if request.messages]


@asynccontextmanager
async def agent_of(window: int = 262_144) -> AsyncGenerator[Agent]:
    """An agent and its model server, whose model has a window of so many tokens."""
    async with ScriptedEndpoint(kind="vllm", window=window) as server:
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model, kind="vllm"))
        assert endpoint is not None
        yield Agent(server, endpoint)
        await endpoint.aclose()

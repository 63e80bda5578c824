"""Runs in an open workspace, as a front end starts them, against a scripted model server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qwen_lsp.features.agent.events import AgentEvent
from qwen_lsp.runs.front import Plain
from qwen_lsp.runs.run import RunResult, carry_out
from qwen_lsp.session import Session
from qwen_lsp.settings import AgentSettings, EndpointSettings, Settings
from tests.support.endpoint import ScriptedEndpoint
from tests.support.fixture import parse_marked, write_files

FILES = """
#- greet.py
def greet(name):
    return "Hello " + name
#- main.py
from greet import greet

print(greet("Ada"))
"""
RENAME = {"file_path": "greet.py", "old_string": "def greet(", "new_string": "def welcome("}
CALLER = {"file_path": "main.py", "old_string": "import greet", "new_string": "import welcome"}
TASK = "Rename greet to welcome"


@dataclass
class Work:
    """A workspace on disk, a model server, and sessions that come and go."""

    root: Path
    server: ScriptedEndpoint
    agent: AgentSettings = field(default_factory=lambda: AgentSettings(mode="allow"))
    events: list[AgentEvent] = field(default_factory=list[AgentEvent])

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        endpoint = EndpointSettings(
            base_url=self.server.base_url, model=self.server.model, kind="vllm", max_retries=0
        )
        session = Session(self.root, Settings(endpoint=endpoint, agent=self.agent))
        try:
            await session.start(learn=False)
            yield session
        finally:
            await session.aclose()

    async def run(self, task: str = TASK, **options: Any) -> RunResult:
        """A run in a session of its own, as `qwen-lsp agent` makes one."""
        async with self.session() as session:
            return await carry_out(session, task, front=Plain(self.events.append), **options)

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The bodies of the requests to the model."""
        return [request.json for request in self.server.requests if request.messages]


@asynccontextmanager
async def working(root: Path) -> AsyncGenerator[Work]:
    write_files(root, parse_marked(FILES).texts)
    async with ScriptedEndpoint(kind="vllm") as server:
        yield Work(root, server)

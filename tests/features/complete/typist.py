"""Somebody who types in a workspace written as text, with a scripted model server behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.request import Completion, complete
from qwen_lsp.features.complete.state import Completions
from qwen_lsp.model import tokens
from qwen_lsp.model.endpoint import Endpoint, connect
from qwen_lsp.settings import CompletionSettings, EndpointSettings
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.endpoint import ScriptedEndpoint
from tests.support.fixture import Workspace, workspace

START = "#- a.py\ndef f(a):\n    x = <CURSOR>\n"
TWO = """
#- shapes.py
def compute(r):
    return r
#- a.py
from shapes import compute


def f(a):
    x = comp<CURSOR>
"""


@dataclass
class Typist:
    """Somebody who types in one file of a workspace, with a server behind."""

    server: ScriptedEndpoint
    endpoint: Endpoint
    made: Workspace
    at: int
    state: Completions = field(default_factory=Completions)
    settings: CompletionSettings = field(default_factory=CompletionSettings)
    problems: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return self.made.snapshot.text(self.made.path)

    def edit(self, start: int, end: int, text: str, path: RelPath | None = None) -> None:
        path = path or self.made.path
        before = self.made.snapshot.text(path)
        edits = (TextEdit(Span(start, end), text),)
        self.made.store.change(path, edits)
        self.state.changed(path, before, edits)

    def type(self, text: str) -> None:
        for character in text:
            self.edit(self.at, self.at, character)
            self.at += 1

    def back(self, count: int = 1) -> None:
        for _ in range(count):
            self.edit(self.at - 1, self.at, "")
            self.at -= 1

    async def ask(self, *, invoked: bool = False) -> Completion | None:
        means = Means(
            self.endpoint, None, Gate(None), self.settings, tokens.count, failed=self.problems.append
        )
        snapshot = self.made.snapshot
        return await complete(snapshot, self.made.path, self.at, means, self.state, invoked=invoked)

    async def text_of(self) -> str | None:
        found = await self.ask()
        return None if found is None else found.text

    def begin(self) -> asyncio.Task[Completion | None]:
        return asyncio.create_task(self.ask())

    @property
    def asked(self) -> int:
        return len(self.server.requests)


@asynccontextmanager
async def typing(server: ScriptedEndpoint) -> AsyncGenerator[Typist]:
    """A typist at the cursor of `START`, whose endpoint is the server with its first model."""
    tokens.preload()
    endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model, kind="vllm"))
    assert endpoint is not None
    made = workspace(START)
    yield Typist(server, endpoint, made, made.offset)
    await endpoint.aclose()

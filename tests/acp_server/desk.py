"""An editor that speaks the protocol, made of the SDK's client side: open texts, answers, what it was told.

async with desk(tmp_path, model) as at:                # the agent in this process, over a real socket
    at.open("prices.py", "unsaved text")
    at.answers("apply")
    stop = await at.prompt("Rename net.")
    assert at.text("prices.py") == ...
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from acp import PROTOCOL_VERSION, RequestError, schema, spawn_agent_process
from acp.client.connection import ClientSideConnection

from qwen_lsp.acp_server.app import converse
from tests.support.endpoint import ScriptedEndpoint

TIME = 60.0
"""Longest wait for anything, in seconds: what hangs fails instead."""
FILES = schema.FileSystemCapabilities(read_text_file=True, write_text_file=True)
NO_FILES = schema.FileSystemCapabilities()
Answer = str | None | Callable[["Desk", schema.ToolCallUpdate], str | None]
"""The option that is chosen, None for a question that is closed, or what decides."""


@dataclass
class Desk:
    """The client: what it holds, what it answers, and what it was told."""

    root: Path
    can: schema.ClientCapabilities
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """Open texts by path of the workspace, saved or not."""
    saves: bool = True
    """Whether a text that the agent writes is saved at once, as most clients do."""
    given: Callable[[str], str] = lambda text: text
    """How the client hands a text over: some normalise line ends."""
    broken: dict[str, str] = field(default_factory=dict[str, str])
    """Files that the client refuses to write, with what it says."""
    meanwhile: Callable[[], None] = lambda: None
    """What the person does while a question stands open; once."""
    updates: list[Any] = field(default_factory=list[Any])
    questions: list[tuple[schema.ToolCallUpdate, list[str]]] = field(default_factory=list[Any])
    """Each question with the ids of its options."""
    forms: list[str] = field(default_factory=list[str])
    reads: list[str] = field(default_factory=list[str])
    writes: list[str] = field(default_factory=list[str])
    session: str = ""
    modes: schema.SessionModeState | None = None
    agent: ClientSideConnection = field(init=False)
    process: asyncio.subprocess.Process | None = None
    _answers: list[Answer] = field(default_factory=list[Any])
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    # -- the person --------------------------------------------------------------------------------------

    def open(self, path: str, text: str | None = None) -> None:
        """Open a file, with a text that is not saved or as it is."""
        self.texts[path] = (self.root / path).read_text() if text is None else text

    def answers(self, *answers: Answer) -> None:
        """The answers to the questions to come, in order."""
        self._answers += answers

    def text(self, path: str) -> str | None:
        """What the person sees of a file: its open text, else the disk."""
        if path in self.texts:
            return self.texts[path]
        file = self.root / path
        return file.read_bytes().decode() if file.exists() else None

    async def begin(self, servers: Sequence[Any] = (), **more: Any) -> str:
        """A new session, from now on the one that is spoken in."""
        reply = await self._timely(self.agent.new_session(str(self.root), mcp_servers=list(servers), **more))
        self.session, self.modes = reply.session_id, reply.modes
        return self.session

    async def prompt(self, *said: Any, session: str = "") -> schema.PromptResponse:
        """One turn: texts and blocks."""
        blocks = [schema.TextContentBlock(type="text", text=s) if isinstance(s, str) else s for s in said]
        return await self._timely(self.agent.prompt(session_id=session or self.session, prompt=blocks))

    async def refused(self, work: Any) -> RequestError:
        """The error that a request ends with."""
        try:
            reply = await self._timely(work)
        except RequestError as error:
            return error
        raise AssertionError(f"no error, but {reply}")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something was told or asked that makes it true."""
        async with asyncio.timeout(TIME), self.heard:
            await self.heard.wait_for(condition)

    @staticmethod
    async def _timely(work: Any) -> Any:
        async with asyncio.timeout(TIME):
            return await work

    # -- what it was told --------------------------------------------------------------------------------

    def of(self, kind: type[Any]) -> list[Any]:
        return [update for update in self.updates if isinstance(update, kind)]

    @property
    def words(self) -> str:
        """All that the agent said."""
        return "".join(update.content.text for update in self.of(schema.AgentMessageChunk))

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        """Every tool call by its id, as it stands after all its updates."""
        found: dict[str, dict[str, Any]] = {}
        for update in self.updates:
            if isinstance(update, schema.ToolCallStart | schema.ToolCallProgress):
                found.setdefault(update.tool_call_id, {}).update(update.model_dump(exclude_none=True))
        return found

    def call(self, title: str) -> dict[str, Any]:
        """The call whose title has these words."""
        return next(call for call in self.calls.values() if title in call["title"])

    # -- the client's side of the protocol ---------------------------------------------------------------

    def on_connect(self, conn: Any) -> None:
        pass

    async def session_update(self, session_id: str, update: Any, **kwargs: Any) -> None:
        async with self.heard:
            self.updates.append(update)
            self.heard.notify_all()

    async def request_permission(
        self, session_id: str, tool_call: Any, options: Sequence[schema.PermissionOption], **kwargs: Any
    ) -> schema.RequestPermissionResponse:
        async with self.heard:
            self.questions.append((tool_call, [one.option_id for one in options]))
            self.heard.notify_all()
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if not self._answers:
            raise AssertionError(f"nobody said what to answer to {tool_call}")
        answer = self._answers.pop(0)
        chosen = answer(self, tool_call) if callable(answer) else answer
        if chosen is None:
            return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))
        return schema.RequestPermissionResponse(
            outcome=schema.AllowedOutcome(outcome="selected", option_id=chosen)
        )

    async def read_text_file(
        self, session_id: str, path: str, line: int | None = None, limit: int | None = None, **kwargs: Any
    ) -> schema.ReadTextFileResponse:
        name = Path(path).relative_to(self.root).as_posix()
        self.reads.append(name)
        text = self.text(name)
        if text is None:
            raise RequestError(-32002, "no such file")
        return schema.ReadTextFileResponse(content=self.given(text))

    async def write_text_file(
        self, session_id: str, path: str, content: str, **kwargs: Any
    ) -> schema.WriteTextFileResponse:
        name = Path(path).relative_to(self.root).as_posix()
        self.writes.append(name)
        if name in self.broken:
            raise RequestError(-32603, self.broken[name])
        if name in self.texts or not self.saves:
            self.texts[name] = content
        if self.saves:
            (self.root / name).write_bytes(content.encode())
        return schema.WriteTextFileResponse()

    async def create_elicitation(self, message: str, mode: Any, **kwargs: Any) -> Any:
        self.forms.append(message)
        answer = self._answers.pop(0)
        if answer is None:
            return schema.DeclineElicitationResponse(action="decline")
        return schema.AcceptElicitationResponse(action="accept", content={"answer": answer})

    async def complete_elicitation(self, elicitation_id: str, **kwargs: Any) -> None:
        pass

    async def ext_method(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        raise RequestError.method_not_found(method)

    async def ext_notification(self, method: str, params: dict[str, Any]) -> None:
        pass

    async def create_terminal(
        self,
        session_id: str,
        command: str,
        args: list[str] | None = None,
        env: list[schema.EnvVariable] | None = None,
        cwd: str | None = None,
        output_byte_limit: int | None = None,
        **kwargs: Any,
    ) -> schema.CreateTerminalResponse:
        raise RequestError.method_not_found("terminal/create")

    async def _terminal(self, session_id: str, terminal_id: str, **kwargs: Any) -> Any:
        raise RequestError.method_not_found("terminal")

    terminal_output = release_terminal = wait_for_terminal_exit = kill_terminal = _terminal


def capabilities(
    fs: schema.FileSystemCapabilities = FILES, *, forms: bool = False
) -> schema.ClientCapabilities:
    form = schema.ElicitationCapabilities(form=schema.ElicitationFormCapabilities()) if forms else None
    return schema.ClientCapabilities(fs=fs, elicitation=form)


def configure(model: ScriptedEndpoint | None, **agent: Any) -> None:
    """The user's own configuration: the endpoint, and settings of the agent."""
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "qwen-lsp"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["[agent]", *(f"{key} = {_toml(value)}" for key, value in agent.items())]
    if model is not None:
        lines += ["[endpoint]", f'base_url = "{model.base_url}"', f'model = "{model.model}"']
        lines += ['kind = "vllm"', "max_retries = 0"]
    (folder / "config.toml").write_text("\n".join(lines) + "\n")


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value).items()
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in cast("list[object]", value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@asynccontextmanager
async def desk(
    root: Path, can: schema.ClientCapabilities | None = None, *, begin: bool = True
) -> AsyncGenerator[Desk]:
    """The agent in this process and its client, over a socket."""
    at = Desk(root, can or capabilities())
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs)
    serving = asyncio.create_task(converse(reader, writer))
    own_reader, own_writer = await asyncio.open_connection(sock=ours)
    at.agent = ClientSideConnection(at, own_writer, own_reader, use_unstable_protocol=True)
    try:
        await _met(at, begin=begin)
        yield at
    finally:
        await at.agent.close()
        own_writer.close()
        async with asyncio.timeout(TIME):
            await serving


@asynccontextmanager
async def spawned(
    root: Path, can: schema.ClientCapabilities | None = None, *, begin: bool = True, args: Sequence[str] = ()
) -> AsyncGenerator[Desk]:
    """`qwen-lsp acp` as an editor starts it, over its standard input and output."""
    at = Desk(root, can or capabilities())
    command = [sys.executable, "-m", "qwen_lsp", "acp", *args]
    async with spawn_agent_process(
        at, *command, env=dict(os.environ), cwd=root, use_unstable_protocol=True
    ) as (agent, process):
        at.agent, at.process = agent, process
        await _met(at, begin=begin)
        yield at


async def _met(at: Desk, *, begin: bool) -> None:
    async with asyncio.timeout(TIME):
        await at.agent.initialize(PROTOCOL_VERSION, at.can)
    if begin:
        await at.begin()

"""What a tool is: a name and arguments the model knows, and a function from a snapshot to the next one.

A tool never touches the workspace: it maps `(Desk, arguments)` to an `Outcome`, which holds the fork after it
and what the model is told. Adding a tool is one row of a table such as the one in `tools.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from qwen_lsp.errors import OutsideWorkspace, ToolRefused, WorkspaceError
from qwen_lsp.features.agent.arguments import fitted
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ToolCall, ToolSpec
from qwen_lsp.workspace.paths import RelPath, inside, within
from qwen_lsp.workspace.secrets import Gate

Arguments = Mapping[str, Any]
_MOST_ALIKE = 5


@dataclass(frozen=True, slots=True)
class Desk:
    """What a tool may look at: the fork so far and the gate in front of what the model may see."""

    snapshot: Snapshot
    gate: Gate
    seen: Mapping[RelPath, str] = field(default_factory=dict[RelPath, str])
    """Files the model has seen, each with the digest (`digest`) of its text as it was then."""
    printed: Callable[[str], None] = lambda text: None
    """Takes what a command prints, piece by piece while it runs, for a person to see."""

    def path(self, text: str) -> RelPath:
        """A path the model wrote, relative or absolute inside the root. Raises ToolRefused."""
        try:
            return inside(self.snapshot.root, text)
        except OutsideWorkspace as error:
            raise ToolRefused(f"{error}. Use a path inside the workspace.") from None

    def text(self, path: RelPath) -> str:
        """The whole text of a file, secrets included: for tools that change it. Raises ToolRefused."""
        if reason := self.gate.admits_path(path):
            raise ToolRefused(f"{path} is withheld ({reason}); work without it.")
        try:
            return self.snapshot.text(path)
        except WorkspaceError as error:
            reason = getattr(error, "reason", error)
            raise ToolRefused(f"{path} cannot be read: {reason}.{self._instead(path)}") from None

    def _instead(self, path: RelPath) -> str:
        """What may have been meant by a path that is not that of a file to read."""
        place = self.snapshot.root / path
        paths = self.snapshot.paths()
        if any(other.startswith(f"{path}/") for other in paths):
            return " It is a folder: list_directory shows what is in it."
        with contextlib.suppress(OSError, RuntimeError):  # a loop of links, before Python 3.13
            target = within(self.snapshot.root, place.resolve()) if place.is_symlink() else None
            if target is not None and target in paths:
                return f" It is a link to {target}: use that path."
        name = path.rpartition("/")[2]
        alike = [other for other in paths if other != path and other.rpartition("/")[2] == name]
        alike = [other for other in alike if self.gate.admits_path(other) is None]
        return f" There is {', '.join(alike[:_MOST_ALIKE])}." if alike else ""

    def shown(self, path: RelPath) -> str:
        """The text as the model may see it. Raises ToolRefused."""
        admitted = self.gate.admit(path, self.text(path)).text
        if admitted is None:
            raise ToolRefused(f"{path} is withheld; work without it.")
        return admitted

    def news(self, path: RelPath, text: str) -> str:
        """Why the model cannot know this text of a file, as a clause; empty where it can.

        Somebody changed it since the model was shown it; or, where it was not shown the file, since the run
        began. Rewriting or deleting all of it would lose that change.
        """
        seen, buffer = self.seen.get(path), self.snapshot.buffers.get(path)
        if seen is not None:
            return "" if seen == digest(text) else "changed since you read it"
        if buffer is not None:
            return "" if buffer.original is None else "was changed, and you have not read it"
        return "" if self.snapshot.as_listed(path) else "changed since the run began"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to."""

    snapshot: Snapshot
    """The fork after it."""
    text: str
    """The observation, written for the model; secrets already replaced."""
    shown: tuple[RelPath, ...] = ()
    """Files whose text, as it is in `snapshot`, the model knows from now on."""
    ok: bool = True
    """False where the tool ran and what it did failed, such as a command with another status than 0."""


Run = Callable[[Desk, Arguments], Outcome]
"""Runs in a thread: pure but for reading files."""
Act = Callable[[Desk, Arguments], Awaitable[Outcome]]
"""Runs on the event loop: waits for a process, a server or a person. Cancelling ends what it waits for."""
Kind = Literal["read", "note", "edit", "command", "ask", "external"]
"""What a tool can do, which decides about approval: look, note down, change the fork, run a program in the
sandbox, ask the person, or call a program of the user's that is not ours (MCP)."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool, with `run` or `act`. `parameters` is (name, JSON schema); all but `optional` are required."""

    name: str
    description: str
    run: Run | None = None
    parameters: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    optional: frozenset[str] = frozenset()
    kind: Kind = "read"
    act: Act | None = None

    def spec(self) -> ToolSpec:
        """The OpenAI tool object; always with description and parameters, which Qwen's template needs."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {
                    "type": "object",
                    "properties": {name: dict(schema) for name, schema in self.parameters},
                    "required": [name for name, _ in self.parameters if name not in self.optional],
                },
            },
        }

    def check(self, arguments: Arguments) -> dict[str, Any]:
        """The arguments as the tool takes them. Raises ToolRefused: what is missing, unknown or wrong."""
        required = [name for name, _ in self.parameters if name not in self.optional]
        return fitted(self.name, dict(self.parameters), required, arguments)


async def call(tools: Mapping[str, Tool], desk: Desk, asked: ToolCall) -> Outcome:
    """Run one call. Raises ToolRefused (or EditRejected) with a text written for the model."""
    tool, arguments = checked(tools, asked)
    try:
        if tool.act is not None:
            return await tool.act(desk, arguments)
        if tool.run is None:
            raise ToolRefused(f"{tool.name} cannot be run here.")
        # In a thread: a search reads every file, and someone may be typing meanwhile.
        return await asyncio.to_thread(tool.run, desk, arguments)
    except WorkspaceError as error:
        raise ToolRefused(str(error)) from None


def checked(tools: Mapping[str, Tool], asked: ToolCall) -> tuple[Tool, Arguments]:
    """The tool of a call and its arguments. Raises ToolRefused, saying what is wrong with the call."""
    if asked.problem:
        raise ToolRefused(asked.problem)
    tool = tools.get(asked.name)
    if tool is None:
        raise ToolRefused(f"There is no tool {asked.name!r}. The tools are: {', '.join(tools)}.")
    arguments = {name: value for name, value in asked.arguments.items() if value is not None}
    return tool, tool.check(arguments)


def digest(text: str) -> str:
    """A short name for a text, to tell whether a file is still what the model has seen."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def text_of(arguments: Arguments, name: str, default: str = "") -> str:
    return cast(str, arguments.get(name, default))


def number_of(arguments: Arguments, name: str, default: int) -> int:
    return cast(int, arguments.get(name, default))

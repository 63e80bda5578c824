"""What a tool is: a name and arguments the model knows, and a function from a snapshot to the next one.

A tool never touches the disk: it maps `(Desk, arguments)` to `(Snapshot, observation)`, where the
snapshot is a fork. Adding a tool is one row of the table in `tools.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from qwen_lsp.errors import OutsideWorkspace, ToolRefused, WorkspaceError
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ToolCall, ToolSpec
from qwen_lsp.workspace.paths import RelPath, inside
from qwen_lsp.workspace.secrets import Gate

Arguments = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "boolean": (bool,), "array": (list,), "object": (dict,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """What a tool may look at: the fork so far and the gate in front of what the model may see."""

    snapshot: Snapshot
    gate: Gate

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
            raise ToolRefused(f"{path} cannot be read: {getattr(error, 'reason', error)}.") from None

    def shown(self, path: RelPath) -> str:
        """The text as the model may see it. Raises ToolRefused."""
        admitted = self.gate.admit(path, self.text(path)).text
        if admitted is None:
            raise ToolRefused(f"{path} is withheld; work without it.")
        return admitted


Run = Callable[[Desk, Arguments], tuple[Snapshot, str]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `parameters` is (name, JSON schema); those not in `optional` are required."""

    name: str
    description: str
    run: Run
    parameters: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    optional: frozenset[str] = frozenset()
    writes: bool = False

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

    def check(self, arguments: Arguments) -> None:
        """Raises ToolRefused, naming what is missing, unknown or of the wrong type."""
        schemas = dict(self.parameters)
        if missing := [n for n in schemas if n not in self.optional and n not in arguments]:
            raise ToolRefused(f"{self.name} needs {', '.join(missing)}; got {_names(arguments)}.")
        if unknown := [n for n in arguments if n not in schemas]:
            raise ToolRefused(f"{self.name} has no {', '.join(unknown)}; it takes {', '.join(schemas)}.")
        for name, value in arguments.items():
            wanted = str(schemas[name]["type"])
            good = isinstance(value, _TYPES[wanted]) and not (wanted == "integer" and isinstance(value, bool))
            if not good:
                raise ToolRefused(
                    f"{self.name}: {name} must be of type {wanted}, not {type(value).__name__}."
                )


def call(tools: Mapping[str, Tool], desk: Desk, asked: ToolCall) -> tuple[Snapshot, str]:
    """Run one call. Raises ToolRefused (or EditRejected) with a text written for the model."""
    if asked.problem:
        raise ToolRefused(asked.problem)
    tool = tools.get(asked.name)
    if tool is None:
        raise ToolRefused(f"There is no tool {asked.name!r}. The tools are: {', '.join(tools)}.")
    arguments = {name: value for name, value in asked.arguments.items() if value is not None}
    tool.check(arguments)
    try:
        return tool.run(desk, arguments)
    except WorkspaceError as error:
        raise ToolRefused(str(error)) from None


def text_of(arguments: Arguments, name: str, default: str = "") -> str:
    return cast(str, arguments.get(name, default))


def number_of(arguments: Arguments, name: str, default: int) -> int:
    return cast(int, arguments.get(name, default))


def _names(arguments: Arguments) -> str:
    return ", ".join(arguments) or "nothing"

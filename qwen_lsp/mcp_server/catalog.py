"""The tools as a client lists them: names, descriptions for a model, arguments, and what they may do.

Plain data, so that a client can be told before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAME = "qwen-lsp"
TITLE = "qwen-lsp"
INSTRUCTIONS = (
    "An index of this workspace, kept current. Call repo_map first in a workspace you do not know, and "
    "pack_context before a task that touches more than one file: it gives the code that matters in one "
    "call. find_symbol and references are exact where a text search guesses."
)
MAP_URI = "qwen://map"
MAP = {
    "uri": MAP_URI,
    "name": "map",
    "title": "Repository map",
    "description": "The most central files of the workspace with what they define.",
    "mimeType": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tool. `parameters` is name to JSON schema; all but `optional` are required."""

    name: str
    title: str
    description: str
    parameters: Mapping[str, Mapping[str, Any]]
    optional: frozenset[str] = frozenset()
    writes: bool = False
    asks_model: bool = False

    @property
    def required(self) -> list[str]:
        return [name for name in self.parameters if name not in self.optional]

    def wire(self) -> dict[str, Any]:
        """The tool as `tools/list` gives it. No output schema: a result is plain text, sent once."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": {
                "type": "object",
                "properties": {name: dict(schema) for name, schema in self.parameters.items()},
                "required": self.required,
                "additionalProperties": False,
            },
            "annotations": {
                "title": self.title,
                "readOnlyHint": not self.writes,
                "destructiveHint": self.writes,
                "idempotentHint": not self.writes,
                "openWorldHint": self.asks_model,
            },
        }


def _string(description: str) -> Mapping[str, Any]:
    return {"type": "string", "description": description}


_PATH = "Path relative to the workspace"

ENTRIES: Mapping[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            "find_symbol",
            "Find a definition",
            "Where a function, class, method, constant or other name is defined, with its signature. More "
            "exact than a text search. Answers path:first-last (kind) and the signature. Not for plain text.",
            {"name": _string("The name, or a part of it.")},
        ),
        Entry(
            "references",
            "Find references",
            "Every place in code that uses a name; comments and strings are left out. Answers path:line: "
            "text. Use it before renaming or changing a signature.",
            {"name": _string("The exact name, without its module or class.")},
        ),
        Entry(
            "outline",
            "Outline of a file",
            "A file's imports and signatures without the bodies: what is in a large file, for a fraction of "
            "its tokens. Not for files that are no code.",
            {"file_path": _string(f"{_PATH}.")},
        ),
    )
}  # fmt: skip

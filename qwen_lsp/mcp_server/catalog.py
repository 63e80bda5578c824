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
    "call. find_symbol and references are exact where a text search guesses. apply_edits changes many files "
    "at once, all or none."
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


def _integer(description: str) -> Mapping[str, Any]:
    return {"type": "integer", "description": description}


MAP_BUDGET = 2_000
"""Tokens of a map unless something else is asked for."""
_PATH = "Path of the file, relative to the workspace."
_EDIT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "file_path": _string("The file."),
        "old_string": _string(
            "Text to replace, exactly as in the file, with enough lines around it to occur once. Empty, "
            "with a file that does not exist: create it."
        ),
        "new_string": _string("Text to put in its place, in full."),
        "replace_all": {"type": "boolean", "description": "Replace every occurrence of old_string."},
        "content": _string("The whole new content; creates the file or replaces all of it."),
        "move_to": _string("New path: move or rename the file or folder. Imports are not adjusted."),
        "delete": {"type": "boolean", "description": "true: delete the file."},
    },
    "required": ["file_path"],
}

ENTRIES: Mapping[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            "pack_context",
            "Code that matters for a task or a place",
            "The code of this workspace that matters for a task or at a place, chosen from all files by "
            "imports, definitions, uses and history, within a budget of tokens, with the reason for each "
            "part. Call it once at the start of a task instead of reading files one by one. Not for one "
            "file you know: read it.",
            {
                "task": _string(
                    "What is to be done, in words. Names of files, functions and classes in it count most."
                ),
                "place": _string("A file, or file:line, to look around from. With task: a file it is about."),
                "budget": _integer("Tokens of the answer at most (default 8000)."),
            },
            frozenset({"task", "place", "budget"}),
        ),
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
            "Every place in code that uses or defines a name; comments and strings are left out. Answers "
            "path:line: text. Use it before renaming or changing a signature.",
            {"name": _string("The exact name, without its module or class.")},
        ),
        Entry(
            "outline",
            "Outline of a file",
            "A file's imports and signatures without the bodies: what is in a large file, for a fraction of "
            "its tokens. Not for files that are no code.",
            {"file_path": _string(_PATH)},
        ),
        Entry(
            "explain_file",
            "Explain a file",
            "What a file, or some of its lines, is for, what it builds on and who uses it, in prose. Asks "
            "the configured model, so it takes a while; without one it is made from the index. Not for "
            "reading code: it shows none.",
            {"file_path": _string("Path of the file; 'a.py:10-40' for some of its lines.")},
            asks_model=True,
        ),
        Entry(
            "repo_map",
            "Map of the repository",
            "The folders and the most central files of the workspace, each with what it defines and how "
            "many files use it, within a budget of tokens. Call it first in a workspace you do not know; "
            "with path, to look closer at a folder.",
            {
                "path": _string("Only this folder (default: the workspace)."),
                "budget": _integer(f"Tokens of the answer at most (default {MAP_BUDGET})."),
            },
            frozenset({"path", "budget"}),
        ),
        Entry(
            "apply_edits",
            "Edit many files at once",
            "Change, create, move and delete files in one step: all edits are made or, if one does not fit, "
            "none is, and each failure is explained. Use it for changes that belong together, also several "
            "in one file. Entries apply in order; each has file_path and one of old_string with new_string, "
            "content, move_to, delete. Only text files of the workspace; settings of git, editors and CI "
            "are refused.",
            {
                "edits": {"type": "array", "items": _EDIT, "description": "The edits, in order."},
                "dry_run": {"type": "boolean", "description": "true: write nothing, answer with the diff."},
            },
            frozenset({"dry_run"}),
            writes=True,
        ),
    )
}  # fmt: skip

"""The table of tools: names and arguments are Qwen Code's where one matches, since the model knows those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qwen_lsp.features.agent import looking, reading, writing
from qwen_lsp.features.agent.toolbox import Tool


def _string(description: str) -> Mapping[str, Any]:
    return {"type": "string", "description": description}


def _integer(description: str) -> Mapping[str, Any]:
    return {"type": "integer", "description": description}


_FILE = ("file_path", _string("Path of the file, relative to the workspace."))
_FOLDER = ("path", _string("Folder to look in (default: the workspace)."))
_ALL: Mapping[str, Any] = {"type": "boolean", "description": "Replace every occurrence."}
_EDIT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "file_path": {"type": "string"},
        "old_string": {"type": "string"},
        "new_string": {"type": "string"},
        "replace_all": {"type": "boolean"},
    },
    "required": ["file_path", "old_string", "new_string"],
}
_TODO: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "content": {"type": "string"},
        "status": {"type": "string", "description": "pending, in_progress or completed"},
    },
    "required": ["content", "status"],
}

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "list_directory",
            "List a folder. Folders end in a slash.",
            looking.list_directory,
            (("path", _string("The folder; '.' is the workspace.")),),
        ),
        Tool(
            "glob",
            "Find files by a pattern such as 'src/**/*.py'.",
            looking.glob,
            (("pattern", _string("The pattern, relative to path.")), _FOLDER),
            frozenset({"path"}),
        ),
        Tool(
            "read_file",
            "Read a file, or some lines of it.",
            reading.read_file,
            (
                _FILE,
                ("offset", _integer("How many lines to skip.")),
                ("limit", _integer(f"How many lines to read (default {reading.LONGEST_READ}).")),
            ),
            frozenset({"offset", "limit"}),
        ),
        Tool(
            "read_many_files",
            "Read several files at once.",
            reading.read_many_files,
            (
                (
                    "paths",
                    {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Paths, also 'a.py:10-40' for some lines, or patterns.",
                    },
                ),
            ),
        ),
        Tool(
            "grep_search",
            "Search file contents with a regular expression. Answers path:line: text.",
            looking.grep_search,
            (
                ("pattern", _string("A Python regular expression; ^ and $ are line ends; (?i): any case.")),
                _FOLDER,
                ("glob", _string("Only files matching this, such as '*.py'.")),
                ("limit", _integer("How many lines at most.")),
            ),
            frozenset({"path", "glob", "limit"}),
        ),
        Tool(
            "find_symbol",
            "Find where a function, class or other name is defined, with its signature. More exact than "
            "searching text.",
            looking.find_symbol,
            (("name", _string("The name, or a part of it.")),),
        ),
        Tool(
            "find_references",
            "Find every place in code that uses a name.",
            looking.find_references,
            (("name", _string("The exact name.")),),
        ),
        Tool(
            "outline",
            "Show a file's imports and signatures without the bodies.",
            reading.outline,
            (_FILE,),
        ),
        Tool(
            "edit",
            "Replace text in a file. old_string must occur exactly once (give enough lines around it) "
            "unless replace_all is true. An empty old_string creates a new file.",
            writing.edit,
            (
                _FILE,
                ("old_string", _string("The text to replace, exactly as in the file, indentation included.")),
                ("new_string", _string("The text to put in its place, in full.")),
                ("replace_all", _ALL),
            ),
            frozenset({"replace_all"}),
            kind="edit",
        ),
        Tool(
            "edit_files",
            "Make many edits, also in many files, in one call: all or none.",
            writing.edit_files,
            (("edits", {"type": "array", "items": _EDIT, "description": "Edits as for edit, in order."}),),
            kind="edit",
        ),
        Tool(
            "write_file",
            "Write a whole file: create it, or replace all of its content. Prefer edit for existing files.",
            writing.write_file,
            (_FILE, ("content", _string("The complete new content."))),
            kind="edit",
        ),
        Tool(
            "move_file",
            "Move or rename a file or a folder. Imports are not adjusted.",
            writing.move_file,
            (("source_path", _string("What to move.")), ("target_path", _string("Its new path."))),
            kind="edit",
        ),
        Tool(
            "delete_file",
            "Delete a file.",
            writing.delete_file,
            (_FILE,),
            kind="edit",
        ),
        Tool(
            "todo_write",
            "Write down the steps of a longer task and their state; replaces the list.",
            reading.todo_write,
            (("todos", {"type": "array", "items": _TODO, "description": "All steps, in order."}),),
            kind="note",
        ),
    )
}  # fmt: skip

"""The arguments of a call as the tool declares them: known misnomers and harmless misspellings set right.

Only what can be read in one way is: another name where the right one is missing, a number written as
text, one object where a list of them is wanted. Anything else is refused with what was wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from qwen_lsp.errors import ToolRefused

Schema = Mapping[str, Any]

_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "file_path": ("path", "file", "filepath", "filename", "file_name", "absolute_path", "target_file"),
    "old_string": ("old_str", "old_text", "old", "old_content", "search", "find"),
    "new_string": ("new_str", "new_text", "new", "new_content", "replace", "replacement"),
    "content": ("contents", "text", "file_text", "file_content", "data"),
    "path": ("dir_path", "directory", "dir", "folder", "dir_name", "file_path"),
    "paths": ("file_paths", "files", "path", "file_path"),
    "pattern": ("query", "regex", "search", "glob_pattern"),
    "glob": ("include", "file_pattern"),
    "name": ("symbol", "symbol_name", "query", "identifier"),
    "source_path": ("source", "src", "from", "old_path", "from_path", "file_path", "path"),
    "target_path": ("target", "destination", "dest", "to", "new_path", "to_path", "destination_path"),
    "edits": ("changes", "replacements"),
    "todos": ("items", "todo_list", "tasks"),
    "command": ("cmd",),
    "question": ("prompt", "query"),
}
_SHOWN = 60
_INTEGER = re.compile(r"[+-]?\d{1,18}(?:\.0+)?", re.ASCII)


def fitted(
    tool: str, properties: Mapping[str, Schema], required: Sequence[str], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments under their declared names and of the declared types. Raises ToolRefused."""
    named = {name: value for name, value in given.items() if name in properties}
    strange = {name: value for name, value in given.items() if name not in properties}
    for name in properties:
        if name not in named:
            meant = [other for other in strange if _means(other, name)]
            if len(meant) == 1:
                named[name] = strange.pop(meant[0])
    if missing := [name for name in required if name not in named]:
        raise ToolRefused(f"{tool} needs {', '.join(missing)}; got {', '.join(given) or 'nothing'}.")
    if strange:
        raise ToolRefused(f"{tool} has no {', '.join(strange)}; it takes {', '.join(properties)}.")
    return {name: _value(tool, name, properties[name], value) for name, value in named.items()}


def _means(other: str, name: str) -> bool:
    """Whether a name the tool does not have stands for this one: `path` or `filePath` for `file_path`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", other).lower()
    return snake == name or snake in _OTHER_NAMES.get(name, ())


def _value(tool: str, name: str, schema: Schema, value: object) -> object:
    wanted = schema.get("type")
    if not isinstance(wanted, str):
        return value  # a tool that is not ours says itself what it takes
    fits, fitting = _as(wanted, value)
    if not fits:
        raise ToolRefused(f"{tool}: {name} must be of type {wanted}, not {_shown(value)}.")
    items = schema.get("items")
    if wanted == "array" and isinstance(items, Mapping):
        listed = enumerate(cast("list[Any]", fitting), 1)
        return [_item(tool, f"{name}[{at}]", cast("Schema", items), item) for at, item in listed]
    return fitting


def _item(tool: str, name: str, schema: Schema, item: object) -> object:
    fitting = _value(tool, name, schema, item)
    properties = schema.get("properties")
    if not isinstance(fitting, dict) or not isinstance(properties, Mapping):
        return cast("object", fitting)
    given = {key: value for key, value in cast("dict[str, Any]", fitting).items() if value is not None}
    required = cast("Sequence[str]", schema.get("required", ()))
    return fitted(f"{tool}: {name}", cast("Mapping[str, Schema]", properties), required, given)


def _as(wanted: str, value: object) -> tuple[bool, object]:
    """Whether a value is of this type, or can be without a loss, and then which it is."""
    match wanted:
        case "string":
            return isinstance(value, str), value
        case "boolean":
            word = value.strip().lower() if isinstance(value, str) else ""
            return isinstance(value, bool) or word in ("true", "false"), word == "true" if word else value
        case "integer" | "number":
            return _number(wanted, value)
        case "array" | "object":
            return _container(wanted, value)
        case _:
            return True, value


def _number(wanted: str, value: object) -> tuple[bool, object]:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value.strip().partition(".")[0])
    if isinstance(value, float) and wanted == "integer" and value.is_integer():
        value = int(value)
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and (wanted == "number" or isinstance(value, int)), value


def _container(wanted: str, value: object) -> tuple[bool, object]:
    """A list or an object, also one that was written as text; one thing where a list of them is wanted."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return False, value
    if wanted == "object":
        return isinstance(value, dict), value
    if isinstance(value, dict) or (isinstance(value, str) and value.strip()):
        return True, [cast("object", value)]
    return isinstance(value, list), cast("object", value)


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    kind = "text" if isinstance(value, str) else type(value).__name__
    return f"{kind} ({text if len(text) <= _SHOWN else text[:_SHOWN] + '…'})"

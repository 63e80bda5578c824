"""Parameter text to values, as the tool's JSON schema declares them; what does not fit stays text."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast

from qwen_lsp.model.messages import ToolSpec

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}
_NULLS = ("null", "None")
_LITERAL_LIMIT = 200_000
"""Python literals are read through a syntax tree, which takes some hundred bytes for each of theirs."""

Schema = Mapping[str, Any]


class Tools:
    """The tools of one request by name, with the parameters each declares."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._parameters: dict[str, Schema] = {}
        for tool in tools:
            function = _mapping(tool.get("function")) or tool
            name = function.get("name")
            if isinstance(name, str) and name:
                schema = function.get("parameters") or function.get("input_schema")
                self._parameters[name] = _mapping(schema) or {}
        self.names = list(self._parameters)

    def __contains__(self, name: str) -> bool:
        return name in self._parameters

    def declares(self, tool: str, parameter: str) -> bool:
        """Whether `<parameter=…>` may start a parameter here; any name may where the tool is open."""
        schema = self._parameters.get(tool)
        if schema is None or not parameter:
            return bool(parameter)
        properties = _mapping(schema.get("properties"))
        return not properties or parameter in properties or bool(schema.get("additionalProperties"))

    def is_text(self, tool: str, parameter: str) -> bool:
        """Whether the parameter's value can hold markup at all; a number or a flag cannot."""
        types = self._types(tool, parameter)
        return not types or any(kind not in ("integer", "number", "boolean", "null") for kind in types)

    def value(self, tool: str, parameter: str, text: str) -> object:
        """The parameter's value, of the first declared type that the text fits."""
        root = self._parameters.get(tool, {})
        declared = _mapping((_mapping(root.get("properties")) or {}).get(parameter))
        return text if declared is None else _convert(text, declared, root)

    def _types(self, tool: str, parameter: str) -> list[str]:
        root = self._parameters.get(tool, {})
        declared = _mapping((_mapping(root.get("properties")) or {}).get(parameter))
        return [] if declared is None else _types(declared, root, 0)


def _mapping(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _types(schema: Schema, root: Schema, depth: int) -> list[str]:
    """The JSON types a schema allows, in its order; empty when it does not say."""
    if depth > 8:
        return []
    found: list[str] = []
    declared = schema.get("type")
    for name in [declared] if isinstance(declared, str) else _list(declared):
        found.append(_normal(str(name)))
    for key in ("anyOf", "oneOf", "allOf"):
        for part in _list(schema.get(key)):
            if (branch := _mapping(part)) is not None:
                found += _types(branch, root, depth + 1)
    reference = schema.get("$ref")
    if isinstance(reference, str) and (target := _follow(reference, root)) is not None:
        found += _types(target, root, depth + 1)
    if not found:
        members = _list(schema.get("enum")) + ([schema["const"]] if "const" in schema else [])
        found += [_type_of(member) for member in members]
    if schema.get("nullable") is True:
        found.append("null")
    return list(dict.fromkeys(found))


def _follow(reference: str, root: Schema) -> dict[str, Any] | None:
    """The schema a local `#/$defs/…` reference means."""
    at: object = root
    if not reference.startswith("#/"):
        return None
    for key in reference[2:].split("/"):
        at = (_mapping(at) or {}).get(key)
    return _mapping(at)


def _normal(name: str) -> str:
    """JSON's name of a type; schemas in the field also say int32, float, dict, varchar…"""
    name = name.strip().lower()
    if name in ("string", "str", "text", "varchar", "char", "enum"):
        return "string"
    if name.startswith(("int", "uint", "long", "short", "unsigned")):
        return "integer"
    if name.startswith(("num", "float", "double", "decimal")):
        return "number"
    if name.startswith("bool") or name == "binary":
        return "boolean"
    if name == "object" or name.startswith("dict") or name == "map":
        return "object"
    if name.startswith(("arr", "list", "tuple", "set")):
        return "array"
    return "null" if name in ("null", "none", "nil") else name


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "number"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "string"


def _convert(text: str, schema: Schema, root: Schema) -> object:
    types = _types(schema, root, 0)
    if "null" in types and text.strip() in _NULLS:
        return None
    # A list or an object written where text would do as well is meant as one: nobody passes ["a", "b"]
    # as a path. Where only text is declared it is not even looked at.
    if "string" in types and text.lstrip()[:1] not in ("[", "{"):
        types = types[: types.index("string") + 1]
    elif "string" in types:
        types = [kind for kind in types if kind in ("array", "object")]
    for kind in types:
        fits, value = _as(kind, text)
        if fits:
            return value
    return text


def _as(kind: str, text: str) -> tuple[bool, object]:
    """Whether the text is a value of this type, and which."""
    word = text.strip()
    if kind == "string":
        return True, text
    if kind == "integer":
        if _INTEGER.fullmatch(word) and len(word) < 4000:
            return True, int(word)
        fits, value = _as("number", word)
        return fits and isinstance(value, int), value
    if kind == "number":
        if not _NUMBER.fullmatch(word) or not math.isfinite(number := float(word)):
            return False, None
        if _INTEGER.fullmatch(word) and len(word) < 4000:
            return True, int(word)
        return True, int(number) if number.is_integer() else number
    if kind == "boolean":
        return word.lower() in ("true", "false"), word.lower() == "true"
    if kind == "null":
        return word in _NULLS, None
    value = literal(word)
    if isinstance(value, str):
        # Encoded twice: a JSON string that holds the JSON.
        value = literal(value)
    wanted = {"array": list, "object": dict}.get(kind)
    return (isinstance(value, wanted) if wanted else value is not None), value


def literal(text: str) -> object:
    """The value of JSON or of a Python literal, also of a mixture; None when it is neither."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    if len(text) > _LITERAL_LIMIT:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return _plain(ast.parse(text.strip(), mode="eval").body)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _plain(node: ast.expr) -> object:
    """The value of a literal's syntax tree, as JSON could hold it; ValueError for anything else."""
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str()):
            return node.value
        case ast.Name(id=word) if word in _WORDS:
            return _WORDS[word]
        case ast.List() | ast.Tuple() | ast.Set():
            return [_plain(item) for item in node.elts]
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return {_key(key): _plain(value) for key, value in pairs}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case _:
            raise ValueError("not a literal")


def _key(node: ast.expr | None) -> str:
    key = None if node is None else _plain(node)
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise ValueError("not a key of an object")
    return str(key)

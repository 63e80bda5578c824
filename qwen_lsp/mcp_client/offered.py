"""The tools that a server offers, as its list says, and which of them can be lent to a model."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from qwen_lsp.mcp_client.launch import digest
from qwen_lsp.text.unseen import without_hidden

PREFIX = "mcp__"
LONGEST_NAME = 64
"""Characters that a function's name may have at most endpoints."""
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PARAMETER = re.compile(r"[A-Za-z0-9_.$-]{1,64}")
_LONGEST_DESCRIPTION = 1_500
_LARGEST_SCHEMA = 16_000
_DEEPEST = 16
_MOST_TOOLS = 128


@dataclass(frozen=True, slots=True)
class Offered:
    """One tool exactly as the server lists it."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(hash=False)
    """JSON schema of its arguments."""

    @property
    def digest(self) -> str:
        """Changes with every character of the name, the description and the schema."""
        return digest([self.name, self.description, self.schema])


@dataclass(frozen=True, slots=True)
class Lent:
    """One tool as a model gets it: hidden characters gone, references in its schema resolved."""

    name: str
    """Unique among all tools: `mcp__server__tool`."""
    offered: Offered
    description: str
    parameters: tuple[tuple[str, Mapping[str, Any]], ...]
    optional: frozenset[str]


def list_digest(tools: Sequence[Offered]) -> str:
    """Names a list of tools, whatever order the server lists them in."""
    return digest(sorted([tool.name, tool.digest] for tool in tools))


def changes(before: Sequence[Offered], after: Sequence[Offered]) -> list[str]:
    """What is different, a sentence each, in the order of names."""
    old, new = ({tool.name: tool for tool in tools} for tools in (before, after))
    said: list[str] = []
    for name in sorted({*old, *new}):
        if name not in old:
            said.append(f"{name} is new")
        elif name not in new:
            said.append(f"{name} is gone")
        elif old[name].digest != new[name].digest:
            parts = [
                part
                for part, differs in (
                    ("description", old[name].description != new[name].description),
                    ("arguments", digest(old[name].schema) != digest(new[name].schema)),
                )
                if differs
            ]
            said.append(f"{name} has another {' and other '.join(parts)}")
    return said


def shown(tools: Sequence[Offered]) -> str:
    """Every tool for a person, whole: a description is what a model will read."""
    return "\n\n".join(
        f"{tool.name}: {tool.description.strip()}\n"
        f"{json.dumps(tool.schema, ensure_ascii=False, sort_keys=True)}"
        for tool in sorted(tools, key=lambda tool: tool.name)
    )


def lent(server: str, tools: Sequence[Offered], taken: frozenset[str]) -> tuple[list[Lent], list[str]]:
    """The tools a model can be given, by name, and why others cannot, a sentence each."""
    given: list[Lent] = []
    refused: list[str] = []
    known = set(taken)
    for tool in sorted(tools, key=lambda tool: tool.name):
        name = f"{PREFIX}{server}__{tool.name}"
        if reason := _refusal(name, tool, known):
            refused.append(f"MCP server {server}: the tool {tool.name[:80]!r} is left out: {reason}.")
        elif len(given) == _MOST_TOOLS:
            refused.append(f"MCP server {server}: only its first {_MOST_TOOLS} tools are used.")
            break
        else:
            known.add(name)
            properties = cast("Mapping[str, Any]", tool.schema.get("properties") or {})
            required = cast("list[str]", tool.schema.get("required") or [])
            parameters = tuple((n, _plain(properties[n], tool.schema, 0)) for n in properties)
            text, _ = without_hidden(tool.description.strip())
            given.append(
                Lent(
                    name, tool, text[:_LONGEST_DESCRIPTION], parameters, frozenset(properties) - set(required)
                )
            )
    return given, refused


def _refusal(name: str, tool: Offered, known: set[str]) -> str | None:
    if not _NAME.fullmatch(tool.name) or len(name) > LONGEST_NAME:
        return "its name is not one that a model can call"
    if name in known or tool.name in known:
        return "there is a tool of this name already"
    if len(json.dumps(tool.schema)) > _LARGEST_SCHEMA:
        return "the schema of its arguments is too large"
    properties, required = tool.schema.get("properties", {}), tool.schema.get("required", [])
    if tool.schema.get("type") != "object" or not isinstance(properties, Mapping):
        return "its arguments are not described as an object"
    named = cast("Mapping[str, object]", properties)
    if not all(_PARAMETER.fullmatch(n) and isinstance(inner, Mapping) for n, inner in named.items()):
        return "an argument has a name or a schema that cannot be used"
    if not isinstance(required, list) or not all(n in named for n in cast("list[object]", required)):
        return "it requires an argument that it does not have"
    return None


def _plain(value: object, whole: Mapping[str, Any], depth: int) -> Any:
    """A part of a schema that stands by itself: `$ref` replaced by what it refers to, texts without what
    nobody sees. What refers to itself ends after a while and allows anything from there."""
    if depth > _DEEPEST:
        return {}
    if isinstance(value, Mapping):
        part = cast("Mapping[str, Any]", value)
        if isinstance(reference := part.get("$ref"), str):
            beside = {name: inner for name, inner in part.items() if name != "$ref"}
            return {
                **_plain(_referred(reference, whole), whole, depth + 1),
                **_plain(beside, whole, depth + 1),
            }
        return {name: _plain(inner, whole, depth + 1) for name, inner in part.items() if name != "$defs"}
    if isinstance(value, list):
        return [_plain(inner, whole, depth + 1) for inner in cast("list[object]", value)]
    return without_hidden(value)[0] if isinstance(value, str) else value


def _referred(reference: str, whole: Mapping[str, Any]) -> Mapping[str, Any]:
    found: object = whole
    for name in reference.removeprefix("#").split("/")[1:]:
        found = cast("Mapping[str, object]", found).get(name) if isinstance(found, Mapping) else None
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}

"""What the package of the VS Code extension says of the server: its settings, its version, its commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import SecretStr
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from qwen_lsp import __version__
from qwen_lsp.layers import GUARDS, OWN
from qwen_lsp.server.commands import COMMANDS
from qwen_lsp.settings import Settings

FOLDER = Path(__file__).resolve().parents[1] / "editors" / "vscode"
PACKAGE: dict[str, Any] = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
CONTRIBUTES: dict[str, Any] = PACKAGE["contributes"]
SHOWN: dict[str, dict[str, Any]] = {
    name: said for group in CONTRIBUTES["configuration"] for name, said in group["properties"].items()
}
OF_THE_CLIENT = ("qwen.server.", "qwen.trace.")
BOUNDS = {"Ge": "minimum", "Gt": "exclusiveMinimum", "Le": "maximum", "Lt": "exclusiveMaximum"}


def of_the_server() -> dict[str, FieldInfo]:
    """Every setting that an editor may set, by its name in VS Code.

    Left out is the API key, which no settings file should hold, and what only the user's own file can set.
    """
    found: dict[str, FieldInfo] = {}
    for group, info in Settings.model_fields.items():
        model: Any = info.annotation
        if not hasattr(model, "model_fields"):
            found[f"qwen.{to_camel(group)}"] = info
            continue
        fields: dict[str, FieldInfo] = model.model_fields
        for name, field in fields.items():
            if field.annotation is not SecretStr and GUARDS.get(f"{group}.{name}") is not OWN:
                found[f"qwen.{group}.{to_camel(name)}"] = field
    return found


def as_json_schema(field: FieldInfo) -> dict[str, Any]:
    """Type, default, choices and bounds as package.json says them."""
    annotation: Any = field.annotation
    default: Any = field.get_default(call_default_factory=True)
    schema: dict[str, Any] = {"default": [] if default == () else default}
    plain = {bool: "boolean", int: "integer", float: "number", str: "string"}
    if annotation in plain:
        schema["type"] = plain[annotation]
    elif get_origin(annotation) is tuple:
        schema |= {"type": "array", "items": {"type": "string"}}
    elif get_origin(annotation) is dict:
        schema["type"] = "object"
        if choices := get_args(get_args(annotation)[1]):
            schema["additionalProperties"] = {"type": "string", "enum": list(choices)}
    else:
        schema |= {"type": "string", "enum": list(get_args(annotation))}
    for item in field.metadata:
        if (bound := BOUNDS.get(type(item).__name__)) is not None:
            schema[bound] = getattr(item, type(item).__name__.lower())
    return schema


def test_every_setting_of_the_server_is_there_and_no_other() -> None:
    assert {name for name in SHOWN if not name.startswith(OF_THE_CLIENT)} == set(of_the_server())


@pytest.mark.parametrize("name", of_the_server())
def test_a_setting_has_the_servers_type_default_choices_and_bounds(name: str) -> None:
    said = SHOWN[name]
    told = {"scope", "order", "markdownDescription", "enumDescriptions"}
    assert {key: value for key, value in said.items() if key not in told} == as_json_schema(
        of_the_server()[name]
    )


@pytest.mark.parametrize("name", SHOWN)
def test_a_setting_is_described_and_has_a_scope(name: str) -> None:
    assert SHOWN[name]["markdownDescription"].endswith((".", ")"))
    assert SHOWN[name]["scope"] in {"machine", "machine-overridable", "window"}


def test_a_workspace_that_is_not_trusted_names_neither_program_nor_endpoint_nor_rights() -> None:
    restricted = set(PACKAGE["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"])
    assert PACKAGE["capabilities"]["untrustedWorkspaces"]["supported"] == "limited"
    guarded = ("qwen.server.", "qwen.endpoint.", "qwen.agent.")
    assert {name for name in SHOWN if name.startswith(guarded)} <= restricted <= set(SHOWN)


def test_no_workspace_says_where_text_is_sent() -> None:
    assert {SHOWN[name]["scope"] for name in SHOWN if name.startswith("qwen.endpoint.")} == {"machine"}


def test_the_extension_is_released_with_the_server_that_it_carries() -> None:
    assert PACKAGE["version"] == __version__


def test_no_command_of_the_extension_takes_the_name_of_one_of_the_servers() -> None:
    names = {command["command"] for command in CONTRIBUTES["commands"]}
    assert not names & set(COMMANDS)


def test_menus_keys_and_the_walkthrough_name_commands_that_there_are() -> None:
    names = {command["command"] for command in CONTRIBUTES["commands"]}
    entries = [entry for menu in CONTRIBUTES["menus"].values() for entry in menu]
    used = {entry["command"] for entry in [*entries, *CONTRIBUTES["keybindings"]] if "command" in entry}
    steps = [step for guide in CONTRIBUTES["walkthroughs"] for step in guide["steps"]]
    linked = {
        link.split(")")[0].split("?")[0]
        for step in steps
        for link in step["description"].split("](command:")[1:]
    }
    assert used - {"editor.action.inlineSuggest.trigger"} <= names  # the editor's own
    assert {name for name in linked if name.startswith("qwen")} <= names
    assert all((FOLDER / step["media"]["markdown"]).is_file() for step in steps)


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]

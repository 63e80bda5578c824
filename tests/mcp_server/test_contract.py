"""What a client is told of the tools: changing it changes what people have allowed and written rules for."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.mcp_server.catalog import ENTRIES
from qwen_lsp.model.tokens import count
from tests.mcp_server.conftest import KEY, lent, put

ARGUMENTS: dict[str, tuple[list[str], list[str]]] = {
    "pack_context": (["task", "place", "budget"], []),
    "find_symbol": (["name"], ["name"]),
    "references": (["name"], ["name"]),
    "outline": (["file_path"], ["file_path"]),
    "explain_file": (["file_path"], ["file_path"]),
    "repo_map": (["path", "budget"], []),
    "apply_edits": (["edits", "dry_run"], ["edits"]),
}


async def test_the_tools_their_arguments_and_what_they_may_do(project: Path) -> None:
    async with lent(project) as tools:
        listed = (await tools.client.list_tools()).tools
    told = {
        tool.name: (list(tool.input_schema["properties"]), tool.input_schema["required"]) for tool in listed
    }
    assert told == ARGUMENTS
    for tool in listed:
        hints = tool.annotations
        assert hints is not None
        assert hints.read_only_hint == (tool.name != "apply_edits")
        assert hints.destructive_hint == (tool.name == "apply_edits")
        assert hints.open_world_hint == (tool.name == "explain_file")
        assert tool.output_schema is None, "the result would be sent twice"


def test_what_the_tools_say_of_themselves_is_short() -> None:
    assert count("".join(str(entry.wire()) for entry in ENTRIES.values())) < 2_000
    assert all(len(entry.description) < 450 for entry in ENTRIES.values())


async def test_the_map_is_a_resource(project: Path) -> None:
    async with lent(project) as tools:
        [resource] = (await tools.client.list_resources()).resources
        assert (str(resource.uri), resource.mime_type) == ("qwen://map", "text/plain")
        assert await tools.map() == await tools.call("repo_map")


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("find", {}, "There is no tool 'find'. The tools are: pack_context, find_symbol, "),
        ("find_symbol", {}, "find_symbol needs name; got nothing."),
        ("find_symbol", {"name": 3}, "find_symbol: name must be of type string, not int (3)."),
        ("outline", {"file_path": "nope.py"}, "nope.py cannot be read: missing."),
        (
            "outline",
            {"file_path": "../x.py"},
            "'../x.py' leaves the workspace. Use a path inside the workspace.",
        ),
        ("outline", {"file_path": "/etc/passwd"}, "'/etc/passwd' is outside the workspace 'project'."),
        ("outline", {"file_path": "prices.py"}, "There is shop/prices.py."),
        ("explain_file", {"file_path": "shop/cart.py:99"}, "shop/cart.py ends at line 10."),
        ("pack_context", {}, "pack_context needs task, place, or both."),
        ("pack_context", {"task": "x", "budget": 3}, "budget must be from 500 to 200000, not 3."),
        ("pack_context", {"place": "shop/nope.py:3"}, "shop/nope.py cannot be read: missing."),
        ("repo_map", {"path": "shops"}, "No file that is listed here is below shops."),
        ("repo_map", {"budget": "many"}, "budget must be of type integer"),
        ("apply_edits", {"edits": [{"old_string": "x"}]}, "edits[1] needs file_path; got old_string."),
    ],
)
async def test_a_wrong_call_is_told_what_is_wrong(
    project: Path, tool: str, arguments: dict[str, object], said: str
) -> None:
    async with lent(project) as tools:
        assert said in await tools.refused(tool, **arguments)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("pack_context", {"task": "read the token in settings_of.py"}),
        ("pack_context", {"place": "settings_of.py:2"}),
        ("find_symbol", {"name": "TOKEN"}),
        ("references", {"name": "TOKEN"}),
        ("outline", {"file_path": "settings_of.py"}),
        ("explain_file", {"file_path": "settings_of.py"}),
        ("explain_file", {"file_path": "settings_of.py:1-3"}),
        ("repo_map", {}),
        (
            "apply_edits",
            {
                "edits": [{"file_path": "settings_of.py", "old_string": "def use", "new_string": "def used"}],
                "dry_run": True,
            },
        ),
    ],
)
async def test_no_answer_has_a_secret(project: Path, tool: str, arguments: dict[str, object]) -> None:
    put(
        project,
        "settings_of.py",
        f'"""Key {KEY}."""\n\nTOKEN = "{KEY}"\n\n\ndef use(key="{KEY}"):\n    TOKEN\n',
    )
    put(project, ".env", f"TOKEN={KEY}\n")
    async with lent(project) as tools:
        said = await tools.call(tool, **arguments)
    assert "settings_of.py" in said or "TOKEN" in said
    assert KEY not in said


@pytest.mark.parametrize("tool", ["outline", "explain_file"])
async def test_a_secret_file_is_withheld(project: Path, tool: str) -> None:
    put(project, ".env", f"TOKEN={KEY}\n")
    async with lent(project) as tools:
        said = await tools.refused(tool, file_path=".env")
    assert "withheld" in said
    assert KEY not in said


async def test_a_failed_edit_quotes_no_secret(project: Path) -> None:
    put(project, "keys.py", f'TOKEN = "{KEY}"\n')
    edit = {"file_path": "keys.py", "old_string": 'TOKEN = "sk-other"', "new_string": "x"}
    async with lent(project) as tools:
        said = await tools.refused("apply_edits", edits=[edit])
    assert "No edit was made" in said
    assert KEY not in said


async def test_an_ignored_file_is_in_no_answer_that_searches(project: Path) -> None:
    put(project, ".gitignore", "built/\n")
    put(project, "built/out.py", "from shop.prices import gross\n\ndef built_gross():\n    gross(1)\n")
    async with lent(project) as tools:
        answers = [
            await tools.call("find_symbol", name="gross"),
            await tools.call("references", name="gross"),
            await tools.call("repo_map"),
            await tools.call("pack_context", task="gross"),
        ]
    assert not any("built/out" in answer or "built_gross" in answer for answer in answers)

"""`apply_edits`: many files as one, all of it or nothing, and back again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.cli.agent_runs_command import undone
from qwen_lsp.runs import landing
from qwen_lsp.settings import Settings
from tests.mcp_server.conftest import FILES, Lent, lent, put, tree

Edits = list[dict[str, Any]]

RENAME: Edits = [
    {"file_path": "shop/prices.py", "old_string": "def gross(", "new_string": "def with_tax("},
    {"file_path": "shop/cart.py", "old_string": "import gross", "new_string": "import with_tax"},
    {"file_path": "shop/cart.py", "old_string": "sum(gross(", "new_string": "sum(with_tax("},
    {"file_path": "docs/changes.md", "content": "# Changes\n\n`gross` is `with_tax`.\n"},
    {"file_path": "README.md", "move_to": "docs/README.md"},
    {"file_path": "shop/__init__.py", "delete": True},
]


async def test_edits_of_many_files_are_made_as_one_and_taken_back_as_one(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with lent(project) as tools:
        said = await tools.call("apply_edits", edits=RENAME)
        assert "with_tax" in await tools.call("find_symbol", name="with_tax")
    assert said == (
        "Written, 5 files. `qwen-lsp agent undo` takes it back.\n"
        "Edited shop/prices.py (line 6).\nEdited shop/cart.py (line 1).\nEdited shop/cart.py (line 9).\n"
        "Created docs/changes.md.\nMoved README.md to docs/README.md.\nDeleted shop/__init__.py."
    )
    assert tree(project) == {
        "shop/prices.py": FILES["shop/prices.py"].replace("gross", "with_tax"),
        "shop/cart.py": FILES["shop/cart.py"].replace("gross", "with_tax"),
        "docs/changes.md": "# Changes\n\n`gross` is `with_tax`.\n",
        "docs/README.md": "# A shop\n",
    }
    assert await undone(project, "") == 0
    assert "shop/cart.py" in capsys.readouterr().out
    assert tree(project) == FILES


async def test_one_that_fails_leaves_all_files_and_each_failure_is_told(project: Path) -> None:
    wrong: Edits = [
        *RENAME,
        {"file_path": "shop/prices.py", "old_string": "TAX = 20", "new_string": "TAX = 21"},
        {"file_path": "shop/nope.py", "old_string": "x", "new_string": "y"},
    ]
    async with lent(project) as tools:
        said = await tools.refused("apply_edits", edits=wrong)
    assert said.startswith("No edit was made. Edit 7 of 8 (shop/prices.py) failed: old_string was not found.")
    assert "TAX = 19" in said
    assert "Edit 8 of 8 (shop/nope.py) failed: shop/nope.py cannot be read: missing." in said
    assert tree(project) == FILES


async def test_a_dry_run_shows_the_diff_and_writes_nothing(project: Path) -> None:
    async with lent(project) as tools:
        said = await tools.call("apply_edits", edits=RENAME, dry_run=True)
    assert said.startswith("Not written (dry_run). It would be:\nEdited shop/prices.py (line 6).\n")
    assert "-from shop.prices import gross\n+from shop.prices import with_tax\n" in said
    assert "rename from README.md\nrename to docs/README.md\n" in said
    assert tree(project) == FILES


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".git/hooks/pre-commit",
        ".vscode/tasks.json",
        ".github/workflows/ci.yml",
        "conftest.py/../.git/x",
    ],
)
async def test_what_the_agent_may_not_write_is_refused_with_all_that_came_with_it(
    project: Path, path: str
) -> None:
    async with lent(project) as tools:
        said = await tools.refused("apply_edits", edits=[*RENAME, {"file_path": path, "content": "x\n"}])
    assert "may not be changed by tools" in said
    assert tree(project) == FILES


async def test_what_a_person_would_be_asked_about_is_left_to_the_person(project: Path) -> None:
    async with lent(project) as tools:
        said = await tools.refused(
            "apply_edits", edits=[*RENAME, {"file_path": ".gdbinit", "content": "x\n"}]
        )
    assert ".gdbinit may not be changed by apply_edits: It runs when a program is started here." in said
    assert tree(project) == FILES


async def test_a_folder_is_moved_with_nothing_in_it_that_may_not_be_written(project: Path) -> None:
    put(project, "shop/.gdbinit", "x\n")
    before = tree(project)
    async with lent(project) as tools:
        said = await tools.refused("apply_edits", edits=[{"file_path": "shop", "move_to": "store"}])
    assert "shop/.gdbinit may not be changed" in said
    assert tree(project) == before


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({}, "must have exactly one of: old_string with new_string, content, move_to, delete; it has none."),
        ({"old_string": "a"}, "has old_string and no new_string."),
        ({"new_string": "a"}, "it has none"),
        ({"content": "a", "new_string": "b"}, "has new_string and no old_string."),
        (
            {"content": "a", "delete": True},
            "it has content, delete. Do several things to a file with several",
        ),
        ({"old_string": "a", "new_string": "b", "mode": 1}, "edits[1] has no mode; it takes file_path, "),
    ],
)
async def test_an_entry_that_says_too_much_or_too_little_is_refused(
    project: Path, edit: dict[str, Any], said: str
) -> None:
    async with lent(project) as tools:
        assert said in await tools.refused("apply_edits", edits=[{"file_path": "README.md", **edit}])
    assert tree(project) == FILES


async def test_edits_that_are_there_already_write_nothing(project: Path) -> None:
    async with lent(project) as tools:
        said = await tools.call("apply_edits", edits=[{"file_path": "README.md", "content": "# A shop\n"}])
    assert said.startswith("Nothing to write: the files are like this already.")


async def test_a_person_who_lets_nothing_be_changed_is_heard(project: Path) -> None:
    settings = Settings.model_validate({"agent": {"mode": "plan"}})
    async with lent(project, settings=settings) as tools:
        assert "agent.mode is plan" in await tools.refused("apply_edits", edits=RENAME)
        assert "Not written" in await tools.call("apply_edits", edits=RENAME, dry_run=True)
    assert tree(project) == FILES


async def test_an_edit_is_made_on_what_the_file_is_now(project: Path) -> None:
    async with lent(project) as tools:
        await tools.call("find_symbol", name="gross")
        put(project, "README.md", "# A larger shop\n")
        await tools.call(
            "apply_edits", edits=[{"file_path": "README.md", "old_string": "larger", "new_string": "small"}]
        )
    assert tree(project)["README.md"] == "# A small shop\n"


async def test_a_file_that_somebody_changes_meanwhile_is_not_overwritten(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = landing.fitted

    async def after_somebody(*arguments: Any) -> Any:
        put(project, "shop/prices.py", "def net(): ...\n")
        return await fitted(*arguments)

    monkeypatch.setattr(landing, "fitted", after_somebody)
    async with lent(project) as tools:
        said = await tools.refused("apply_edits", edits=RENAME)
    assert "shop/prices.py" in said
    assert "Nothing was" in said
    assert tree(project) == {**FILES, "shop/prices.py": "def net(): ...\n"}


async def test_calls_at_the_same_time_both_land(project: Path) -> None:
    async def write(tools: Lent, name: str) -> str:
        return await tools.call("apply_edits", edits=[{"file_path": name, "content": f"# {name}\n"}])

    async with lent(project) as tools:
        await asyncio.gather(*(write(tools, f"docs/{number}.md") for number in range(5)))
    assert tree(project) == {**FILES, **{f"docs/{number}.md": f"# docs/{number}.md\n" for number in range(5)}}

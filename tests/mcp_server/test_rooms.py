"""Which folders are the workspace, and that the index follows what happens in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp_types import ListRootsResult, Root, RootsListChangedNotification

from qwen_lsp.mcp_server.rooms import refusal
from tests.mcp_server.conftest import lent, put, tree


class Folders:
    """A client that says in which folders it works."""

    def __init__(self, *roots: Path) -> None:
        self.roots = roots

    async def __call__(self, context: object) -> ListRootsResult:
        return ListRootsResult(roots=[Root.model_validate({"uri": root.as_uri()}) for root in self.roots])


@pytest.fixture
def other(tmp_path: Path) -> Path:
    root = tmp_path / "other"
    put(root, "till.py", "def ring():\n    pass\n")
    return root


async def test_without_a_word_of_the_client_it_is_the_current_folder(project: Path) -> None:
    async with lent(here=project) as tools:
        assert "shop/prices.py" in await tools.call("find_symbol", name="gross")


async def test_the_clients_folders_go_before_the_current_one(project: Path, other: Path) -> None:
    async with lent(here=project, list_roots_callback=Folders(other)) as tools:
        assert await tools.call("find_symbol", name="ring") == "till.py:1-2 (function)\ndef ring():"
        assert "No definition" in await tools.call("find_symbol", name="gross")


async def test_a_client_that_changes_its_folders_is_followed(project: Path, other: Path) -> None:
    folders = Folders(other)
    async with lent(here=project, list_roots_callback=folders) as tools:
        await tools.call("find_symbol", name="ring")
        folders.roots = (project,)
        await tools.client.session.send_notification(RootsListChangedNotification())
        assert "shop/prices.py" in await tools.call("find_symbol", name="gross")


async def test_several_folders_are_all_asked_and_each_keeps_its_edits(project: Path, other: Path) -> None:
    async with lent(here=project, list_roots_callback=Folders(project, other)) as tools:
        said = await tools.call("find_symbol", name="ring")
        assert said == (
            f"# {project}\nNo definition of 'ring' or a name like it.\n\n"
            f"# {other}\ntill.py:1-2 (function)\ndef ring():"
        )
        assert "ring" in await tools.call("outline", file_path="till.py")
        till = {"file_path": f"{other}/till.py", "old_string": "ring", "new_string": "chime"}
        prices = {"file_path": "shop/prices.py", "old_string": "TAX = 19", "new_string": "TAX = 7"}
        assert "different workspaces" in await tools.refused("apply_edits", edits=[till, prices])
        assert "Edited till.py" in await tools.call("apply_edits", edits=[till])
        assert "Edited shop/prices.py" in await tools.call("apply_edits", edits=[prices])
    assert tree(other) == {"till.py": "def chime():\n    pass\n"}


async def test_a_home_is_no_workspace_and_the_refusal_says_what_to_do(own_user_folders: Path) -> None:
    async with lent(here=own_user_folders) as tools:
        said = await tools.refused("find_symbol", name="x")
    assert f"{own_user_folders} is your home folder" in said
    assert '"args": ["mcp", "/path/to/project"]' in said


def test_what_is_above_a_home_is_no_workspace_either(own_user_folders: Path, project: Path) -> None:
    assert "above your home folder" in (refusal(Path("/")) or "")
    assert "above your home folder" in (refusal(own_user_folders.parent) or "")
    assert "is not a folder" in (refusal(project / "README.md") or "")
    assert refusal(project) is None


async def test_a_folder_reached_by_a_link_is_the_folder(project: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    async with lent(project) as tools:
        assert "Cart" in await tools.call("outline", file_path=str(link / "shop/cart.py"))
        assert "3 files in shop." in await tools.call("repo_map", path=str(link / "shop"))
        edit = {"file_path": str(link / "new.md"), "content": "new\n"}
        assert "Created new.md." in await tools.call("apply_edits", edits=[edit])
        assert "outside the workspace" in await tools.refused("outline", file_path=str(tmp_path / "x.py"))


async def test_what_a_client_writes_itself_is_in_the_next_answer(project: Path) -> None:
    async with lent(project) as tools:
        await tools.call("find_symbol", name="gross")
        put(project, "shop/refunds.py", "def refund(): ...\n")
        put(project, "shop/prices.py", "def net(): ...\n")
        (project / "shop/cart.py").unlink()
        assert "shop/refunds.py:1" in await tools.call("find_symbol", name="refund")
        assert "shop/prices.py:1" in await tools.call("find_symbol", name="net")
        assert "No definition" in await tools.call("find_symbol", name="Cart")
        assert "No definition" in await tools.call("find_symbol", name="gross")


async def test_a_call_during_the_indexing_waits_and_is_told_how_far_it_is(project: Path) -> None:
    for number in range(400):
        put(project, f"many/m_{number}.py", "".join(f"def f_{number}_{i}(): ...\n" for i in range(60)))
    async with lent(project) as tools:
        assert "many/m_399.py" in await tools.call("find_symbol", name="f_399_59")
    assert all(said.startswith("Indexing project: ") for said in tools.told)

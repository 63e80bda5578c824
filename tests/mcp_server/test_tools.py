"""What the tools that look answer, on a small project."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.model.tokens import count
from tests.mcp_server.conftest import lent, put
from tests.support.endpoint import ScriptedEndpoint


async def test_symbols_references_and_outlines(project: Path) -> None:
    async with lent(project) as tools:
        assert await tools.call("find_symbol", name="gross") == (
            "shop/prices.py:6-8 (function)\ndef gross(net: int) -> int:"
        )
        assert await tools.call("references", name="gross") == (
            "shop/cart.py:1: from shop.prices import gross\n"
            "shop/cart.py:9: return sum(gross(item) for item in self.items)\n"
            "shop/prices.py:6: def gross(net: int) -> int:"
        )
        assert "    def total(self) -> int: ..." in await tools.call("outline", file_path="shop/cart.py")


async def test_an_argument_may_have_the_name_that_a_model_gives_it(project: Path) -> None:
    async with lent(project) as tools:
        assert "Cart" in await tools.call("outline", path="shop/cart.py")
        assert "gross" in await tools.call("find_symbol", symbol="gross")


async def test_context_at_a_line_has_the_line_and_what_it_builds_on_with_the_reasons(project: Path) -> None:
    async with lent(project) as tools:
        said = await tools.call("pack_context", place="shop/cart.py:9")
    receipt, _, code = said.partition("\n\n")
    assert "- shop/cart.py (whole): line 9 is asked about" in receipt
    assert "- shop/prices.py (whole): " in receipt
    assert "## shop/prices.py\n" in code
    assert "return net * (100 + TAX) // 100" in code


async def test_context_for_a_task_begins_at_what_the_task_names(project: Path) -> None:
    async with lent(project) as tools:
        said = await tools.call("pack_context", task="make `gross` round up")
    assert "- shop/prices.py (whole): defines `gross`, named in the task" in said


async def test_the_file_that_a_task_is_about_is_shown(project: Path) -> None:
    async with lent(project) as tools:
        said = await tools.call("pack_context", task="say more", place="README.md")
    assert "- README.md (whole): open or given with the task" in said


@pytest.mark.parametrize("budget", [500, 700])
async def test_context_and_its_receipt_keep_to_the_budget(project: Path, budget: int) -> None:
    for number in range(60):
        body = "".join(f"def price_{number}_{line}(net):\n    return gross(net)\n\n" for line in range(8))
        put(project, f"shop/more_{number}.py", f"from shop.prices import gross\n\n{body}")
    async with lent(project) as tools:
        by_task = await tools.call("pack_context", task="change `gross`", budget=budget)
        by_place = await tools.call("pack_context", place="shop/more_7.py:4", budget=budget)
    for said in (by_task, by_place):
        assert budget // 2 < count(said) <= budget
        assert "- no room for " in said


async def test_a_large_file_is_shown_around_the_line(project: Path) -> None:
    body = "".join(f"def f_{number}():\n    return {number}\n\n" for number in range(2_000))
    put(project, "large.py", body)
    async with lent(project) as tools:
        said = await tools.call("pack_context", place="large.py:3002", budget=2_000)
    assert "def f_1000():\n    return 1000" in said
    assert "large.py (excerpt): line 3002 is asked about" in said


async def test_the_map_has_what_others_build_on_first(project: Path) -> None:
    async with lent(project) as tools:
        said = await tools.call("repo_map")
        inside = await tools.call("repo_map", path="shop")
    assert said.startswith("4 files in this workspace.\n\nshop/ 3\n")
    assert said.index(
        "shop/prices.py (1 user): What things cost.\n6: def gross(net: int) -> int\n"
    ) < said.index(
        "shop/cart.py\n4: class Cart\n5:   def __init__(self) -> None\n8:   def total(self) -> int\n"
    )
    assert inside.startswith("3 files in shop.\n")


async def test_without_a_model_a_file_is_explained_from_the_index(project: Path) -> None:
    async with lent(project) as tools:
        whole = await tools.call("explain_file", file_path="shop/prices.py")
        part = await tools.call("explain_file", file_path="shop/cart.py:8-9")
    assert whole.startswith("From the index: no model is configured.\n")
    assert "`shop/cart.py`: `gross`" in whole
    assert "## The selection: lines 8 to 9, in `Cart.total`" in part


async def test_a_model_explains_where_there_is_one_and_the_index_where_it_fails(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ScriptedEndpoint(kind="vllm") as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.base_url)
        monkeypatch.setenv("OPENAI_MODEL", endpoint.model)
        endpoint.reply("It counts **cents**.")
        endpoint.reply(status=400, body=b'{"error": {"message": "no such thing"}}')
        async with lent(project) as tools:
            said = await tools.call("explain_file", file_path="shop/prices.py")
            failed = await tools.call("explain_file", file_path="shop/prices.py")
        assert said == f"By {endpoint.model}.\n\nIt counts **cents**."
        assert "Explaining" in tools.told
        assert failed.startswith("From the index: the model could not be asked (")
        assert "no such thing" in failed
        assert "`def gross(net: int) -> int` (line 6)" in failed

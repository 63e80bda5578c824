"""A warm pack says what a cold one says: what is remembered between two of them is never what has changed."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from qwen_lsp.context.collector import collector_waits
from qwen_lsp.context.pack import pack
from qwen_lsp.context.page import Page
from qwen_lsp.context.rank import rank
from qwen_lsp.context.render import Pack, receipt, render
from qwen_lsp.context.rest import rest_of_workspace
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.tokens import count
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace

FILES = """
#- shop/money.py
class Price:
    def times(self, n): ...
#- shop/base.py
class Sellable:
    def sold(self): ...
#- shop/model.py
from shop.base import Sellable
class Item(Sellable):
    def total(self): ...
#- main.py
from shop.model import Item

def main():
    item = Item()
    item.total()
    <CURSOR>
#- notes.md
# Item
"""


def packed(snapshot: Snapshot, path: RelPath, offset: int, gate: Gate, budget: int = 60_000) -> Pack:
    return pack(snapshot, rank(snapshot, path, offset, limit=5_000), budget=budget, count=count, gate=gate)


def said(result: Pack) -> tuple[str, object]:
    return render(result), receipt(result)


def test_edits_here_and_elsewhere_change_a_warm_pack_as_they_change_a_cold_one(tmp_path: Path) -> None:
    place = workspace(FILES, tmp_path / "warm")
    gate, path = Gate(None), place.path
    here = place.texts[path]
    now = place.snapshot
    steps = [
        (path, here.replace("item.total()", "item.sold()")),
        (path, f"from shop.money import Price\n{here}Price().times(2)\n"),
        (path, f"class Sellable:\n    def mine(self): ...\n{here}"),
        (
            RelPath("shop/base.py"),
            "class Sellable:\n    def sold(self, when): ...\n    def total(self): ...\n",
        ),
        (RelPath("shop/extra.py"), "def total(a, b): ...\n"),
        (RelPath("shop/money.py"), None),
        (path, here),
    ]
    packed(now, path, place.offset, gate)
    for number, (changed, text) in enumerate(steps):
        now = now.edited(changed, text)
        cold = workspace(FILES, tmp_path / f"cold{number}").snapshot
        for edited, buffer in now.buffers.items():
            cold = cold.edited(edited, buffer.text)
        expected = said(packed(cold, path, place.offset, Gate(None)))
        assert said(packed(now, path, place.offset, gate)) == expected, number


def test_a_file_written_a_moment_ago_is_shown_as_it_is_now(tmp_path: Path) -> None:
    """Costs are those of the content that the index knows, until the file is about to be shown."""
    place = workspace(FILES, tmp_path)
    gate = Gate(None)
    packed(place.snapshot, place.path, place.offset, gate)
    (tmp_path / "shop/money.py").write_text("class Price:\n    def renamed(self, n): ...\n" * 40)
    (tmp_path / "shop/base.py").unlink()
    result = packed(place.snapshot, place.path, place.offset, gate)
    assert "renamed" in render(result)
    assert "def times" not in render(result)
    assert ("shop/base.py", "cannot be read") in result.left_out
    assert result.tokens == count(render(result))


def test_the_rest_of_a_workspace_has_every_other_file_once_the_nearest_first(tmp_path: Path) -> None:
    place = workspace(FILES, tmp_path)
    snapshot = place.snapshot.edited(RelPath("shop/new.py"), "x = 1\n").edited(RelPath("main.py"), None)
    found = rest_of_workspace(snapshot, RelPath("shop/model.py"), "python", 9)
    assert [c.path for c in found] == ["shop/base.py", "shop/money.py", "shop/new.py", "notes.md"]
    assert [c.why for c in found][-2:] == ["in the same folder", "in this workspace"]
    assert rest_of_workspace(snapshot, RelPath("shop/model.py"), "python", 2) == found[:2]


@pytest.fixture
def looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Page, Snapshot, Path]:
    """A page that was found to be what the index knows, of whose text nothing is remembered; and its file."""
    place = workspace("#- code.py\ndef two(a, b): ...\n", tmp_path)
    path, gate = RelPath("code.py"), Gate(None)
    assert Page(place.snapshot, path, count, gate).whole_tokens
    page = Page(place.snapshot, path, count, gate, check=False)
    page.confirm()
    for memory in ("_TEXTS", "_LINES", "_OUTLINES"):
        monkeypatch.setattr(f"qwen_lsp.context.texts.{memory}", Memory[object](1))
    return page, place.snapshot, tmp_path / path


def test_a_secret_written_after_the_gate_has_looked_does_not_pass(
    looked_at: tuple[Page, Snapshot, Path],
) -> None:
    page, _, file = looked_at
    file.write_text('key = "ghp_' + "a1B2" * 9 + '"\n')
    assert (page.text, page.problem) == ("", "cannot be read")


def test_a_file_that_is_gone_for_a_moment_leaves_nothing_wrong_behind(
    looked_at: tuple[Page, Snapshot, Path],
) -> None:
    page, snapshot, file = looked_at
    away = file.rename(file.with_suffix(".away"))
    assert (page.header_tokens(0), page.outline_tokens, page.outline) == (0, 0, "")
    away.rename(file)
    again = Page(snapshot, page.path, count, Gate(None))
    assert again.header_tokens(0) == count("def two(a, b): ...\n")
    assert "def two" in again.outline
    assert again.outline_tokens > 0


def test_the_collector_goes_on_after_the_last_of_several_threads() -> None:
    assert gc.isenabled()
    first, second = collector_waits(), collector_waits()
    first.__enter__()
    second.__enter__()
    assert not gc.isenabled()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()

"""The map of a repository: what is on it, and that it is never larger than asked."""

from __future__ import annotations

import pytest

from qwen_lsp.features.repository_map import repository_map
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.tokens import count
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace

SHOP = '''
#- shop/prices.py
"""What things cost. And more."""
TAX = 19
def gross(net: int) -> int:
    return net
def _round():
    pass
#- shop/cart.py
from shop.prices import gross
class Cart:
    def __init__(self, owner):
        pass
    def total(self):
        pass
    def _sum(self):
        pass
#- shop/__init__.py
#- tests/test_cart.py
from shop.cart import Cart
def test_total():
    pass
#- docs/read.md
# Read
'''


def mapped(snapshot: Snapshot, budget: int = 2_000, folder: str = "") -> str:
    return repository_map(snapshot, budget=budget, count=count, gate=Gate(None), folder=folder)


def test_folders_first_then_files_by_what_hangs_on_them() -> None:
    assert mapped(workspace(SHOP).snapshot) == (
        "5 files in this workspace.\n\ndocs/ 1\nshop/ 3\ntests/ 1\n"
        "\nFiles of code, the most central first (line: what is defined there):\n\n"
        "shop/prices.py (1 user): What things cost.\n3: def gross(net: int) -> int\n"
        "shop/cart.py (1 user)\n2: class Cart\n3:   def __init__(self, owner)\n5:   def total(self)\n"
        "tests/test_cart.py\n2: def test_total()\n"
    )


def test_one_folder() -> None:
    said = mapped(workspace(SHOP).snapshot, folder="shop")
    assert said.startswith("3 files in shop.\n")
    assert "tests/" not in said
    assert mapped(workspace(SHOP).snapshot, folder="nowhere") == ""


def test_a_file_with_nothing_public_shows_what_it_has() -> None:
    assert "1: def _only(): ...\n" in mapped(workspace("#- a.py\ndef _only(): ...\n").snapshot)


@pytest.mark.parametrize("budget", [100, 137, 300, 1_000, 5_000])
def test_never_larger_than_asked_and_full_where_there_is_enough_to_show(budget: int) -> None:
    many = "".join(
        f"#- part_{number % 7}/m_{number}.py\nimport m_0\n"
        + "".join(f"def does_{number}_{line}(first: int, second: str) -> None: ...\n" for line in range(30))
        for number in range(150)
    )
    tokens = count(mapped(workspace(many).snapshot, budget))
    assert 0.8 * budget < tokens <= budget


def test_a_larger_map_shows_more_of_each_file() -> None:
    body = "".join(f"def does_{line}(): ...\n" for line in range(20))
    snapshot = workspace("".join(f"#- m_{number}.py\n{body}" for number in range(20))).snapshot
    assert mapped(snapshot, 400).count("def does") < mapped(snapshot, 1_600).count("def does")


def test_a_line_with_a_secret_is_shown_without_it_and_a_secret_file_not_at_all() -> None:
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ"
    said = mapped(workspace(f'#- a.py\ndef use(key="{key}"): ...\n#- .env\nTOKEN=1\n').snapshot)
    assert "def use(" in said
    assert key not in said
    assert said.startswith("1 file in this workspace.")

"""The workspace that the editors of these tests open."""

from __future__ import annotations

from pathlib import Path

import pytest

FILES = {
    "shop/__init__.py": "",
    "shop/prices.py": '''"""Prices."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Money:
    cents: int
    currency: str


def discounted(price: Money, percent: int) -> Money:
    """The price less so many per cent."""
    return Money(price.cents * (100 - percent) // 100, price.currency)
''',
    "shop/cart.py": '''"""The cart."""

import logging

from shop.prices import Money, discounted

logger = logging.getLogger(__name__)


def total(lines: list[Money]) -> Money:
    logger.info("summed %d lines of the cart", len(lines))
    return Money(sum(line.cents for line in lines), "EUR")
''',
    **{
        f"shop/step{n}.py": f"""import logging

logger = logging.getLogger(__name__)


def step{n}(lines: list[int]) -> None:
    logger.info("summed %d lines of the cart", len(lines))
"""
        for n in range(4)
    },
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A small workspace outside any repository."""
    root = tmp_path / "work" / "shop-project"
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root

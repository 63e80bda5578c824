"""Dividing a window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_lsp.context.budget import TEMPLATE_MARGIN, divide
from qwen_lsp.errors import BudgetTooSmall


@given(
    st.integers(1_000, 1_000_000), st.integers(0, 900), st.integers(256, 100_000), st.integers(0, 1_000_000)
)
def test_the_parts_fit_the_window(window: int, fixed: int, reply: int, wanted: int) -> None:
    try:
        got = divide(window, fixed=fixed, reply=reply, wanted=wanted)
    except BudgetTooSmall:
        assert window - fixed - TEMPLATE_MARGIN < 256
        return
    assert got.fixed + got.context + got.reply + TEMPLATE_MARGIN <= window
    assert 0 <= got.context <= wanted
    assert 0 < got.reply <= reply


def test_too_small_a_window_says_the_figures() -> None:
    with pytest.raises(BudgetTooSmall, match="2,000"):
        divide(2_000, fixed=1_900, reply=500, wanted=10)

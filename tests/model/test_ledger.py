"""The ledger adds up what was used, and money only where a price is known."""

from __future__ import annotations

import pytest

from qwen_lsp.errors import SettingsError
from qwen_lsp.layers import load
from qwen_lsp.model.ledger import Ledger, Price, prices_of
from qwen_lsp.model.messages import Usage


def test_sums_for_each_purpose_and_together() -> None:
    ledger = Ledger()
    ledger.record("chat", "m", Usage(100, 10, 60), seconds=2.0)
    ledger.record("completion", "m", Usage(50, 5, estimated=True), seconds=0.5, outcome="cancelled")
    ledger.record("completion", "m", Usage(), seconds=0.1, outcome="failed")
    totals = ledger.totals()
    assert totals.by_purpose["chat"].usage == Usage(100, 10, 60)
    assert totals.by_purpose["completion"].requests == 2
    assert (totals.all.requests, totals.all.cancelled, totals.all.failed) == (3, 1, 1)
    assert totals.all.usage == Usage(150, 15, 60, estimated=True)
    assert totals.all.seconds == pytest.approx(2.6)
    assert totals.all.cost is None


def test_money_for_models_with_a_price() -> None:
    ledger = Ledger({"qwen3-coder": Price(1.0, 5.0), "qwen3-coder-plus": Price(2.0, 10.0, cached=0.2)})
    ledger.record("chat", "qwen3-coder-plus-latest", Usage(1_000_000, 100_000, 500_000), seconds=1)
    assert ledger.totals().all.cost == pytest.approx(1.0 + 0.1 + 1.0)
    ledger.record("chat", "unknown", Usage(1_000_000, 0), seconds=1)
    ledger.record("chat", "qwen3-coder-flash", Usage(1_000_000, 0, 9_000_000), seconds=1)
    assert ledger.totals().all.cost == pytest.approx(2.1 + 1.0)


def test_the_price_table_is_a_setting() -> None:
    settings = load(
        {"endpoint": {"prices": {"Qwen/Coder": {"input": 1, "output": 5.0, "cached": 0.1}}}}, environ={}
    )
    assert prices_of(settings.endpoint.prices) == {"Qwen/Coder": Price(1.0, 5.0, 0.1)}


@pytest.mark.parametrize("row", [{"input": -1}, {"input": "much"}, {"prize": 1}, 3])
def test_a_wrong_price_is_named(row: object) -> None:
    with pytest.raises(SettingsError, match=r"endpoint\.prices\.m"):
        load({"endpoint": {"prices": {"m": row}}}, environ={})


def test_other_prices_count_from_now_on() -> None:
    ledger = Ledger({"m": Price(1.0)})
    ledger.record("chat", "m", Usage(1_000_000), seconds=1)
    ledger.reprice({"m": Price(3.0)})
    assert ledger.cost("m", Usage(1_000_000)) == pytest.approx(3.0)
    assert ledger.cost("other", Usage(1_000_000)) is None
    assert ledger.totals().all.cost == pytest.approx(1.0)

"""What a person writes while a run goes on and lands in the same files is never lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench.bystander import CLIENTS, in_editor, on_disk


async def test_nothing_is_lost_where_a_run_is_written_to_disk(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    await on_disk(40, tmp_path, counts)
    assert counts["lost"] == 0
    assert counts["changed by a refused landing"] == 0
    # Or the cases say nothing.
    assert min(counts["landed"], counts["conflicts"], counts["undone"], counts["tokens"]) > 5


@pytest.mark.parametrize("kind", list(CLIENTS))
async def test_nothing_is_lost_where_a_run_lands_in_an_editor(tmp_path: Path, kind: str) -> None:
    counts: Counter[str] = Counter()
    await in_editor(kind, 8, tmp_path, counts, first=100)
    assert counts["lost"] == 0
    assert counts["landed"] > 0

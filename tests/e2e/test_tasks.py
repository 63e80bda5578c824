"""The agent on whole tasks: the real program, scripted replies, and tests that the agent never saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tasks import Task, carry_out, tasks

TASKS = tasks()


def test_there_are_enough_tasks() -> None:
    assert len(TASKS) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("native", [True, False], ids=["calls", "text"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
async def test_it_lands_and_passes(task: Task, native: bool, tmp_path: Path) -> None:
    if task.lacking:
        pytest.skip(f"{', '.join(task.lacking)} is not installed")
    done = await carry_out(task, tmp_path, native=native)
    assert not done.passed_before, "its tests pass without the change"
    assert (done.status, done.result.get("ended"), done.passed) == (0, "done", True), done.said

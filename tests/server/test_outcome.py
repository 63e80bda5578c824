"""What came of a command, in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from qwen_lsp.server.outcome import sentence


def files(*ways: str) -> list[dict[str, str]]:
    return [{"path": f"{at}.py", "state": "applied", "way": way} for at, way in enumerate(ways)]


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("qwen.edit", {"files": [], "changes": ["a", "b"]}, "2 files to look at"),
    ("qwen.edit", {"files": [], "changes": []}, "Nothing is to be changed"),
    (
        "qwen.edit",
        {"files": files("editor"), "changes": [{}]},
        "1 file changed (save the one that is open)",
    ),
    ("qwen.edit", {"files": files("editor"), "problem": "it was refused"}, "it was refused"),
    ("qwen.landEdit", {"files": files("editor", "disk")}, "2 files changed (save the one that is open)"),
    ("qwen.landEdit", {"files": []}, "Nothing was left to change"),
    ("qwen.act", {"files": files("disk")}, "1 file changed"),
    ("qwen.undoEdit", {"files": files("editor", "disk")}, "2 files as before"),
    ("qwen.undoEdit", {"files": []}, "All was as before already"),
    ("qwen.commitEdit", {"commit": {"subject": "Rename net"}}, "Committed: Rename net"),
    ("qwen.commitEdit", {"commit": None, "problem": "it was refused"}, "it was refused"),
    ("qwen.commitEdit", {"commit": {"subject": "A"}, "problem": "no push"}, "Committed: A; no push"),
    ("qwen.stopEdit", {"stopped": ["r"]}, "Stopped: 1 run"),
    ("qwen.stopEdit", {"stopped": []}, "Nothing is running"),
    ("qwen.status", {"problem": "x"}, ""),
]


@pytest.mark.parametrize(("command", "told", "said"), CASES)
def test_what_a_person_is_told(command: str, told: dict[str, Any], said: str) -> None:
    assert sentence(command, told) == said

"""What tests of several editors share: the configuration that a page of docs/ has, a model, processes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from tests.support.endpoint import Recorded, Reply

_DOCS = Path(__file__).parents[2] / "docs"


def piece(page: str, having: str) -> str:
    """The one block of code of a page that has this text in it."""
    text = (_DOCS / page).read_text(encoding="utf-8")
    found = [
        block
        for block in re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if having in block
    ]
    assert len(found) == 1, f"docs/{page} has {len(found)} blocks with {having!r}"
    return found[0]


def completing(text: str) -> Callable[[Recorded], Reply]:
    """A model that completes everything with this text, and is not asked anything else."""

    def answer(request: Recorded) -> Reply:
        assert not request.messages
        return Reply(text)

    return answer


def servers(root: Path) -> list[int]:
    """The processes of our server in a workspace."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == root and b"qwen-lsp" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found

"""The pieces of configuration that a page of docs/ tells people to use, as the page has them."""

from __future__ import annotations

import re
from pathlib import Path

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

"""A place written as text with a `<CURSOR>`."""

from __future__ import annotations

from qwen_lsp.features.complete.place import Place
from qwen_lsp.syntax.languages import language_for
from qwen_lsp.workspace.paths import RelPath


def place(text: str, path: str = "a.py") -> Place:
    before, marker, after = text.partition("<CURSOR>")
    assert marker, "a place needs a <CURSOR>"
    assert "<CURSOR>" not in after, "a place has one <CURSOR>"
    return Place(RelPath(path), before + after, len(before), language_for(path))

"""The third rung: whole lines that are in the file with another indentation."""

from __future__ import annotations

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.agent.edits import indent, refusal
from qwen_lsp.features.agent.edits.canonical import respelled
from qwen_lsp.features.agent.edits.lines import keys_of, split_lines, unify
from qwen_lsp.features.agent.edits.places import Change, choose, offsets_of, whole_lines


def reindented(text: str, old: str, new: str, replace_all: bool) -> list[Change]:
    """The lines of `old` wherever they stand, and `new` at the file's own levels there.

    Raises EditRejected for several places, and where it does not follow how `new` is to be indented.
    """
    lines = split_lines(text)
    contents = [line.content for line in lines]
    keys = keys_of(text)
    said, want = unify(old), unify(new)
    begins = indent.windows(keys, keys_of(said))
    if not begins:
        said, want = _without_edges(said, want)
        begins = indent.windows(keys, keys_of(said))
    if not begins:
        return []
    offsets = offsets_of(lines)
    size = len(split_lines(said))
    begin_at = {offsets[at]: at for at in begins}
    spans = [(offsets[at], offsets[at + size]) for at in begins]
    changes: list[Change] = []
    for start, end in choose(text, spans, replace_all):
        at = begin_at[start]
        region = text[start:end]
        plain_said, plain_want = respelled(region, said, said), respelled(region, said, want)
        quoted, new_lines = _contents(plain_said), _contents(plain_want)
        indents = indent.table(contents[at : at + size], quoted, new_lines, contents)
        if indents is None:
            raise EditRejected(refusal.indentation(text, start, end))
        changes.append(whole_lines(text, lines[at + size - 1], (start, end), plain_said, plain_want, indents))
    return changes


def _contents(text: str) -> list[str]:
    return [line.content for line in split_lines(text)]


def _without_edges(old: str, new: str) -> tuple[str, str]:
    """Both without the blank lines around `old`, which a quotation often gains on its way."""
    while old.startswith("\n") and old.strip():
        old, new = old[1:], new.removeprefix("\n")
    while old.endswith("\n\n") and old.strip():
        old, new = old[:-1], new[:-1] if new.endswith("\n\n") else new
    return old, new

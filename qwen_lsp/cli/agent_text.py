"""Pieces of a run as text for a terminal, harmless whatever the model, a tool or a file has put into them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping

from rich.text import Text

from qwen_lsp.context.visible import seen, seen_name
from qwen_lsp.runs.diffs import Kind, lines, sizes
from qwen_lsp.runs.words import step

_DIFF: Mapping[Kind, str] = {
    "head": "bold", "hunk": "cyan", "add": "green", "remove": "red", "same": "", "note": "dim",
}  # fmt: skip
_STYLES = {"completed": "dim", "in_progress": "bold"}


def spell_out() -> None:
    """What a terminal's encoding lacks is replaced by a question mark instead of ending the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def words(text: str) -> str:
    """Prose for a terminal: as `seen`, without the marks that only choose how a sign is drawn."""
    return seen(text.replace("\ufe0e", "").replace("\ufe0f", ""))


def plus_minus(diff: str) -> Text:
    """`+3 -1`, coloured; empty for a pure rename."""
    added, removed = sizes(diff)
    parts = [(f"+{added:,}", "green")] if added else []
    parts += [(f"-{removed:,}", "red")] if removed else []
    return Text(" ").join(Text(*part) for part in parts)


def diff_lines(diff: str) -> Iterator[Text]:
    """A unified diff line by line, in colours that read on dark and on light ground."""
    for kind, line in lines(diff):
        text = Text(seen(line), _DIFF[kind])
        text.expand_tabs(4)
        yield text


def hunk_lines(diff: str) -> Iterator[Text]:
    """The same where the file is known: without heads, or with one line a file where there are several."""
    several = sum(kind == "head" and line.startswith("+++ ") for kind, line in lines(diff)) > 1
    for (kind, raw), text in zip(lines(diff), diff_lines(diff), strict=True):
        if kind != "head":
            yield text
        elif several and raw.startswith("+++ "):
            yield Text(seen(raw[4:].removeprefix("b/")), _DIFF["head"])


def todo(content: str, status: str) -> Text:
    """One step of the plan, in one line."""
    return Text(step(seen_name(" ".join(content.split())), status), _STYLES.get(status, ""))

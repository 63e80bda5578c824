"""What the terminal shows: headings, ghost text, receipts, diffs; nothing here decides anything.

Names of files and words of a model are always `Text`, never markup: `app/[id]/page.tsx` is a file's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from qwen_lsp.cli.trial import Cut, Trial
from qwen_lsp.text.words import number

_THEME = "ansi_dark"
_INDENT = "  "


def heading(console: Console, title: str) -> None:
    console.print()
    console.print(Rule(Text(title, "bold"), align="left", style="cyan"))


def say(console: Console, *parts: str | tuple[str, str]) -> None:
    """A paragraph, indented on every line; a part may be (text, style)."""
    for line in Text.assemble(*parts).wrap(console, max(20, console.width - len(_INDENT))):
        line.rstrip()
        console.print(Text(_INDENT) + line, soft_wrap=True)


def verbatim(console: Console, text: str) -> None:
    """A line to copy: never broken, however long."""
    console.print(Text(_INDENT * 2 + text), soft_wrap=True)


def short_path(path: str, width: int) -> str:
    """A path within so many columns; its end is what tells files apart."""
    if len(path) <= width:
        return path
    parts = path.split("/")
    kept = parts.pop()
    while parts and len(parts[-1]) + len(kept) + 3 <= width:
        kept = f"{parts.pop()}/{kept}"
    return f"…/{kept}" if len(kept) + 2 <= width else f"…{kept[-(width - 1) :]}"


def ghost(console: Console, trial: Trial, cut: Cut, text: str) -> None:
    """The lines around a cut, with the suggestion where an editor would show it greyed."""
    lines = trial.text.split("\n")
    said = text.split("\n")
    for at in range(max(0, cut.line - 4), min(len(lines), cut.line + 3)):
        if at != cut.line:
            _code_line(console, at, Text(lines[at]))
            continue
        typed = Text(lines[at][: cut.column])
        typed.append("▏", "bold cyan").append(said[0], "italic green")
        _code_line(console, at, typed)
        for more in said[1:]:
            _code_line(console, None, Text(more, "italic green"))


def _code_line(console: Console, at: int | None, code: Text) -> None:
    line = Text(_INDENT).append(f"{'' if at is None else at + 1:>5} ", "dim").append_text(code)
    line.expand_tabs(4)
    line.rstrip()
    line.truncate(console.width, overflow="ellipsis")
    console.print(line, soft_wrap=True)


def markdown(console: Console, text: str, most_lines: int) -> None:
    """Markdown, cut to its first lines with a word on how many more there are."""
    lines = text.strip().splitlines()
    if lines and lines[0].startswith("# "):
        # The page's title is the name of the file, which stands above it already.
        lines = lines[1:]
    _padded(console, Markdown("\n".join(lines[:most_lines])))
    if len(lines) > most_lines:
        say(console, (f"… and {number(len(lines) - most_lines, 'more line')}", "dim"))


def rows(console: Console, columns: Sequence[str], body: Sequence[Sequence[object]]) -> None:
    """A plain table; columns whose first value is a number are set to the right."""
    table = Table(box=None, pad_edge=True, header_style="bold dim")
    for at, column in enumerate(columns):
        numeric = bool(body) and isinstance(body[0][at], int | float)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    _stripped(console, table)


def offers(console: Console, listed: Sequence[tuple[str, str, str]]) -> None:
    """Code actions as (id, title, why not); a reason that several share is told once."""
    if not listed:
        say(console, "No code action applies there.")
        return
    width = max(len(name) for name, _, _ in listed)
    reasons = dict.fromkeys(reason for _, _, reason in listed)
    for reason in sorted(reasons, key=bool):
        for name, title, why in listed:
            if why == reason:
                line = Text(_INDENT).append(f"{name:<{width}}{'  ' if width else ''}", "bold")
                console.print(line.append(title, "dim" if why else ""), soft_wrap=True)
        if reason:
            say(console, (f"not now: {reason}", "yellow"))


def receipt(console: Console, shown: Mapping[str, Any], most_rows: int) -> None:
    """What would be sent: each part with its form, its tokens and the reason."""
    parts = list(shown["parts"])
    width = max(24, console.width - 52)
    body = [
        (short_path(part["path"], width), part["kind"], part["tokens"], part["why"])
        for part in parts[:most_rows]
    ]
    if body:
        rows(console, ("file", "form", "tokens", "why it is there"), body)
    if len(parts) > most_rows:
        say(console, (f"… and {number(len(parts) - most_rows, 'more part')}", "dim"))
    say(
        console,
        f"{shown['tokens']:,} of {number(shown['budget'], 'token')}; "
        f"{len(shown.get('withheld', ()))} withheld, {len(shown.get('left_out', ()))} left out",
    )


def diff(console: Console, text: str, most_lines: int = 200) -> None:
    lines = text.splitlines()
    if lines:
        body = "\n".join(lines[:most_lines])
        _padded(console, Syntax(body, "diff", theme=_THEME, background_color="default"))
    if len(lines) > most_lines:
        say(console, (f"… and {number(len(lines) - most_lines, 'more line')}", "dim"))


def _padded(console: Console, body: RenderableType) -> None:
    _stripped(console, Padding(body, (0, 2)))


def _stripped(console: Console, body: RenderableType) -> None:
    """Without the white space that fills lines up, so that what is copied or piped has none."""
    if console.record:
        console.print(body)
        return
    for segments in console.render_lines(body, pad=False):
        line = Text()
        for segment in segments:
            line.append(segment.text, segment.style)
        line.rstrip()
        console.print(line, soft_wrap=True)

"""What the terminal shows: headings, ghost text, receipts, diffs; nothing here decides anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from qwen_lsp.cli.trial import Cut, Trial

_THEME = "ansi_dark"


def heading(console: Console, title: str) -> None:
    console.print()
    console.print(Rule(Text(title, "bold"), align="left", style="cyan"))


def ghost(console: Console, trial: Trial, cut: Cut, text: str) -> None:
    """The lines around a cut, with the suggestion where an editor would show it greyed."""
    lines = trial.text.split("\n")
    shown = Text()
    for number in range(max(0, cut.line - 4), min(len(lines), cut.line + 3)):
        shown.append(f"{number + 1:>5} ", "dim")
        if number == cut.line:
            shown.append(lines[number][: cut.column])
            shown.append("▏", "bold cyan")
            shown.append(text.replace("\n", "\n      "), "italic green")
        else:
            shown.append(lines[number])
        shown.append("\n")
    console.print(Padding(shown, (0, 0, 0, 2)), soft_wrap=True)


def markdown(console: Console, text: str, most_lines: int) -> None:
    """Markdown, cut to its first lines with a word on how many more there are."""
    lines = text.splitlines()
    console.print(Padding(Markdown("\n".join(lines[:most_lines])), (0, 2)))
    if len(lines) > most_lines:
        console.print(f"  [dim]… and {len(lines) - most_lines} more lines[/dim]")


def rows(console: Console, columns: Sequence[str], body: Sequence[Sequence[object]]) -> None:
    """A plain table; columns whose first value is a number are set to the right."""
    table = Table(box=None, pad_edge=True, header_style="bold dim")
    for number, column in enumerate(columns):
        numeric = bool(body) and isinstance(body[0][number], int | float)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    console.print(table)


def receipt(console: Console, shown: Mapping[str, Any], most_rows: int) -> None:
    """What would be sent: each part with its form, its tokens and the reason."""
    parts = list(shown["parts"])
    body = [(part["path"], part["kind"], part["tokens"], part["why"]) for part in parts[:most_rows]]
    rows(console, ("file", "form", "tokens", "why it is there"), body)
    if len(parts) > most_rows:
        console.print(f"  [dim]… and {len(parts) - most_rows} more parts[/dim]")
    console.print(
        f"  {shown['tokens']:,} of {shown['budget']:,} tokens; "
        f"{len(shown.get('withheld', ()))} withheld, {len(shown.get('left_out', ()))} left out"
    )


def diff(console: Console, text: str, most_lines: int = 200) -> None:
    lines = text.splitlines()
    body: RenderableType = Syntax(
        "\n".join(lines[:most_lines]), "diff", theme=_THEME, background_color="default"
    )
    more = Text(f"… and {len(lines) - most_lines} more lines", "dim") if len(lines) > most_lines else Text()
    console.print(Padding(Group(body, more), (0, 2)))

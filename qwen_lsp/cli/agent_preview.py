"""What a run would change, before anything is: the whole diff, the files, and which of them to apply."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from qwen_lsp.cli.agent_questions import typed
from qwen_lsp.cli.agent_status import Standing
from qwen_lsp.cli.agent_text import diff_lines, plus_minus
from qwen_lsp.context.visible import seen_name
from qwen_lsp.runs.words import clock, money, percent
from qwen_lsp.text.edits import FileEdit, unified
from qwen_lsp.text.words import number

MOST_LINES = 2_000
"""Lines of a diff on the screen; all of it is on the run's page."""


def whole_diff(edits: Sequence[FileEdit]) -> str:
    """All edits as one unified diff."""
    return "".join(unified(edit) for edit in edits)


def show_diff(console: Console, edits: Sequence[FileEdit]) -> None:
    """The diff of each file; what is too long to read here is told, not dropped in silence."""
    left = MOST_LINES
    for at, edit in enumerate(edits):
        shown = list(diff_lines(unified(edit)))
        if len(shown) > left:
            rest = len(shown) - left + sum(unified(other).count("\n") for other in edits[at + 1 :])
            shown = shown[:left]
            shown.append(Text(f"… and {number(rest, 'more line')}", "dim"))
        console.print()
        for line in shown:
            line.rstrip()
            console.print(line, soft_wrap=True)
        left -= len(shown)
        if left <= 0:
            return


def show_files(console: Console, edits: Sequence[FileEdit]) -> None:
    """One line a file: its number, its name, what happens to it."""
    names = [_name(edit) for edit in edits]
    width = min(max(map(len, names), default=0), max(20, console.width - 30))
    digits = len(str(len(edits)))
    for at, (name, edit) in enumerate(zip(names, edits, strict=True), 1):
        line = Text(f"  {at:>{digits}}  ", "dim").append(f"{name:<{width}}", "not dim")
        line.append("  ").append_text(plus_minus(unified(edit)))
        line.append(f"  {_kind(edit)}" if _kind(edit) else "", "dim")
        line.rstrip()
        console.print(line, soft_wrap=True)


def show_cost(console: Console, standing: Standing) -> None:
    """What the run has used, in one line."""
    usage = standing.usage
    said = [
        number(standing.turns, "turn"),
        f"{usage.prompt:,} tokens sent ({percent(usage.cached, usage.prompt)} cached)",
        f"{usage.completion:,} written",
        f"cost {money(standing.cost)}" if standing.cost is not None else "",
        clock(standing.seconds),
    ]
    console.print(Text(" · ".join(part for part in said if part), "dim"), soft_wrap=True)


async def chosen(
    console: Console, edits: Sequence[FileEdit], *, finished: bool, ran: bool
) -> tuple[FileEdit, ...]:
    """The edits that a person accepts: all, those of some files, or none. The end of input is none.

    `ran`: whether something was tried out on all of them together, which then says nothing about a part.
    """
    what = number(len(edits), "file") if len(edits) == 1 else f"these {number(len(edits), 'file')}"
    some = ", c choose files" if len(edits) > 1 else ""
    begin = "" if finished else "The run did not finish. "
    question = f"{begin}Apply {what}? [{'Y/n' if finished else 'y/N'}{some}, d show the diff]"
    while True:
        try:
            answer = (await typed(console, question)).lower()
            if answer in ("c", "choose") and len(edits) > 1:
                return await _some(console, edits, ran=ran)
        except EOFError:
            return ()
        if answer in ("y", "yes") or (not answer and finished):
            return tuple(edits)
        if answer in ("n", "no", ""):
            return ()
        if answer in ("d", "diff"):
            show_diff(console, edits)


async def _some(console: Console, edits: Sequence[FileEdit], *, ran: bool) -> tuple[FileEdit, ...]:
    show_files(console, edits)
    while True:
        answer = await typed(console, f"Which ones? Numbers such as 1 3-{len(edits)}; nothing: none.")
        wanted = numbers(answer, len(edits))
        if wanted is not None:
            break
        console.print(Text(f"Numbers from 1 to {len(edits)}, and spans of them.", "yellow"))
    if ran and 0 < len(wanted) < len(edits):
        said = "What was run in the sandbox was run on all of the files together, not on this part of them."
        console.print(Text(said, "yellow"), soft_wrap=True)
    return tuple(edit for at, edit in enumerate(edits, 1) if at in wanted)


def numbers(text: str, most: int) -> set[int] | None:
    """`1 3-5, 7` as numbers from 1 to `most`; None where it is anything else."""
    found: set[int] = set()
    for piece in text.replace(",", " ").split():
        first, dash, last = piece.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            return None
        begin, end = int(first), int(last) if dash else int(first)
        if not 1 <= begin <= end <= most:
            return None
        found.update(range(begin, end + 1))
    return found


def _name(edit: FileEdit) -> str:
    moved = f"{edit.moved_from} → " if edit.moved_from else ""
    return seen_name(moved + edit.path)


def _kind(edit: FileEdit) -> str:
    if edit.before is None:
        return "new"
    if edit.after is None:
        return "deleted"
    return "moved" if edit.moved_from else ""

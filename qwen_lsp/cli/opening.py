"""A workspace opened without an editor, for as long as one command runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qwen_lsp.cli.places import Place
from qwen_lsp.session import Session
from qwen_lsp.settings import Settings
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace.user_config import merged


@contextlib.asynccontextmanager
async def opened(
    root: Path,
    console: Console | None = None,
    adjust: Callable[[Settings], Settings] = lambda settings: settings,
    *,
    learn: bool = False,
) -> AsyncGenerator[Session]:
    """The workspace, indexed. With a console on a terminal, a bar shows how far the index is.

    `adjust` gives the settings that the command line asks for. `learn`: whether the predictor reads the
    files, for what completes.
    """
    settings = adjust(merged())
    logging.basicConfig(level=settings.log_level.upper(), format="qwen-lsp: %(message)s")
    session = Session(root, settings)
    try:
        with indexing_bar(console) as progress:
            await session.start(progress, learn=learn)
        yield session
    finally:
        await session.aclose()


@contextlib.contextmanager
def indexing_bar(console: Console | None) -> Generator[Callable[[int, int], None]]:
    """A function that shows how many files are done of how many, where somebody can see it."""
    if console is None or not console.is_terminal:
        yield lambda done, total: None
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("Indexing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def lines_at(session: Session, place: Place, console: Console) -> tuple[LineIndex, int, int]:
    """The file's lines, and the first and last one meant; says so when the index leaves the file out.

    Raises FileUnreadable, and UserError for a line past the end.
    """
    lines = session.snapshot.lines(place.path)
    first, last = place.lines_in(lines)
    if reason := session.snapshot.skipped.get(place.path):
        console.print(f"{place.path} is not in the index ({reason}).", markup=False, style="yellow")
    return lines, first, last

"""A workspace opened without an editor, for as long as one command runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qwen_lsp.server.configuration import merged
from qwen_lsp.session import Session


@contextlib.asynccontextmanager
async def opened(root: Path, console: Console | None = None) -> AsyncGenerator[Session]:
    """The workspace, indexed. With a console on a terminal, a bar shows how far the index is."""
    settings = merged()
    logging.basicConfig(level=settings.log_level.upper(), format="qwen-lsp: %(message)s")
    session = Session(root, settings)
    try:
        if console is None or not console.is_terminal:
            await session.start()
        else:
            with _bar(console) as bar:
                task = bar.add_task("Indexing", total=None)
                await session.start(lambda done, total: bar.update(task, completed=done, total=total))
        yield session
    finally:
        await session.aclose()


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip

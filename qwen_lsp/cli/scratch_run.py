"""The tour's agentic edit: a small real task on a copy of the workspace, which is thrown away."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from qwen_lsp.cli import screen, trial
from qwen_lsp.cli.agent_preview import show_cost, show_diff
from qwen_lsp.cli.agent_view import View
from qwen_lsp.runs.front import Plain
from qwen_lsp.runs.run import carry_out
from qwen_lsp.session import Session
from qwen_lsp.workspace.disk import list_files
from qwen_lsp.workspace.user_config import merged

_MOST_BYTES = 200_000_000
_LARGEST_FILE = 1_048_576
_TASK = (
    "Give the function `{name}` in {path} a short doc comment in the style of that file; if it has one, make "
    "it clearer. Then add one test for it where this project keeps its tests, or next to the file otherwise."
)


async def edit_scratch_copy(console: Console, root: Path, options: Mapping[str, Any]) -> None:
    """Run the agent on a copy of the workspace's source files and show the diff."""
    chosen = await asyncio.to_thread(trial.function, await asyncio.to_thread(trial.files, root))
    if chosen is None:
        screen.say(console, "No function to try it on.")
        return
    with tempfile.TemporaryDirectory(prefix="qwen-lsp-tour-") as folder:
        copy = await asyncio.to_thread(_copy, root, Path(folder))
        task = _TASK.format(name=chosen.name, path=chosen.path)
        screen.say(console, task)
        console.print()
        session = Session(copy, merged(options))
        try:
            await session.start()
            view = View(console, asks=False)
            async with view.shown():
                done = await carry_out(session, task, front=Plain(view))
        finally:
            await session.aclose()
        show_diff(console, done.edits)
        console.print()
        show_cost(console, view.standing)
        screen.say(console, "The copy is gone again; your files were not touched.")


def _copy(root: Path, folder: Path) -> Path:
    """Copy what counts as source, up to a bound; links and everything ignored stay behind."""
    copied = 0
    target = folder.resolve() / root.name
    target.mkdir()
    for path, stat in sorted(list_files(root, max_bytes=_LARGEST_FILE).files.items()):
        copied += stat.size
        if copied > _MOST_BYTES:
            break
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target / path, follow_symlinks=False)
    return target

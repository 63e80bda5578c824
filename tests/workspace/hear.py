"""Watch a folder and write down what is heard: something to stop and to wake again."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from qwen_lsp.workspace.hints import Hints
from qwen_lsp.workspace.watch import Watcher


def say(hints: Hints) -> None:
    for line in ["everything"] if hints is None else sorted(hints):
        print(line, flush=True)


async def main(root: str) -> None:
    watcher = Watcher(Path(root), say)
    watcher.start()
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))

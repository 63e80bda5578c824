"""Index a folder, telling of each step on standard output: something to kill in the middle."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from qwen_lsp.index.build import build
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings


async def main(root: str, cache_dir: str) -> None:
    store = Store.at(Path(root), IndexSettings(cache_dir=cache_dir, workers=2))
    await build(store, progress=lambda done, _: print(done, flush=True))


asyncio.run(main(*sys.argv[1:]))

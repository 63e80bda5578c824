"""One of several processes that index one folder: says when it begins, then keeps up with the disk as told.

Each line on standard input asks for a sweep; each is answered by one line about the whole index.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from qwen_lsp.index.build import build, refresh
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings

WORKER = (sys.executable, str(Path(__file__).parent / "counting_worker.py"))


def told(store: Store) -> str:
    snapshot = store.current
    names = [path.rpartition("/")[2].removesuffix(".py") for path in snapshot.files]
    return json.dumps(
        {
            "files": {path: entry.digest for path, entry in snapshot.files.items()},
            "defined": {name: [s.path for s in snapshot.definitions(f"f_{name}")] for name in names},
            "complete": snapshot.complete,
            "on_disk": store.cache.database is not None and not store.cache.broken,
            "cpu": sum(os.times()[:4]),
        }
    )


async def main(root: str, cache_dir: str) -> None:
    store = Store.at(Path(root), IndexSettings(cache_dir=cache_dir, workers=1))
    begun = False

    def progress(done: int, total: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            print(f"begun {total}", flush=True)

    await build(store, progress=progress, command=WORKER)
    print(told(store), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        await refresh(store, None)
        print(told(store), flush=True)
    store.release()


asyncio.run(main(*sys.argv[1:]))

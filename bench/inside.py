"""The real server over stdio, with a heart beside it that says how long its event loop stood still.

    python bench/inside.py QUESTION ANSWER

On SIGUSR1 it reads the JSON file QUESTION and writes ANSWER: what happened since the last one.
Started by the other benches; measures Linux only.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from qwen_lsp.index import build as build_module
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.server import app
from qwen_lsp.server.host import Server

BEAT = 0.005
MOST = 100_000


class Heart:
    """Beats on the event loop and remembers; the listener of the first folder's store as well."""

    def __init__(self, question: Path, answer: Path) -> None:
        self.question, self.answer = question, answer
        self.server: Server | None = None
        self.snapshots: list[tuple[float, Snapshot]] = []
        self.sweeping = 0
        self.clear()

    def clear(self) -> None:
        self.gaps: list[tuple[float, float, float]] = []
        """Beyond the beat: wall, CPU of the process, CPU of the event loop's thread."""
        self.sweeps: list[tuple[float, float, float]] = []
        """Begin, end and CPU of the process and its workers."""
        self.cpu = sum(os.times()[:4])
        del self.snapshots[:-1]

    async def beat(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.reply)
        listening = False
        while True:
            before = time.monotonic(), time.process_time(), time.thread_time()
            await asyncio.sleep(BEAT)
            after = time.monotonic(), time.process_time(), time.thread_time()
            wall, cpu, own = (b - a for a, b in zip(before, after, strict=True))
            self.gaps.append((wall - BEAT, cpu, own))
            if not listening and self.server is not None and self.server.folders:
                listening = True
                store = next(iter(self.server.folders.values())).store
                store.subscribe(lambda snapshot: self.snapshots.append((time.monotonic(), snapshot)))

    def reply(self) -> None:
        """Answer the question; the time that takes is not remembered."""
        asked: dict[str, Any] = json.loads(self.question.read_text())
        told: dict[str, Any] = {
            "now": time.monotonic(),
            "gap": [max(gap[i] for gap in self.gaps) for i in range(3)],
            "late": sorted((gap[0] for gap in self.gaps), reverse=True)[: max(1, len(self.gaps) // 100)][-1],
            "sweeps": self.sweeps,
            "sweeping": self.sweeping,
            "cpu": sum(os.times()[:4]) - self.cpu,
        }
        if "files" in asked and self.snapshots:
            told |= self.compared(asked)
        if asked.get("clear"):
            self.clear()
        done = self.answer.with_suffix(".new")
        done.write_text(json.dumps(told))
        done.replace(self.answer)

    def compared(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Since when the index is right, and what of it is not."""
        expected = {path: tuple(row) for path, row in asked["files"].items()}
        right_since: float | None = None
        wrong: list[str] = []
        manifest: object = None
        right = False
        for at, snapshot in reversed(self.snapshots):
            if snapshot.manifest is not manifest:
                manifest = snapshot.manifest
                found = {path: (e.digest, e.size, e.language) for path, e in snapshot.files.items()}
                right = found == expected
                if not right and right_since is None:
                    either = found.keys() | expected.keys()
                    wrong = sorted(path for path in either if found.get(path) != expected.get(path))
            if not right:
                break
            right_since = at
        last = self.snapshots[-1][1]
        names = {
            name: [site.path for site in last.definitions(name, limit=MOST)] for name in asked["defined"]
        }
        return {
            "right_since": right_since,
            "wrong": wrong,
            "wrong_names": [name for name, paths in asked["defined"].items() if names[name] != paths],
            "texts": {
                path: hashlib.blake2b((buffer.text or "").encode()).hexdigest()
                for path, buffer in last.buffers.items()
            },
        }


def main() -> int:
    heart = Heart(*map(Path, sys.argv[1:3]))
    build, converse, sweep = app._build, app.converse, build_module._sweep  # pyright: ignore[reportPrivateUsage]

    def built() -> Server:
        heart.server = build()
        return heart.server

    async def conversing(*args: Any) -> int:
        beating = asyncio.create_task(heart.beat())
        try:
            return await converse(*args)
        finally:
            beating.cancel()

    async def swept(*args: Any) -> Any:
        begun, cpu = time.monotonic(), sum(os.times()[:4])
        heart.sweeping += 1
        try:
            result = await sweep(*args)
        finally:
            heart.sweeping -= 1
        heart.sweeps.append((begun, time.monotonic(), sum(os.times()[:4]) - cpu))
        return result

    app._build, app.converse, build_module._sweep = built, conversing, swept  # pyright: ignore[reportPrivateUsage]
    return app.serve_stdio()


if __name__ == "__main__":
    raise SystemExit(main())

"""The process that reads and parses files for the index: jobs as JSON lines in, one line per batch out.

It writes facts straight into the database, so that the server neither sees nor encodes them. It is
polite (niced), and ends with the server: when its standard input does. Started by `pool.py`.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from qwen_lsp.index import tables
from qwen_lsp.index.scan import scan
from qwen_lsp.index.tables import Scanned
from qwen_lsp.workspace.disk import Stat
from qwen_lsp.workspace.paths import RelPath

_SECONDS = 2.0
_SECONDS_PER_BYTE = 2e-6
"""Of processor time for a file that is parsed unwatched; ten times what real code takes."""


def main() -> int:
    if hasattr(os, "nice"):
        os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides; Ctrl-C reaches the whole group
    # Trees and facts hold no cycles worth looking for a thousand times a second.
    gc.set_threshold(100_000, 50, 50)
    lines = sys.stdin.buffer
    hello: dict[str, Any] = json.loads(lines.readline())
    try:
        connection = tables.connect(Path(hello["database"]))
    except (sqlite3.Error, OSError) as error:
        _say({"error": str(error)})
        return 1
    _say({"ready": os.getpid()})
    known = tables.known_facts(connection)
    for line in lines:
        found: list[Scanned] = []
        gone: list[str] = []
        try:
            jobs: list[tuple[str, int, int]] = json.loads(line)
            # Watching the parser costs a twentieth of all the work. Where the system ends a process in time,
            # a file is parsed unwatched, and watched when it has ended one and so comes alone.
            guarded = len(jobs) == 1 or not hasattr(signal, "setitimer")
            for path, size, mtime_ns in jobs:
                most = hello["cpu_seconds"]
                _allow_cpu(most if guarded else min(most, _SECONDS + _SECONDS_PER_BYTE * size))
                scanned = scan(
                    Path(hello["root"]),
                    RelPath(path),
                    Stat(size, mtime_ns),
                    known=known,
                    max_bytes=hello["max_bytes"],
                    guarded=guarded,
                )
                _allow_cpu(0)
                if scanned is None:
                    gone.append(path)
                else:
                    found.append(scanned)
            tables.write(connection, found, uses=hello["uses"])
        except sqlite3.Error as error:
            _say({"error": str(error)})
            return 1
        _say({"found": [to_wire(file) for file in found], "gone": gone})
    connection.close()
    return 0


def to_wire(file: Scanned) -> list[object]:
    """A file without its facts, as the values of a JSON line."""
    return [
        file.path, file.size, file.mtime_ns, file.digest, file.language, file.skip, file.definitions,
        file.references,
    ]  # fmt: skip


def _allow_cpu(seconds: float) -> None:
    """End this process when one file takes longer: not even a signal handler runs inside a parser."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

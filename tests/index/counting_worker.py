"""The worker process of the index, writing down each path that it parses: `COUNTING_LOG` says where."""

from __future__ import annotations

import os
from pathlib import Path

from qwen_lsp.index import scan, worker
from qwen_lsp.index.tables import Scanned

_scan = worker.scan


def counted(root: Path, path: str, *args: object, **rest: object) -> Scanned | None:
    found: Scanned | None = _scan(root, path, *args, **rest)  # type: ignore[arg-type]
    if found is not None and found.facts is not None:
        line = f"{os.getpid()} {path}\n".encode()
        log = os.open(os.environ["COUNTING_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, line)
        os.close(log)
    return found


worker.scan = counted  # pyright: ignore[reportAttributeAccessIssue]
assert scan.scan is _scan
raise SystemExit(worker.main())

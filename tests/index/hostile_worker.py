"""A worker that some files kill or hang, told by their names; started in place of the real one."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from qwen_lsp.index import worker
from qwen_lsp.index.tables import Scanned

_scan = worker.scan


def scan(root: Any, path: Any, stat: Any, **rest: Any) -> Scanned | None:
    if "kills" in path:
        os.kill(os.getpid(), signal.SIGKILL)
    if "hangs" in path:
        threading.Event().wait()
    while "burns" in path:
        pass
    return _scan(root, path, stat, **rest)


worker.scan = scan
sys.exit(worker.main())

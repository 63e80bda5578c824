"""Which files a workspace hangs on: those that many import, and more so where many import the importers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from qwen_lsp.context.collector import collector_waits
from qwen_lsp.context.place import is_test
from qwen_lsp.index.graph import dependencies
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath

_ROUNDS = 15
_PASSED_ON = 0.85
_TEST = 0.1
"""What a test's import counts of another file's: tests import everything."""
_KEPT: Memory[Mapping[RelPath, Standing]] = Memory(4)


class Standing(NamedTuple):
    """How much hangs on a file: a share of 1 for all files together, and how many import it."""

    share: float
    users: int


def central(snapshot: Snapshot) -> Mapping[RelPath, Standing]:
    """Every file of code, the most central first, tests last."""
    known = _KEPT.get(snapshot.manifest) if not snapshot.buffers else None
    if known is None:
        known = _ranked(snapshot)
        if not snapshot.buffers and snapshot.complete:
            _KEPT.keep(snapshot.manifest, known, 1)
    return known


@collector_waits()
def _ranked(snapshot: Snapshot) -> Mapping[RelPath, Standing]:
    code = [
        path
        for path in snapshot.paths()
        if path not in snapshot.skipped and (language := snapshot.language(path)) and language.is_code
    ]
    leads = {path: [to for to in dependencies(snapshot, path) if to != path] for path in code}
    weight = {path: _TEST if is_test(path) else 1.0 for path in code}
    users, leaning = dict.fromkeys(code, 0), dict.fromkeys(code, 0.0)
    for path, targets in leads.items():
        for target in targets:
            if target in users:
                users[target] += 1
                leaning[target] += weight[path]
    total = sum(weight.values()) or 1.0
    rest = {path: weight[path] / total for path in code}
    share = rest
    for _ in range(_ROUNDS):
        gained = {path: (1 - _PASSED_ON) * rest[path] for path in code}
        for path, targets in leads.items():
            inside = [target for target in targets if target in gained]
            for target in inside:
                gained[target] += _PASSED_ON * share[path] / len(inside)
        share = gained
    # A file that only one central file imports is a part of that one.
    worth = {path: share[path] * math.sqrt(leaning[path]) for path in code}
    order = sorted(code, key=lambda path: (is_test(path), -worth[path], -share[path], path))
    return {path: Standing(share[path], users[path]) for path in order}

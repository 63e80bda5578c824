"""Regular expressions that may never come to an end, tried in a process that can be ended.

A match holds the interpreter, so a thread cannot be told to stop. Simple patterns in lines of common length,
which take time in proportion to the text, need none of this.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import cast

from qwen_lsp.errors import UserError
from qwen_lsp.workspace.paths import RelPath

_BATCH = 2_000_000
_CHILD = """
import json, re, sys
pattern, most, texts = json.load(sys.stdin)
compiled = re.compile(pattern, re.MULTILINE)
found = []
for text in texts:
    starts = []
    for match in compiled.finditer(text):
        if len(starts) >= most:
            break
        starts.append(match.start())
    found.append(starts)
json.dump(found, sys.stdout)
"""
_UNBOUNDED = re.compile(r"(?<!\\)(?:[*+]|\{\d*,(?:\d{3,})?\})")
_RISKY = re.compile(r"(?<!\\)\)[*+{]|\\[1-9]|\(\?\(|\(\?<")
_ACROSS_LINES = re.compile(r"\[\^[^]]*\][*+{]|\\[DWs][*+{]|\(\?[aiLmux]*s")
_LEAD = re.compile(r"((?:\(\?[aiLmux]+\))?)\^?(?:\.\*\??)+(?![*+?{])")
_LONG_LINE = re.compile(r"[^\n]{1000}")
_LONG_TEXT = 20_000


def matches(
    pattern: str, texts: Iterable[tuple[RelPath, str]], most: int, seconds: float
) -> Iterator[tuple[RelPath, str, Iterable[int]]]:
    """Each text with where the pattern is in it, at most `most` places, for as long as there is time.

    Raises UserError when the time is over while the pattern is being tried.
    """
    until = time.monotonic() + seconds
    # What stands in front of a match in its line does not change which line it is, and takes long to find.
    pattern = _LEAD.sub(r"\1", pattern, count=1) if _LEAD.match(pattern) else pattern
    compiled = re.compile(pattern, re.MULTILINE)
    batch: list[tuple[RelPath, str]] = []
    size = 0
    for path, text in texts:
        if may_take_for_ever(pattern, text):
            batch.append((path, text))
            size += len(text)
            if size < _BATCH:
                continue
        if batch:
            yield from _tried(pattern, batch, most, until)
        if not batch or batch[-1][0] != path:
            yield path, text, (match.start() for match in compiled.finditer(text))
        batch, size = [], 0
    if batch:
        yield from _tried(pattern, batch, most, until)


def may_take_for_ever(pattern: str, text: str) -> bool:
    """Whether a pattern may take more than a few looks at each character of a text."""
    unbounded = len(_UNBOUNDED.findall(pattern))
    if not unbounded:
        return False
    if _RISKY.search(pattern) or unbounded > 2 or _LONG_LINE.search(text):
        return True
    return len(text) > _LONG_TEXT and _ACROSS_LINES.search(pattern) is not None


def _tried(
    pattern: str, batch: list[tuple[RelPath, str]], most: int, until: float
) -> Iterator[tuple[RelPath, str, Iterable[int]]]:
    asked = json.dumps([pattern, most, [text for _, text in batch]])
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _CHILD],
            input=asked.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=max(0.1, until - time.monotonic()), check=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UserError(f"pattern {pattern!r} takes too long to match; write it another way") from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(f"pattern {pattern!r} could not be tried: {error}") from None
    found = cast("list[list[int]]", json.loads(done.stdout))
    for (path, text), starts in zip(batch, found, strict=True):
        yield path, text, starts

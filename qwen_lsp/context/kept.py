"""An epoch as bytes and back, so that it outlives the process: texts and all, since they may have changed.

The frozen part is written when it is cut, the tail beside it whenever it grows. What cannot be read, is of
another version or belongs to another frozen part is no epoch, and the next prompt begins one.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict
from typing import Any, cast

from qwen_lsp.context.prefix import Base, Entry, Epoch, Room
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Withheld

VERSION = 1
LARGEST = 64 * 1024 * 1024
"""Bytes of a part as text; about four times what fits a window of a million tokens."""
_MAGIC = b"qwen-lsp epoch %d\n" % VERSION


def frozen_bytes(epoch: Epoch) -> bytes:
    """All of an epoch that its cut decided."""
    return _packed(
        {
            "base": asdict(epoch.base),
            "frozen": [_row(entry) for entry in epoch.frozen],
            "cut": epoch.cut,
            "fit": epoch.fit,
            "moment": epoch.moment,
        }
    )


def tail_bytes(epoch: Epoch) -> bytes:
    """What was said since, and which frozen part it belongs to."""
    return _packed(
        {
            "frozen": epoch.digest(),
            "branch": epoch.base.branch,
            "tail": [_row(entry) for entry in epoch.tail],
            "visited": epoch.visited,
            "withheld": [asdict(item) for item in epoch.withheld],
            "wants": dict(epoch.wants),
        }
    )


def read(frozen: bytes, tail: bytes) -> Epoch | None:
    """The epoch that was kept, None when its frozen part is no good; without its tail when that is not."""
    try:
        value = _unpacked(frozen)
        base = value["base"]
        epoch = Epoch(
            Base(str(base["branch"]), str(base["model"]), str(base["gate"]), Room(**base["room"])),
            tuple(_entry(row) for row in value["frozen"]),
            str(value["cut"]),
            float(value["fit"]),
            int(value["moment"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, RecursionError):
        return None
    try:
        value = _unpacked(tail)
        if value["frozen"] != epoch.digest():
            return epoch
        return Epoch(
            Base(str(value["branch"]), epoch.base.model, epoch.base.gate, epoch.base.room),
            epoch.frozen,
            epoch.cut,
            epoch.fit,
            epoch.moment,
            tuple(_entry(row) for row in value["tail"]),
            tuple(RelPath(str(path)) for path in value["visited"]),
            tuple(Withheld(**item) for item in value["withheld"]),
            {RelPath(str(path)): float(weight) for path, weight in value["wants"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, RecursionError):
        return epoch


def _row(entry: Entry) -> list[object]:
    return [entry.path, entry.kind, entry.name, entry.text, entry.tokens, entry.why, entry.moved_to]


def _entry(row: list[Any]) -> Entry:
    path, kind, name, text, tokens, why, moved = row
    if kind not in ("whole", "outline", "gone") or type(tokens) is not int:
        raise ValueError(kind)
    to = None if moved is None else RelPath(str(moved))
    return Entry(RelPath(str(path)), kind, str(name), str(text), tokens, str(why), to)


def _packed(value: dict[str, object]) -> bytes:
    data = zlib.compress(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), 1)
    return _MAGIC + hashlib.blake2b(data, digest_size=16).digest() + data


def _unpacked(data: bytes) -> dict[str, Any]:
    """Raises ValueError or zlib.error for anything that `_packed` did not write."""
    start = len(_MAGIC)
    body = data[start + 16 :]
    if data[:start] != _MAGIC or hashlib.blake2b(body, digest_size=16).digest() != data[start : start + 16]:
        raise ValueError("not an epoch")
    stream = zlib.decompressobj()
    text = stream.decompress(body, LARGEST)
    if stream.unconsumed_tail:
        raise ValueError("too large")
    return cast("dict[str, Any]", json.loads(text.decode("utf-8", "surrogatepass")))

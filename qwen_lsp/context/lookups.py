"""Lookups: what names were found to mean in a file, remembered while nothing but that file changes.

Keystrokes ask for nearly the same names again and again. What other files define stays the same as long as
the manifest and the other buffers are the same objects, and what a name likely means as long as the imports
of the file lead to the same places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qwen_lsp.index.manifest import Manifest
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.sites import Site
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import Definition
from qwen_lsp.workspace.paths import RelPath

_MOST_NAMES = 4_000
_FILES = 4

Weighed = list[tuple[Site, float]]
"""Definitions that a name may mean, each with its probability, the likeliest first."""


@dataclass(slots=True)
class Lookups:
    """For one file. Filled by whoever looks something up; a value is equal whoever makes it."""

    sites: dict[str, list[Site]] = field(default_factory=dict[str, list[Site]])
    """Definitions elsewhere by name."""
    weighed: dict[tuple[str, bool], Weighed] = field(default_factory=dict[tuple[str, bool], Weighed])
    """The same by name and whether it stood after a dot, as this file's imports see them."""
    types: dict[tuple[RelPath, str, tuple[Definition, ...]], Weighed] = field(
        default_factory=dict[tuple[RelPath, str, tuple[Definition, ...]], Weighed]
    )
    """What the name of a type means in another file, where this file has these definitions."""

    def __len__(self) -> int:
        return len(self.sites) + len(self.weighed) + len(self.types)


@dataclass(frozen=True, slots=True)
class _Known:
    """The lookups of a file, and what they hold for."""

    manifest: Manifest
    others: Mapping[RelPath, object]
    led: object
    lookups: Lookups


_KNOWN: Memory[_Known] = Memory(_FILES)


def lookups_of(snapshot: Snapshot, path: RelPath, led: object) -> Lookups:
    """What is known for `path`; `led` is the same object as long as its imports lead to the same places."""
    others: dict[RelPath, object] = {p: b for p, b in snapshot.buffers.items() if p != path}
    known = _KNOWN.get(path)
    if (
        known is not None
        and known.led is led
        and known.manifest is snapshot.manifest
        and known.others == others
        and len(known.lookups) < _MOST_NAMES
    ):
        return known.lookups
    lookups = Lookups()
    _KNOWN.keep(path, _Known(snapshot.manifest, others, led, lookups), 1)
    return lookups

"""The values an epoch is made of: how its tokens are divided, what it stands on, what it says of files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate, Withheld

LEAST = 32_000
"""Tokens of a prompt below which parts are chosen and ordered by relevance, without an epoch."""
_NEAR, _NEAR_SHARE = 2_048, 16
_OWN, _OWN_SHARE = 49_152, 0.4

Kind = Literal["whole", "outline", "gone"]


@dataclass(frozen=True, slots=True)
class Room:
    """How the tokens of a large prompt are divided. `own` is for all that is not context of the epoch."""

    frozen: int
    tail: int
    near: int
    own: int


def room_for(total: int, tail_share: float, *, own: bool) -> Room:
    """The division of `total` tokens; `own` says whether a file in question is shown behind the context."""
    near = min(_NEAR, total // _NEAR_SHARE)
    mine = min(_OWN, int(total * _OWN_SHARE)) if own else 0
    frozen = int((total - near - mine) / (1 + tail_share))
    return Room(frozen, total - near - mine - frozen, near, mine)


@dataclass(frozen=True, slots=True)
class Base:
    """What a prefix stands on beside the files. Another base is another epoch.

    `branch` is empty where none is checked out; then, and when it becomes known, nothing is concluded.
    """

    branch: str
    model: str
    gate: str
    room: Room


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as it is said in the prefix or in the tail. `text` is the piece, heading and all.

    `name` is that of the content it was made from. `moved_to`: the text stands under that path from now on.
    """

    path: RelPath
    kind: Kind
    name: str
    text: str
    tokens: int
    why: str
    moved_to: RelPath | None = None

    @property
    def body(self) -> str:
        """The text without its heading."""
        return self.text[self.text.find("\n") + 1 :]


@dataclass(frozen=True, slots=True)
class Epoch:
    """A prefix that was cut at one moment, and what was said since. A value: `advance` makes the next one."""

    base: Base
    frozen: tuple[Entry, ...]
    cut: str
    """Why it was cut, as a sentence."""
    fit: float = 0.0
    """The share of `wants` that the prefix held when it was cut."""
    moment: int = 0
    """When it was cut, in nanoseconds since 1970."""
    tail: tuple[Entry, ...] = ()
    visited: tuple[RelPath, ...] = ()
    """The files that prompts were about, the latest first."""
    withheld: tuple[Withheld, ...] = ()
    """What the gate kept back of the files shown."""
    wants: Mapping[RelPath, float] = field(default_factory=dict[RelPath, float])
    """What the rankings of the prompts so far wanted of each file, the older the less: the working set."""
    same: Mapping[RelPath, str] = field(default_factory=dict[RelPath, str], compare=False)
    """Contents that turned out to be shown by the latest entry of their path though they differ from it."""

    @property
    def frozen_text(self) -> str:
        return "".join(entry.text for entry in self.frozen)

    @property
    def tail_text(self) -> str:
        return "".join(entry.text for entry in self.tail)

    @property
    def tail_tokens(self) -> int:
        return sum(entry.tokens for entry in self.tail)

    def latest(self) -> dict[RelPath, Entry]:
        """The last that was said of each path."""
        found: dict[RelPath, Entry] = {}
        for entry in (*self.frozen, *self.tail):
            if entry.moved_to is not None and (before := found.get(entry.path)) is not None:
                found[entry.moved_to] = replace(before, path=entry.moved_to)
            found[entry.path] = entry
        return found

    def covers(self) -> float:
        """The share of what is wanted that the epoch shows."""
        shown = {path for path, entry in self.latest().items() if entry.kind != "gone"}
        total = sum(self.wants.values())
        return sum(weight for path, weight in self.wants.items() if path in shown) / total if total else 1.0

    def digest(self) -> str:
        """Names the frozen part: equal bytes, equal name."""
        state = hashlib.blake2b(digest_size=16)
        for entry in self.frozen:
            state.update(entry.text.encode("utf-8", "surrogatepass"))
        return state.hexdigest()


@dataclass(frozen=True, slots=True)
class Sight:
    """What is asked of the workspace at this moment. `wanted` ranks, best first, up to a number.

    `current` is the file that the prompt shows by itself, behind all of this. `now` is in nanoseconds since
    1970.
    """

    snapshot: Snapshot
    wanted: Callable[[int], Sequence[Candidate]]
    current: RelPath | None
    count: Callable[[str], int]
    gate: Gate
    now: int

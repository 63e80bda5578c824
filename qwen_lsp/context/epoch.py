"""Epoch: a frozen prefix and a tail of changes, so that each large prompt extends the last one.

A server reuses what it has read of an earlier prompt up to the first byte that differs. So files stand in
the prefix as they were when the epoch was cut, in dependency order; what changed since is said again behind
them, and the tail only ever grows. An older version in it stays where it is, told to be replaced by the
later one: taking it out would save its tokens and cost everything behind it. Only when the tail has
outgrown its share is it written anew with one version of each file, and when that does not help, or when
the prefix is no longer what is wanted or may be sent, a new epoch is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.order import dependencies_first
from qwen_lsp.context.pack import pack
from qwen_lsp.context.prefix import Base, Entry, Epoch, Sight
from qwen_lsp.context.render import Pack, Part, Standing, piece
from qwen_lsp.context.tail import grown

_WANTED = 600
_MOVED_AWAY = 0.5
_VISITED = 12


@dataclass(frozen=True, slots=True)
class Held:
    """What lasts from one prompt of a feature to the next: the epoch so far, and who takes the next one."""

    epoch: Epoch | None
    branch: str
    keep: Callable[[Epoch], None]
    tail_share: float = 0.15


@dataclass(frozen=True, slots=True)
class Around:
    """The context of one prompt: the epoch it continues, what is near the place, and the receipt of both."""

    epoch: Epoch
    near: str
    packed: Pack

    @property
    def text(self) -> str:
        """What every prompt of the epoch has in common, and the tail."""
        return self.epoch.frozen_text + self.epoch.tail_text


def advance(epoch: Epoch | None, base: Base, sight: Sight) -> Around:
    """The context of the next prompt: that of the last one and what changed since, or a new epoch.

    Frozen part, tail and what is near never exceed `base.room` by one token.
    """
    near = [c for c in sight.wanted(_WANTED) if c.path != sight.current]
    why = "it is the first" if epoch is None else _reason_to_cut(epoch, base, near, sight)
    following = None
    if epoch is not None and not why:
        following = grown(replace(epoch, base=base if base.branch else epoch.base), near, sight)
        why = following if isinstance(following, str) else ""
    if not isinstance(following, Epoch):
        following = _cut(epoch, base, near, sight, why)
    if sight.current is not None:
        visited = dict.fromkeys((sight.current, *following.visited))
        following = replace(following, visited=tuple(visited)[:_VISITED])
    return _around(following, near, sight)


def _reason_to_cut(epoch: Epoch, base: Base, near: Sequence[Candidate], sight: Sight) -> str:
    then = epoch.base
    if base.branch and then.branch and base.branch != then.branch:
        return f"the branch changed from {then.branch} to {base.branch}"
    if base.gate != then.gate:
        return "the rules about secrets changed"
    if base.model != then.model:
        return "the model changed"
    if base.room != then.room:
        return "the budget changed"
    for path in epoch.latest():
        # A file that is known is looked at when it changes; one that is gone may have become a secret.
        if not sight.snapshot.has(path) and (reason := sight.gate.admits_path(path)):
            return f"{path} may no longer be shown ({reason})"
    if _fit(epoch, near) < _MOVED_AWAY * epoch.fit:
        return "the work moved to other files"
    return ""


def _fit(epoch: Epoch, near: Sequence[Candidate]) -> float:
    """The share of what is wanted, by score, that the epoch shows."""
    shown = {path for path, entry in epoch.latest().items() if entry.kind != "gone"}
    total = sum(c.score for c in near)
    return sum(c.score for c in near if c.path in shown) / total if total else 1.0


def _cut(epoch: Epoch | None, base: Base, near: Sequence[Candidate], sight: Sight, why: str) -> Epoch:
    """A new prefix: the best files, whole or as outlines, in dependency order."""
    visited = () if epoch is None else epoch.visited
    again = [Candidate(p, "whole", 0.5 / (1 + i), "worked on a moment ago") for i, p in enumerate(visited)]
    # A header costs a dozen tokens or two; the files are what is wanted here.
    files = [c for c in sight.wanted(max(_WANTED, base.room.frozen // 8)) if c.form in ("whole", "outline")]
    known = {c.path for c in files}
    files += [c for c in again if c.path not in known and sight.snapshot.has(c.path)]
    files = [c for c in files if c.path != sight.current]
    packed = pack(sight.snapshot, files, budget=base.room.frozen, count=sight.count, gate=sight.gate)
    parts = {part.path: part for part in packed.parts}
    ordered = [parts[path] for path in dependencies_first(sight.snapshot, parts)]
    entries = tuple(
        Entry(
            p.path,
            "whole" if p.kind == "whole" else "outline",
            p.name,
            piece(p.path, p.text),
            p.tokens,
            p.why,
        )
        for p in ordered
    )
    newest = max((entry.mtime_ns for entry in sight.snapshot.files.values()), default=0)
    made = Epoch(base, entries, why, newest=newest, withheld=packed.withheld)
    return replace(made, fit=_fit(made, near))


def _around(epoch: Epoch, near: Sequence[Candidate], sight: Sight) -> Around:
    """With the headers that this place asks for and the epoch does not show."""
    shown = {path for path, entry in epoch.latest().items() if entry.kind != "gone"}
    further = [c for c in near if c.path not in shown]
    room = epoch.base.room
    packed = pack(sight.snapshot, further, budget=room.near, count=sight.count, gate=sight.gate)
    last = {entry.path: number for number, entry in enumerate(epoch.tail)}
    parts = [_part(entry, "frozen", entry.path in last) for entry in epoch.frozen]
    parts += [_part(entry, "tail", last[entry.path] > number) for number, entry in enumerate(epoch.tail)]
    frozen, tail = sum(entry.tokens for entry in epoch.frozen), epoch.tail_tokens
    receipt = Pack(
        parts=(*parts, *packed.parts),
        budget=room.frozen + room.tail + room.near,
        tokens=frozen + tail + packed.tokens,
        withheld=tuple(dict.fromkeys((*epoch.withheld, *packed.withheld))),
        left_out=packed.left_out,
        standing=Standing(frozen, tail, epoch.cut),
    )
    return Around(epoch, "".join(piece(part.path, part.text) for part in packed.parts), receipt)


def _part(entry: Entry, section: Literal["frozen", "tail"], replaced: bool) -> Part:
    why = f"{entry.why}; replaced further down" if replaced else entry.why
    return Part(entry.path, entry.kind, entry.text, entry.tokens, why, entry.name, section)

"""Epoch: a frozen prefix and a tail of changes, so that each large prompt extends the last one.

A server reuses what it has read of an earlier prompt up to the first byte that differs. So files stand in
the prefix as they were when the epoch was cut, in dependency order; what changed since is said again behind
them, and the tail only ever grows. An older version in it stays where it is, told to be replaced by the
later one: taking it out would save its tokens and cost everything behind it. Only when the tail has
outgrown its share is it written anew with one version of each file, and when that does not help, or when
the prefix is no longer what is wanted or may be sent, a new epoch is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.order import dependencies_first
from qwen_lsp.context.pack import pack
from qwen_lsp.context.prefix import Base, Entry, Epoch, Sight
from qwen_lsp.context.render import Pack, Part, Standing, piece
from qwen_lsp.context.tail import grown
from qwen_lsp.workspace.paths import RelPath

_WANTED, _WIDE = 600, 4_000
"""How many candidates a prompt asks for, and at least a cut, which has room for the rest of the workspace."""
_MOVED_AWAY = 0.5
"""An epoch is cut when it covers less than this part of what it covered of the working set at first."""
_BEGINNING, _FADING = 8.0, 0.94
"""Prompts that the first one counts for, and what is left of a prompt's weight after the next."""
_MOST_WANTS = 400
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
    wants = _wants(epoch, near)
    why = "it is the first" if epoch is None else _reason_to_cut(epoch, base, wants, sight)
    following = None
    if epoch is not None and not why:
        known = replace(epoch, base=base if base.branch else epoch.base, wants=wants)
        following = grown(known, near, sight)
        why = following if isinstance(following, str) else ""
    if not isinstance(following, Epoch):
        following = _cut(epoch, base, wants, sight, why)
    if sight.current is not None:
        visited = dict.fromkeys((sight.current, *following.visited))
        following = replace(following, visited=tuple(visited)[:_VISITED])
    return _around(following, near, sight)


def _wants(epoch: Epoch | None, near: Sequence[Candidate]) -> dict[RelPath, float]:
    """The working set with what this prompt wants: one look elsewhere weighs little against the rest."""
    total = sum(c.score for c in near) or 1.0
    found: dict[RelPath, float] = {}
    weight = 1.0 / total if epoch is not None and epoch.wants else _BEGINNING / total
    for c in near:
        found[c.path] = found.get(c.path, 0.0) + c.score * weight
    for path, before in epoch.wants.items() if epoch is not None else ():
        found[path] = found.get(path, 0.0) + before * _FADING
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:_MOST_WANTS])


def _reason_to_cut(epoch: Epoch, base: Base, wants: Mapping[RelPath, float], sight: Sight) -> str:
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
    if replace(epoch, wants=wants).covers() < _MOVED_AWAY * epoch.fit:
        return "the work moved to other files"
    return ""


def _cut(epoch: Epoch | None, base: Base, wants: Mapping[RelPath, float], sight: Sight, why: str) -> Epoch:
    """A new prefix: what is best here and for the work so far, whole or as outlines, dependencies first."""
    # A header costs a dozen tokens or two; the files are what is wanted here.
    ranked = sight.wanted(max(_WIDE, base.room.frozen // 8))
    best = {c.path: c for c in ranked if c.form in ("whole", "outline") and c.path != sight.current}
    scale = sum(c.score for c in best.values()) / (sum(wants.values()) or 1.0)
    for path, weight in wants.items():
        if path != sight.current and sight.snapshot.has(path):
            here = best.get(path, Candidate(path, "whole", 0.0, "wanted a moment ago"))
            best[path] = here._replace(score=here.score + weight * scale)
    files = sorted(best.values(), key=lambda c: (-c.score, c.path))
    packed = pack(sight.snapshot, files, budget=base.room.frozen, count=sight.count, gate=sight.gate)
    parts = {part.path: part for part in packed.parts}
    entries = tuple(_frozen(parts[path]) for path in dependencies_first(sight.snapshot, parts))
    made = Epoch(base, entries, why, moment=sight.now, withheld=packed.withheld, wants=wants)
    return replace(made, fit=made.covers())


def _frozen(part: Part) -> Entry:
    kind: Literal["whole", "outline"] = "whole" if part.kind == "whole" else "outline"
    return Entry(part.path, kind, part.name, piece(part.path, part.text), part.tokens, part.why)


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

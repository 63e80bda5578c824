"""What stands around a question: for a large prompt the epoch it extends, and what is near the place."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.epoch import Around, Held, advance
from qwen_lsp.context.pack import pack
from qwen_lsp.context.prefix import LEAST, Base, Epoch, Sight, room_for
from qwen_lsp.context.rank import limit_for
from qwen_lsp.context.render import Pack, render
from qwen_lsp.features.prompting import load
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import Message
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

OLDER = "; this is its text now, should there be another one above"
"""Said of the file in question where it may stand in the epoch as well."""
_NEAR = "What else may matter here:\n\n"
_NOTHING = "(nothing else)"
_JOINTS = 32
"""Tokens for what is said between the parts."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Context and what is near, as a prompt takes them.

    `ends`: where in `context` its stable parts end, the frozen one first, then each file of the tail.
    """

    context: str
    near: str
    packed: Pack
    ends: tuple[int, ...] = ()
    epoch: Epoch | None = None
    """What the next prompt goes on from; None without an epoch."""

    def message(self, name: str, text: str, *, cache: bool = False) -> Message:
        """The prompt `name`, filled as `text`, with cache marks behind the frozen part and the tail."""
        before = len(load(name).partition("{{context}}")[0])
        ends = tuple(before + end for end in self.ends)
        return Message("user", text, cache=cache, marks=(*ends[:1], *ends[-1:]), joints=ends)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about: how to rank for it, and the file that the prompt shows by itself, if one."""

    snapshot: Snapshot
    rank: Callable[[int], Sequence[Candidate]]
    current: RelPath | None
    gate: Gate
    count: Callable[[str], int]


def by_relevance(question: Question, budget: int, limit: int) -> Surroundings:
    """The best for this question alone."""
    candidates = [c for c in question.rank(limit) if c.path != question.current]
    packed = pack(
        question.snapshot, candidates, budget=max(0, budget), count=question.count, gate=question.gate
    )
    return Surroundings(render(packed).rstrip() or _NOTHING, "", packed)


def by_epoch(
    question: Question, held: Held | None, model: str, total: int, own: int | None
) -> Surroundings | None:
    """What extends the last prompt; None where that is not for this one.

    `total` are the tokens of the whole prompt, the same for every prompt of a feature; `own` those of what
    it says besides, None when it shows no file by itself. A small prompt has no room for a tail, and a
    file in question that would have to be cut short for an epoch is worth more than a cached prefix.
    While the workspace is still being indexed, nobody can tell what is gone.
    """
    if held is None or total < LEAST or not question.snapshot.complete:
        return None
    room = room_for(total, held.tail_share, own=own is not None)
    if own is not None and own + _JOINTS > room.own:
        return None
    base = Base(held.branch, model, question.gate.fingerprint, room)
    now = time.time_ns()
    sight = Sight(question.snapshot, question.rank, question.current, question.count, question.gate, now)
    return surrounded(advance(held.epoch, base, sight))


def preview(question: Question, held: Held | None, model: str, total: int) -> Pack:
    """What a prompt of `total` tokens would be given around it; the receipt of a prompt that is not made."""
    around = by_epoch(question, held, model, total, None if question.current is None else 0)
    return (around or by_relevance(question, total, limit_for(total))).packed


def surrounded(around: Around) -> Surroundings:
    context = around.text
    near = f"{_NEAR}{around.near}" if around.near else ""
    sizes = (len(around.epoch.frozen_text), *(len(entry.text) for entry in around.epoch.tail))
    # The blank line that ends the context is the prompt's own.
    return Surroundings(
        context.removesuffix("\n\n") or _NOTHING, near, around.packed, tuple(accumulate(sizes)), around.epoch
    )

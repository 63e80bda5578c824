"""The prompt of one completion: the text around the cursor and the definitions it needs, to the token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qwen_lsp.context.pack import pack
from qwen_lsp.context.rank import rank
from qwen_lsp.context.render import fim_context
from qwen_lsp.context.visits import Visit
from qwen_lsp.features.complete.place import Place
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import FimRequest
from qwen_lsp.workspace.secrets import Gate, Withheld

Count = Callable[[str], int]

_PREFIX_SHARE, _SUFFIX_SHARE = 0.50, 0.15
_MARKERS = 8
"""Special tokens of a FIM prompt around prefix, suffix and the current file's path, and a newline."""
_CHARS_PER_TOKEN = 12
"""More characters than a token of code ever has on average; a first cut before exact counting."""


@dataclass(frozen=True, slots=True)
class Window:
    """A request, what it weighs, why each other file is in it, and what the secrets gate kept out."""

    request: FimRequest
    tokens: int
    why: tuple[tuple[str, str], ...] = ()
    withheld: tuple[Withheld, ...] = ()


def window(
    snapshot: Snapshot,
    place: Place,
    *,
    budget: int,
    max_tokens: int,
    count: Count,
    gate: Gate,
    visits: Sequence[Visit] = (),
) -> Window | None:
    """A prompt of at most `budget` tokens; None when the file itself may not leave the machine."""
    # The gate sees the whole file: a secret that stands across the cursor, or across a cut, is one still.
    shown = gate.admit_around(place.path, place.text, place.offset)
    if shown[0].text is None or shown[1].text is None:
        return None
    before = tail_within(shown[0].text, int(budget * _PREFIX_SHARE), count)
    after = head_within(shown[1].text, int(budget * _SUFFIX_SHARE), count)
    repo = snapshot.root.name
    used = count(before) + count(after) + count(place.path) + count(repo) + _MARKERS
    candidates = rank(snapshot, place.path, place.offset, text=place.text, visits=visits)
    packed = pack(snapshot, candidates, budget=max(0, budget - used), count=count, gate=gate)
    context = list(fim_context(packed))
    weights = [count(path) + count(text) + 3 for path, text in context]
    while context and used + sum(weights) > budget:
        context.pop(0)
        weights.pop(0)
    kept = {path for path, _ in context}
    return Window(
        FimRequest(
            path=place.path,
            prefix=before,
            suffix=after,
            context=tuple(context),
            repo=repo,
            max_tokens=max_tokens,
        ),
        used + sum(weights),
        tuple((part.path, part.why) for part in packed.parts if part.path in kept),
        (*shown[0].withheld, *shown[1].withheld, *packed.withheld),
    )


def tail_within(text: str, limit: int, count: Count) -> str:
    """The last whole lines of `text` within `limit` tokens; part of a line where one alone is too long."""
    text = text[-limit * _CHARS_PER_TOKEN :] if limit > 0 else ""
    while text and (tokens := count(text)) > limit:
        surplus = max(1, int(len(text) * (1 - limit / tokens)))
        newline = text.find("\n", surplus - 1)
        text = text[newline + 1 :] if 0 <= newline < len(text) - 1 else text[surplus:]
    return text


def head_within(text: str, limit: int, count: Count) -> str:
    """The first whole lines of `text` that weigh at most `limit` tokens."""
    text = text[: limit * _CHARS_PER_TOKEN] if limit > 0 else ""
    while text and (tokens := count(text)) > limit:
        keep = min(len(text) - 1, int(len(text) * limit / tokens))
        newline = text.rfind("\n", 0, keep)
        text = text[: newline + 1] if newline >= 0 else text[:keep]
    return text

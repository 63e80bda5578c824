"""What would be sent around a place within a small budget: ranked and packed in one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.pack import Pack, pack
from qwen_lsp.context.rank import USUAL, limit_for, rank
from qwen_lsp.context.visits import Visit
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate


def around(
    snapshot: Snapshot,
    path: RelPath,
    offset: int,
    *,
    budget: int,
    count: Callable[[str], int],
    gate: Gate,
    visits: Sequence[Visit] = (),
    first: Sequence[Candidate] = (),
) -> tuple[Pack, int]:
    """What of the other files matters at an offset, and how many files there were to choose from.

    `first`: what is wanted besides, such as the place itself. Raises what `Snapshot.text` raises.
    """
    limit = max(USUAL, limit_for(budget))
    candidates = [*first, *rank(snapshot, path, offset, visits=visits, limit=limit)]
    packed = pack(snapshot, candidates, budget=budget, count=count, gate=gate)
    return packed, len({candidate.path for candidate in candidates})

"""What `pack_context` answers: code that matters for a task or at a place, and why each of it is there."""

from __future__ import annotations

from collections.abc import Callable

from qwen_lsp.context.around import around
from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.pack import Pack, pack
from qwen_lsp.context.rank import limit_for
from qwen_lsp.context.render import render
from qwen_lsp.context.wording import wording_ranker
from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.toolbox import Desk
from qwen_lsp.mcp_server.naming import place_of
from qwen_lsp.session import Session
from qwen_lsp.workspace.paths import RelPath

LEAST, USUAL, MOST = 500, 8_000, 200_000
"""Tokens of an answer: what can be asked for, and what is given unless something else is."""
_AROUND = 40
"""Lines on each side of the place that are shown where its file is too large."""
_TRIES = 10
_TOKENS_PER_ROW = 160
"""Of a budget, for each line of the receipt."""


def packed(session: Session, task: str, place: str, budget: int) -> str:
    """The answer, at most `budget` tokens. Raises ToolRefused and what `Snapshot.text` raises."""
    if not LEAST <= budget <= MOST:
        raise ToolRefused(f"pack_context: budget must be from {LEAST} to {MOST}, not {budget}.")
    desk = Desk(session.snapshot, session.gate)
    path, line, _ = place_of(desk, place) if place else (None, None, None)
    make = _maker(session, task, path, line)
    room = budget
    for _ in range(_TRIES):
        made = make(room)
        text = f"{_receipt(made, max(4, budget // _TOKENS_PER_ROW))}\n{render(made)}".rstrip() + "\n"
        over = session.count(text) - budget
        if over <= 0:
            return text if made.parts else _nothing(made, task, place)
        # Less room may mean more and smaller parts, whose receipt is longer: each try is clearly smaller.
        room = max(1, min(room - over, int(room * 0.9)))
    raise ToolRefused(f"pack_context: nothing fits into {budget} tokens; give it more.")


def _maker(session: Session, task: str, path: RelPath | None, line: int | None) -> Callable[[int], Pack]:
    snapshot, count, gate = session.snapshot, session.count, session.gate
    if path is None or line is None or task:
        ranked = wording_ranker(snapshot, task, [path] if path else [])

        def for_task(budget: int) -> Pack:
            return pack(snapshot, ranked(limit_for(budget)), budget=budget, count=count, gate=gate)

        return for_task
    lines = snapshot.lines(path)
    near = (max(0, line - _AROUND), min(line + _AROUND, lines.line_count - 1))
    why = f"line {line + 1} is asked about"
    own = [Candidate(path, "excerpt", 60.0, why, lines=near), Candidate(path, "whole", 12.0, why)]

    def at_place(budget: int) -> Pack:
        offset = lines.start_of(line)
        return around(snapshot, path, offset, budget=budget, count=count, gate=gate, first=own)[0]

    return at_place


def _receipt(made: Pack, most: int) -> str:
    """What is below and why, the largest part first, and what is not."""
    said = [f"{len(made.parts)} files, {made.tokens} tokens. Why each is here:"]
    for part in sorted(made.parts, key=lambda part: (-part.tokens, part.path))[:most]:
        said.append(f"- {part.path} ({_FORMS[part.kind]}): {part.why}")
    if len(made.parts) > most:
        said.append(f"- and {len(made.parts) - most} smaller ones")
    for item in made.withheld[:most]:
        where = item.path if item.line is None else f"{item.path}:{item.line}"
        said.append(f"- withheld: {where}: {item.reason}")
    if full := [path for path, reason in made.left_out if reason == "no room"]:
        said.append(f"- no room for {full[0]}" + (f" and {len(full) - 1} more" if len(full) > 1 else ""))
    return "\n".join(said) + "\n"


_FORMS = {
    "whole": "whole",
    "outline": "outline",
    "header": "signatures",
    "excerpt": "excerpt",
    "gone": "gone",
}


def _nothing(made: Pack, task: str, place: str) -> str:
    reasons = "".join(f"\nWithheld: {item.path}: {item.reason}." for item in made.withheld)
    return f"Nothing in this workspace belongs to {task or place!r} within the budget.{reasons}\n"

"""`qwen-lsp complete`: the completion an editor would be offered at a place."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from rich.console import Console

from qwen_lsp.cli.opening import lines_at, opened
from qwen_lsp.cli.places import Place, parse
from qwen_lsp.errors import UserError
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.receipt import as_json
from qwen_lsp.features.complete.request import Completion, complete
from qwen_lsp.features.complete.state import Completions
from qwen_lsp.features.complete.why import Why, why
from qwen_lsp.model.endpoint import Endpoint


def run(args: argparse.Namespace) -> int:
    place = parse(args.place)
    if place.first is None:
        raise UserError(f"{args.place}: say which line, as FILE:LINE or FILE:LINE:COLUMN")
    found, reason = asyncio.run(_completed(place))
    if args.json:
        told = None if found is None else {"text": found.text, "source": found.source}
        print(json.dumps({"completion": told, **_json(reason)} if args.why else told))
    elif args.why:
        print(reason.markdown, end="")
    elif found is None:
        print("Nothing worth suggesting there.")
    else:
        print(found.text)
    return 0


def _json(reason: Why) -> dict[str, Any]:
    receipt = reason.suggestion or reason.answer
    return {
        "why": None if receipt is None else as_json(receipt),
        "nothing": reason.nothing or None,
    }


async def _completed(place: Place) -> tuple[Completion | None, Why]:
    """What is offered at a place, and how that came about."""
    console = Console(stderr=True)
    problems: list[str] = []
    async with opened(place.root, console, learn=True) as session:
        lines, line, _ = lines_at(session, place, console)
        start, end = lines.start_of(line), lines.end_of(line)
        offset = end if place.column is None else min(start + place.column, end)
        state = Completions()

        async def tried(endpoint: Endpoint | None) -> tuple[Completion | None, Why]:
            means = Means(
                endpoint, session.predictor, session.gate, session.settings.completion, session.count,
                failed=problems.append,
            )  # fmt: skip
            found = await complete(session.snapshot, place.path, offset, means, state, invoked=True)
            return found, why(state, session.gate, place.path)

        if session.endpoint is None:
            await session.taught()
        found, reason = await tried(session.endpoint)
        if found is None and problems:
            await session.taught()
            found, other = await tried(None)
            # What failed first says more than that nothing else was there either.
            reason = reason if found is None else other
    if problems:
        console.print(f"The embedded default answers, since {problems[0]}", markup=False, style="yellow")
    return found, reason

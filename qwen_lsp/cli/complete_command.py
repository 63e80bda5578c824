"""`qwen-lsp complete`: the completion an editor would be offered at a place."""

from __future__ import annotations

import argparse
import asyncio
import json

from rich.console import Console

from qwen_lsp.cli.opening import lines_at, opened
from qwen_lsp.cli.places import Place, parse
from qwen_lsp.errors import UserError
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.request import Completion, complete
from qwen_lsp.features.complete.state import Completions


def run(args: argparse.Namespace) -> int:
    place = parse(args.place)
    if place.first is None:
        raise UserError(f"{args.place}: say which line, as FILE:LINE or FILE:LINE:COLUMN")
    found = asyncio.run(_completed(place))
    if args.json:
        print(json.dumps(None if found is None else {"text": found.text, "source": found.source}))
    elif found is None:
        print("Nothing worth suggesting there.")
    else:
        print(found.text)
    return 0


async def _completed(place: Place) -> Completion | None:
    console = Console(stderr=True)
    problems: list[str] = []
    async with opened(place.root, console) as session:
        lines, line, _ = lines_at(session, place, console)
        start, end = lines.start_of(line), lines.end_of(line)
        offset = end if place.column is None else min(start + place.column, end)
        found = None
        for endpoint in dict.fromkeys((session.endpoint, None)):
            if endpoint is None:
                await session.taught()
            means = Means(
                endpoint, session.predictor, session.gate, session.settings.completion, session.count,
                failed=problems.append,
            )  # fmt: skip
            found = await complete(session.snapshot, place.path, offset, means, Completions(), invoked=True)
            if found is not None or not problems:
                break
    if problems:
        console.print(f"The embedded default answers, since {problems[0]}", markup=False, style="yellow")
    return found

"""`qwen-lsp explain`: a file, or some of its lines, in Markdown on standard output."""

from __future__ import annotations

import argparse
import asyncio

from rich.console import Console

from qwen_lsp.cli.opening import opened
from qwen_lsp.cli.places import Place, parse
from qwen_lsp.features.explain import explain


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_explained(parse(args.place)))


async def _explained(place: Place) -> int:
    async with opened(place.root, Console(stderr=True)) as session:
        selection = None
        if place.first is not None and place.last is not None:
            selection = session.snapshot.lines(place.path).lines_span(place.first, place.last)
        pieces = explain(
            session.snapshot, place.path, selection, endpoint=session.endpoint, gate=session.gate,
            settings=session.settings.explain, count=session.count,
        )  # fmt: skip
        async for piece in pieces:
            print(piece, end="", flush=True)
    print()
    return 0

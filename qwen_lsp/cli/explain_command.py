"""`qwen-lsp explain`: a file, or some of its lines, in Markdown on standard output."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from rich.console import Console

from qwen_lsp.cli.opening import lines_at, opened
from qwen_lsp.cli.places import Place, parse
from qwen_lsp.features.explain import explain


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_explained(parse(args.place)))


async def _explained(place: Place) -> int:
    console = Console(stderr=True)
    async with opened(place.root, console) as session:
        lines, first, last = lines_at(session, place, console)
        selection = None if place.first is None else lines.lines_span(first, last)
        pieces = explain(
            session.snapshot, place.path, selection, endpoint=session.endpoint, gate=session.gate,
            settings=session.settings.explain, count=session.count, held=await session.held("explain"),
        )  # fmt: skip
        ended = "\n"
        waiting = console.status("Asking the model …") if session.endpoint and console.is_terminal else None
        with contextlib.ExitStack() as until_first:
            if waiting is not None:
                until_first.enter_context(waiting)
            async for piece in pieces:
                until_first.close()
                print(piece, end="", flush=True)
                ended = piece[-1:] or ended
    if ended != "\n":
        print()
    return 0

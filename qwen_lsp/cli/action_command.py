"""`qwen-lsp action`: list the code actions at some lines, or do one of them."""

from __future__ import annotations

import argparse
import asyncio

from rich.console import Console

from qwen_lsp.cli import screen
from qwen_lsp.cli.opening import opened
from qwen_lsp.cli.places import Place, parse
from qwen_lsp.errors import UserError
from qwen_lsp.features.actions import Offer, offered, resolve
from qwen_lsp.session import Session
from qwen_lsp.text.edits import unified
from qwen_lsp.workspace.transaction import commit


def run(args: argparse.Namespace) -> int:
    place = parse(args.place)
    if place.first is None:
        raise UserError(f"{args.place}: say which lines, as FILE:LINE or FILE:FIRST-LAST")
    return asyncio.run(_acted(place, args.do, apply=args.apply))


async def _acted(place: Place, wanted: str | None, *, apply: bool) -> int:
    console = Console(stderr=True)
    async with opened(place.root, console) as session:
        offers = _offers(session, place)
        if wanted is None:
            body = [(offer.id, offer.title, offer.disabled) for offer in offers]
            screen.rows(Console(highlight=False), ("id", "action", "why not"), body)
            return 0
        offer = next((offer for offer in offers if offer.id == wanted), None)
        if offer is None:
            raise UserError(f"no action {wanted!r} there; the actions are: {', '.join(o.id for o in offers)}")
        if offer.disabled:
            raise UserError(offer.disabled)
        change = await resolve(
            session.snapshot, offer, endpoint=session.endpoint, gate=session.gate,
            settings=session.settings.actions, count=session.count,
        )  # fmt: skip
        if apply:
            commit(session.root, change.edits, session.journal)
            console.print(f"{change.label}: changed {', '.join(edit.path for edit in change.edits)}")
        else:
            print("".join(unified(edit) for edit in change.edits), end="")
    return 0


def _offers(session: Session, place: Place) -> list[Offer]:
    lines = session.snapshot.lines(place.path)
    span = lines.lines_span(place.first or 0, place.last or 0)
    return offered(session.snapshot, place.path, span, (), has_endpoint=session.endpoint is not None)

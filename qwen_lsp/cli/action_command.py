"""`qwen-lsp action`: list the code actions at some lines, or do one of them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from rich.console import Console

from qwen_lsp.cli import screen
from qwen_lsp.cli.opening import lines_at, opened
from qwen_lsp.cli.places import Place, parse
from qwen_lsp.errors import UserError
from qwen_lsp.features.actions import Offer, edit_selection, offered, resolve
from qwen_lsp.session import Session
from qwen_lsp.text.edits import ChangeSet, unified
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.transaction import commit


def run(args: argparse.Namespace) -> int:
    place = parse(args.place)
    if place.first is None:
        raise UserError(f"{args.place}: say which lines, as FILE:LINE or FILE:FIRST-LAST")
    if args.instruction and not args.do:
        args.do = "edit"
    return asyncio.run(_acted(place, args))


async def _acted(place: Place, args: argparse.Namespace) -> int:
    console = Console(stderr=True)
    async with opened(place.root, console) as session:
        lines, first, last = lines_at(session, place, console)
        span = lines.lines_span(first, last)
        offers = offered(session.snapshot, place.path, span, (), has_endpoint=session.endpoint is not None)
        if args.do is None:
            screen.offers(
                Console(highlight=False), [(offer.id, offer.title, offer.disabled) for offer in offers]
            )
            return 0
        chosen = _chosen(offers, args.do)
        with console.status("Asking the model …") if console.is_terminal else contextlib.nullcontext():
            change = await _change(session, place, span, chosen, args.instruction)
        if args.apply:
            await asyncio.to_thread(commit, session.root, change.edits, session.journal)
            names = ", ".join(edit.path for edit in change.edits)
            console.print(f"{change.label}: changed {names}", markup=False)
        else:
            print("".join(unified(edit) for edit in change.edits), end="")
    return 0


def _chosen(offers: list[Offer], wanted: str) -> Offer:
    """The offer with this id; the number behind an id's colon may be left out where there is one only."""
    found = [offer for offer in offers if wanted in (offer.id, offer.id.partition(":")[0])]
    if not found:
        raise UserError(f"no action {wanted!r} there; the actions are: {', '.join(o.id for o in offers)}")
    if len(found) > 1:
        raise UserError(f"{wanted!r} is several actions there: {', '.join(o.id for o in found)}")
    return found[0]


async def _change(
    session: Session, place: Place, span: Span, offer: Offer, instruction: str | None
) -> ChangeSet:
    name = offer.id.partition(":")[0]
    if name == "explain":
        raise UserError(f"to explain use: qwen-lsp explain {place.path}:{(place.first or 0) + 1}")
    if offer.disabled:
        raise UserError(offer.disabled)
    if name == "edit":
        if not instruction:
            raise UserError('say what to change: --do edit --instruction "…"')
        return await edit_selection(
            session.snapshot, place.path, span, instruction, endpoint=session.endpoint,
            gate=session.gate, settings=session.settings.actions, count=session.count,
            held=await session.held("action"),
        )  # fmt: skip
    return await resolve(
        session.snapshot, offer, endpoint=session.endpoint, gate=session.gate,
        settings=session.settings.actions, count=session.count, held=await session.held("action"),
    )  # fmt: skip

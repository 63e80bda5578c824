"""What editors ask while someone types: completions, code actions, symbols. Each converts and calls on."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import attrs
from lsprotocol import types as lsp

from qwen_lsp.errors import FileUnreadable
from qwen_lsp.server import acting, convert, next_edits
from qwen_lsp.server.agent_asking import can_approve
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.workspace_edit import Label, workspace_edit
from qwen_lsp.text.positions import LineIndex, Span

if TYPE_CHECKING:
    from qwen_lsp.features.actions import Diagnostic, Offer
    from qwen_lsp.features.complete.diagnostics import Complaint
    from qwen_lsp.features.complete.means import Means
    from qwen_lsp.features.complete.request import Completion
    from qwen_lsp.index.snapshot import Snapshot
    from qwen_lsp.session import Session

SYMBOL_LIMIT = 200
_ARGUMENTS: Mapping[str, Mapping[str, object]] = {
    # A plain editor throws a command's result away, so that the text has to be shown by ourselves.
    "qwen.explainFile": {"show": True},
    "qwen.edit": {"scope": "selection"},
}


# -- completion ----------------------------------------------------------------------------------------


async def inline_completion(ls: Server, params: lsp.InlineCompletionParams) -> lsp.InlineCompletionList:
    place = ls.place(params.text_document.uri)
    invoked = params.context.trigger_kind == lsp.InlineCompletionTriggerKind.Invoked
    offset = convert.offset(place.lines, params.position, ls.encoding)
    found = await complete_at(ls, place, offset, invoked=invoked)
    if found is None:
        following = await next_edits.suggested(ls, place, offset, invoked=invoked)
        return lsp.InlineCompletionList(items=[] if following is None else [following])
    where = convert.range_of(place.lines, found.span, ls.encoding)
    return lsp.InlineCompletionList(items=[lsp.InlineCompletionItem(insert_text=found.text, range=where)])


async def complete_at(ls: Server, place: Place, offset: int, *, invoked: bool) -> Completion | None:
    """What belongs at an offset, with the session's means."""
    from qwen_lsp.features.complete.request import complete

    session = place.session
    return await complete(
        place.snapshot, place.path, offset, means(session), ls.completions(session), invoked=invoked
    )


def means(session: Session) -> Means:
    """What a completion is made with, as the session has it now."""
    from qwen_lsp.features.complete.means import Means

    return Means(
        endpoint=session.endpoint,
        predictor=session.predictor,
        gate=session.gate,
        settings=session.settings.completion,
        count=session.count,
        visits=session.visits,
        failed=session.failed,
    )


# -- code actions --------------------------------------------------------------------------------------


async def code_action(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    from qwen_lsp.features.actions import offered

    place = ls.place(params.text_document.uri)
    span = convert.span(place.lines, params.range, ls.encoding)
    diagnostics = [_diagnostic(ls, place, d) for d in params.context.diagnostics]
    if place.session in ls.completing or diagnostics:
        ls.completions(place.session).diagnostics.note(place.path, *_complaints(place, span, diagnostics))
    has_endpoint = place.session.endpoint is not None
    offers = await asyncio.to_thread(
        offered, place.snapshot, place.path, span, diagnostics, has_endpoint=has_endpoint
    )
    shows_disabled = ls.supports(lambda c: c.text_document.code_action.disabled_support)  # pyright: ignore[reportOptionalMemberAccess]
    only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
    actions = [
        _action(ls, place, offer, params)
        for offer in offers
        if (shows_disabled or not offer.disabled) and _can_be_chosen(ls, offer)
    ]
    if (
        acting.resolves(ls)
        and _wanted(next_edits.KIND, only)
        and ((following := await next_edits.offered(ls, place, params.text_document.uri)) is not None)
    ):
        actions.insert(0, following)
    return [action for action in actions if _wanted(action.kind, only)]


def _wanted(kind: str | None, only: Sequence[str]) -> bool:
    """Whether an editor that asks for some kinds of actions, or for all, asks for this one."""
    return not only or any(f"{kind}.".startswith(f"{one}.") for one in only)


def _can_be_chosen(ls: Server, offer: Offer) -> bool:
    """Whether an editor has all that an action needs: only a client of ours asks for the words of a task."""
    return offer.command != "qwen.edit" or can_approve(ls)


def _action(ls: Server, place: Place, offer: Offer, params: lsp.CodeActionParams) -> lsp.CodeAction:
    uri, data = params.text_document.uri, offer.data
    action = lsp.CodeAction(title=offer.title, kind=offer.kind)
    if offer.disabled:
        action.disabled = lsp.CodeActionDisabled(reason=offer.disabled)
    elif offer.command:
        where = convert.range_of(place.lines, Span(data["start"], data["end"]), ls.encoding)
        argument = {"uri": uri, "range": ls.rpc.plain(where), **_ARGUMENTS.get(offer.command, {})}
        if not acting.resolves(ls):
            argument["wait"] = False
        action.command = lsp.Command(title=offer.title, command=offer.command, arguments=[argument])
    else:
        chosen = {"uri": uri, "offer": dataclasses.asdict(offer)}
        if acting.resolves(ls):
            action.data = chosen
        else:
            action.command = acting.command_of(offer.title, chosen)
    if "message" in data:
        fixed = [d for d in params.context.diagnostics if d.message.startswith(data["message"])]
        action.diagnostics = fixed or None
    return action


async def resolve_code_action(ls: Server, action: lsp.CodeAction) -> lsp.CodeAction:
    """Compute the edit of an action that was chosen, for the document as it is by then."""
    if action.command is not None:
        return action  # complete as it is; Helix asks for the rest of those too
    data = cast("object", action.data)
    if acting.field(data, next_edits.MARK):
        return await next_edits.resolve(ls, action, str(acting.field(data, "uri")))
    uri, offer = acting.offer_of(data)

    from qwen_lsp.index.landing import landed

    place = ls.place(uri)
    session = place.session
    changes = await acting.changed(place, offer)
    edit = workspace_edit(
        landed(changes.edits, session.snapshot),
        target=lambda path: ls.target(session, path),
        encoding=ls.encoding,
        support=ls.edit_support,
        label=Label(changes.label, changes.description),
    )
    return attrs.evolve(action, edit=edit)


def _complaints(
    place: Place, span: Span, diagnostics: Sequence[Diagnostic]
) -> tuple[range, Sequence[Complaint]]:
    """The lines asked about, and what the editor says is wrong there."""
    from qwen_lsp.features.complete.diagnostics import Complaint

    lines = range(place.lines.line_at(span.start), place.lines.line_at(span.end) + 1)
    found = [(place.lines.line_at(d.span.start), d.message) for d in diagnostics]
    return lines, [Complaint(line, place.lines.line_text(line), message) for line, message in found]


def _diagnostic(ls: Server, place: Place, diagnostic: lsp.Diagnostic) -> Diagnostic:
    from qwen_lsp.features.actions import Diagnostic

    return Diagnostic(
        convert.span(place.lines, diagnostic.range, ls.encoding),
        diagnostic.message,
        diagnostic.source or "",
        "" if diagnostic.code is None else str(diagnostic.code),
    )


# -- symbols -------------------------------------------------------------------------------------------


async def workspace_symbol(ls: Server, params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol]:
    found: list[lsp.WorkspaceSymbol] = []
    for session, snapshot in ls.arrival().snapshots.items():
        if session.root in ls.folders:
            found += await asyncio.to_thread(_symbols, ls, session, snapshot, params.query)
    return found[:SYMBOL_LIMIT]


def _symbols(ls: Server, session: Session, snapshot: Snapshot, query: str) -> list[lsp.WorkspaceSymbol]:
    from qwen_lsp.index.search import symbols

    found: list[lsp.WorkspaceSymbol] = []
    lines: dict[str, LineIndex] = {}
    for site in symbols(snapshot, query, SYMBOL_LIMIT):
        if site.path not in lines:
            try:
                lines[site.path] = snapshot.lines(site.path)
            except FileUnreadable:
                continue
        at = lines[site.path]
        start = at.start_of(site.definition.name_line) + site.definition.column
        where = convert.range_of(at, Span(start, start + len(site.definition.name)), ls.encoding)
        facts = snapshot.facts(site.path)
        parent = site.definition.parent
        found.append(
            lsp.WorkspaceSymbol(
                name=site.definition.name,
                kind=convert.SYMBOL_KINDS[site.definition.kind],
                container_name=facts.qualified_name(parent) if facts and parent >= 0 else site.path,
                location=lsp.Location(uri=ls.target(session, site.path).uri, range=where),
            )
        )
    return found

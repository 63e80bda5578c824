"""`qwen.showContext` of docs/protocol.md: what would be sent around a place, as a receipt or as a page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from qwen_lsp.errors import UserError
from qwen_lsp.server.arguments import Token, budget_of, flag_of, form_of, position_of, text_of, theme_of
from qwen_lsp.server.host import Place, Server
from qwen_lsp.workspace.paths import uri_of

if TYPE_CHECKING:
    from pathlib import Path

    from qwen_lsp.context.candidates import Candidate
    from qwen_lsp.context.pack import Pack


async def show_context(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """What would be sent around a place: each part with its tokens and its why, and what was withheld."""
    from qwen_lsp.context.render import receipt, receipt_text
    from qwen_lsp.context.webpage import page
    from qwen_lsp.session.pages import keep_page

    del token
    place = ls.place(text_of(arguments, "uri"))
    position = position_of(arguments.get("position"), "position")
    offset = place.lines.offset(position, ls.encoding)
    form, show = form_of(arguments), flag_of(arguments, "show", default=True)
    theme = theme_of(arguments)
    feature = arguments.get("feature", "completion")
    if feature == "completion":
        packed, considered = await asyncio.to_thread(_small_context, place, offset, arguments)
    else:
        packed = await _large_context(place, offset, feature, arguments)
        considered = len({*(part.path for part in packed.parts), *(path for path, _ in packed.left_out)})
    told = receipt(packed)
    if form != "html":
        return told | {"text": receipt_text(packed)} if form == "text" else told

    def write() -> Path:
        return keep_page(
            page(
                packed,
                workspace=place.session.root.name,
                place=f"{place.path}:{position.line + 1}",
                considered=considered,
                mark=lambda part: part.section,
                theme=theme,
            )
        )

    try:
        written = await asyncio.to_thread(write)
    except OSError as error:
        raise UserError(f"the page could not be written: {error.strerror or error}") from None
    shown = show and await show_file(ls, written, external=True)
    return {**told, "page": {"path": str(written), "uri": uri_of(written), "shown": shown}}


def _small_context(place: Place, offset: int, arguments: Mapping[str, Any]) -> tuple[Pack, int]:
    """The pack of a completion, and how many files there were to choose from."""
    from qwen_lsp.context.around import around

    session = place.session
    budget = budget_of(arguments, session.settings.completion.budget_tokens)
    return around(
        place.snapshot, place.path, offset, budget=budget, count=session.count, gate=session.gate,
        visits=session.visits,
    )  # fmt: skip


async def _large_context(place: Place, offset: int, feature: object, arguments: Mapping[str, Any]) -> Pack:
    """What the next large prompt of a feature would be given, and what of it the last one had."""
    from qwen_lsp.context.budget import steady
    from qwen_lsp.context.rank import rank, rank_file, rank_task
    from qwen_lsp.features.agent.instructions import instructions, shown_with, user_file
    from qwen_lsp.features.surroundings import Question, preview

    session, snapshot, path = place.session, place.snapshot, place.path
    settings, endpoint = session.settings, session.endpoint
    match feature:
        case "explain":
            wanted, reply = settings.explain.budget_tokens, settings.explain.max_tokens
        case "action":
            wanted, reply = settings.actions.budget_tokens, settings.actions.max_tokens
        case "agent":
            wanted, reply = settings.agent.budget_tokens, 0
        case _:
            raise UserError("feature: one of completion, explain, action, agent")
    total = budget_of(arguments, wanted)
    if endpoint is not None:
        window = await endpoint.window()
        total = min(total, window // 2) if feature == "agent" else steady(window, reply=reply, wanted=total)

    def ranked(limit: int) -> Sequence[Candidate]:
        if feature == "agent":
            return rank_task(snapshot, "", [path], limit=limit)
        if feature == "explain":
            return rank_file(snapshot, path, limit=limit)
        return rank(snapshot, path, offset, limit=limit)

    current = None if feature == "agent" else path
    question = Question(snapshot, ranked, current, session.gate, session.count)
    held, model = await session.held(str(feature)), endpoint.model if endpoint is not None else ""
    packed = await asyncio.to_thread(preview, question, held, model, max(1, total))
    if feature != "agent":
        return packed
    told = await asyncio.to_thread(instructions, snapshot, session.gate, [path], user_file(), session.count)
    return shown_with(packed, told)


async def show_file(ls: Server, path: Path, *, external: bool = False) -> bool:
    """Open a file in the editor, or in the program that the system opens it with; whether that worked."""
    if not shows_documents(ls):
        return False
    params = lsp.ShowDocumentParams(uri=uri_of(path), external=external or None, take_focus=True)
    with contextlib.suppress(JsonRpcException):
        result = await ls.rpc.ask(lsp.WINDOW_SHOW_DOCUMENT, params)
        return bool(result is not None and result.success)
    return False


def shows_documents(ls: Server) -> bool:
    return ls.supports(lambda c: c.window.show_document.support)  # pyright: ignore[reportOptionalMemberAccess]


async def show_text(ls: Server, markdown: str) -> None:
    """Put a text before the person, as well as the editor can."""
    if not shows_documents(ls):
        return ls.say(markdown, lsp.MessageType.Info)
    from qwen_lsp.session.state import state_folder

    path = state_folder() / "explanation.md"
    await asyncio.to_thread(_write, path, markdown)
    await show_file(ls, path)
    return None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text, encoding="utf-8")

"""`textDocument/completion`, for editors without inline completion: one item below the others."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from qwen_lsp.server import convert
from qwen_lsp.server.handlers import complete_at
from qwen_lsp.server.host import Place, Server
from qwen_lsp.text.positions import Span

if TYPE_CHECKING:
    from qwen_lsp.features.complete.request import Completion

LAST = "\uffff"
"""Sorts behind whatever other servers send, by code units, bytes and code points alike."""
DETAIL = {"model": "Qwen", "cache": "Qwen", "embedded": "qwen-lsp, no model"}


async def completion(ls: Server, params: lsp.CompletionParams) -> lsp.CompletionList:
    """The same as one item, in a list that is incomplete as one types on; none for editors that have both."""
    if ls.supports(lambda c: c.text_document and c.text_document.inline_completion):
        return lsp.CompletionList(is_incomplete=False, items=[])
    from qwen_lsp.features.complete import popup
    from qwen_lsp.features.complete.place import Place as Cursor

    place = ls.place(params.text_document.uri)
    state = ls.completions(place.session)
    offset = convert.offset(place.lines, params.position, ls.encoding)
    cursor = Cursor(place.path, place.lines.text, offset, place.snapshot.language(place.path))
    word = popup.word_before(cursor)
    typed = state.typing.caused(place.path, offset, monotonic()) or not _by_hand(params)
    if typed and len(word) == 1 and state.answers.find(cursor, place.snapshot) is None:
        state.outcomes.begin(place.path, params.position.line).nothing(popup.ONE_LETTER)
        return lsp.CompletionList(is_incomplete=True, items=[])
    found = await complete_at(ls, place, offset, invoked=not typed)
    items = [] if found is None else [_item(ls, place, found, word)]
    return lsp.CompletionList(is_incomplete=True, items=items)


def _by_hand(params: lsp.CompletionParams) -> bool:
    """Whether somebody may have asked; clients send the same when a letter is typed."""
    kind = params.context.trigger_kind if params.context else lsp.CompletionTriggerKind.Invoked
    return kind == lsp.CompletionTriggerKind.Invoked


def _item(ls: Server, place: Place, found: Completion, word: str) -> lsp.CompletionItem:
    from qwen_lsp.features.complete.popup import label_of

    # Clients filter by the word before the cursor, so it has to be part of what they match and replace.
    span = Span(found.span.start - len(word), found.span.end)
    text = word + found.text
    return lsp.CompletionItem(
        label=label_of(word, found.text),
        detail=DETAIL[found.source],
        documentation=text,
        kind=lsp.CompletionItemKind.Text,
        preselect=False,
        sort_text=LAST,
        filter_text=text.split("\n", 1)[0] or text,
        insert_text_format=lsp.InsertTextFormat.PlainText,
        insert_text_mode=lsp.InsertTextMode.AsIs,
        text_edit=lsp.TextEdit(range=convert.range_of(place.lines, span, ls.encoding), new_text=text),
    )

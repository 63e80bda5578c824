"""Open documents: the editor's changes, in the order in which they arrive, into the store.

The handlers are plain functions for that reason. What makes no sense is logged and left out: a change to
a document that is not open. Versions are the editor's own affair: what arrives last is the text.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from qwen_lsp.server import convert, next_edits
from qwen_lsp.server.host import Document, Server
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span

if TYPE_CHECKING:
    from qwen_lsp.session import Session
    from qwen_lsp.workspace.paths import RelPath

log = logging.getLogger(__name__)

# A lone surrogate cannot be encoded, parsed or sent; U+FFFD takes its place in every encoding's count.
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def did_open(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    item = params.text_document
    session, path = ls.locate(item.uri)
    session.open(path, clean(item.text), item.version)
    _forget(ls, session, path)
    ls.documents = {**ls.documents, item.uri: Document(item.uri, session, path, item.version)}


def did_change(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    uri, version = params.text_document.uri, params.text_document.version
    document = ls.documents.get(uri)
    if document is None:
        return log.warning("ignored a change to a document that is not open")
    session, path = document.session, document.path
    for change in params.content_changes:
        # Each change refers to the text that the one before it left, so the store takes them singly.
        lines = session.snapshot.lines(path)
        if isinstance(change, lsp.TextDocumentContentChangePartial):
            span = convert.span(lines, change.range, ls.encoding)
        else:
            span = Span(0, len(lines.text))
        edits = (TextEdit(span, clean(change.text)),)
        session.change(path, edits, version)
        if (completions := ls.completing.get(session)) is not None:
            completions.changed(path, lines.text, edits)
        next_edits.note(ls, session, path, lines.text, edits[0])
    ls.documents = {**ls.documents, uri: replace(document, version=version)}
    return None


def did_close(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    document = ls.documents.get(params.text_document.uri)
    if document is None:
        return log.warning("ignored the closing of a document that is not open")
    ls.documents = {uri: d for uri, d in ls.documents.items() if d is not document}
    document.session.close(document.path)
    _forget(ls, document.session, document.path)
    next_edits.forget(ls, document.session, document.path)
    return None


def _forget(ls: Server, session: Session, path: RelPath) -> None:
    """What completion knows of a document is of no use: it may be another text when it is opened again."""
    if (completions := ls.completing.get(session)) is not None:
        completions.closed(path)


def did_save(ls: Server, params: lsp.DidSaveTextDocumentParams) -> None:
    document = ls.documents.get(params.text_document.uri)
    if document is not None:
        document.session.hint({document.path})


def rehome(ls: Server) -> None:
    """Give every open document to the session it belongs to, after the folders have changed."""
    documents = dict(ls.documents)
    for uri, document in ls.documents.items():
        session, path = ls.locate(uri)
        if (session, path) != (document.session, document.path):
            session.open(path, document.session.snapshot.text(document.path), document.version)
            document.session.close(document.path)
            _forget(ls, document.session, document.path)
            documents[uri] = replace(document, session=session, path=path)
    ls.documents = documents


def clean(text: str) -> str:
    return text if text.isascii() else text.translate(_SURROGATES)

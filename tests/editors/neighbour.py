"""Another language server for Python, as people have one beside ours: `python -m tests.editors.neighbour`.

It reports a diagnostic on each line with the word `wrong`, offers one completion and one quick fix, so that a
test sees on the screen whose are whose.
"""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

WORD = "neighbourly"
"""The completion it offers."""
COMPLAINT = "the neighbour says that this is wrong"
"""Its diagnostic."""
FIX = "Neighbour: make it right"
"""The title of its quick fix."""

server = LanguageServer("neighbour", "1")


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
def opened(ls: LanguageServer, params: lsp.DidOpenTextDocumentParams) -> None:
    publish(ls, params.text_document.uri)


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
def changed(ls: LanguageServer, params: lsp.DidChangeTextDocumentParams) -> None:
    publish(ls, params.text_document.uri)


def publish(ls: LanguageServer, uri: str) -> None:
    params = lsp.PublishDiagnosticsParams(uri=uri, diagnostics=_wrongs(ls, uri))
    ls.text_document_publish_diagnostics(params)


@server.feature(lsp.TEXT_DOCUMENT_COMPLETION)
def completion(ls: LanguageServer, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
    return [lsp.CompletionItem(label=WORD, kind=lsp.CompletionItemKind.Variable)]


@server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION)
def actions(ls: LanguageServer, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    uri = params.text_document.uri
    found: list[lsp.CodeAction] = []
    for wrong in params.context.diagnostics:
        edit = lsp.WorkspaceEdit(changes={uri: [lsp.TextEdit(range=wrong.range, new_text="right")]})
        if wrong.message == COMPLAINT:
            found.append(lsp.CodeAction(title=FIX, kind=lsp.CodeActionKind.QuickFix, edit=edit))
    return found


def _wrongs(ls: LanguageServer, uri: str) -> list[lsp.Diagnostic]:
    found: list[lsp.Diagnostic] = []
    for number, line in enumerate(ls.workspace.get_text_document(uri).lines):
        if (column := line.find("wrong")) >= 0:
            where = lsp.Range(lsp.Position(number, column), lsp.Position(number, column + len("wrong")))
            found.append(
                lsp.Diagnostic(range=where, message=COMPLAINT, severity=lsp.DiagnosticSeverity.Warning)
            )
    return found


if __name__ == "__main__":
    server.start_io()

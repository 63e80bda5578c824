"""Which function answers which method, and what the client is told about it."""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp

from qwen_lsp.server import commands, documents, handlers, lifetime, popup, progress, watching
from qwen_lsp.server.host import Server

FEATURES: dict[str, tuple[Any, Any]] = {
    lsp.INITIALIZE: (lifetime.initialize, None),
    lsp.INITIALIZED: (lifetime.initialized, None),
    lsp.SHUTDOWN: (lifetime.shutdown, None),
    lsp.EXIT: (lifetime.exit_now, None),
    lsp.SET_TRACE: (lifetime.set_trace, None),
    lsp.TEXT_DOCUMENT_DID_OPEN: (documents.did_open, None),
    lsp.TEXT_DOCUMENT_DID_CHANGE: (documents.did_change, None),
    lsp.TEXT_DOCUMENT_DID_CLOSE: (documents.did_close, None),
    lsp.TEXT_DOCUMENT_DID_SAVE: (documents.did_save, lsp.SaveOptions(include_text=False)),
    lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: (lifetime.did_change_folders, None),
    lsp.WORKSPACE_DID_CHANGE_CONFIGURATION: (lifetime.did_change_configuration, None),
    lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES: (watching.did_change_watched_files, None),
    lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL: (progress.cancel, None),
    # Without options of its own pygls would not announce this one.
    lsp.TEXT_DOCUMENT_INLINE_COMPLETION: (handlers.inline_completion, lsp.InlineCompletionOptions()),
    lsp.TEXT_DOCUMENT_COMPLETION: (popup.completion, lsp.CompletionOptions(resolve_provider=False)),
    lsp.TEXT_DOCUMENT_CODE_ACTION: (
        handlers.code_action,
        lsp.CodeActionOptions(
            code_action_kinds=[
                lsp.CodeActionKind.QuickFix,
                lsp.CodeActionKind.Refactor,
                lsp.CodeActionKind.RefactorRewrite,
                lsp.CodeActionKind.Source,
            ],
            resolve_provider=True,
            work_done_progress=True,
        ),
    ),
    lsp.CODE_ACTION_RESOLVE: (handlers.resolve_code_action, None),
    lsp.WORKSPACE_SYMBOL: (handlers.workspace_symbol, None),
    lsp.WORKSPACE_EXECUTE_COMMAND: (commands.execute, None),
}


def build() -> Server:
    """A server for one client."""
    server = Server()
    for method, (handler, options) in FEATURES.items():
        server.feature(method, options)(handler)
    return server

"""An independent client for the real server: `python -m qwen_lsp serve` in a process of its own.

The client is pytest-lsp's: it reads every message with the protocol's own types, and warns (an error here)
when the server oversteps what the client said it can do.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from lsprotocol import types as lsp
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

TIME = 20.0
"""Longest wait, in seconds; on a quiet machine none takes one."""
COMMAND = (sys.executable, "-m", "qwen_lsp", "serve")
Json = dict[str, Any]


@dataclass
class Desk:
    """An editor at work: what it has open, and what the server asked of it."""

    client: LanguageClient
    texts: dict[str, str] = field(default_factory=dict[str, str])
    versions: dict[str, int] = field(default_factory=dict[str, int])
    edits: list[lsp.ApplyWorkspaceEditParams] = field(default_factory=list[lsp.ApplyWorkspaceEditParams])
    questions: list[str] = field(default_factory=list[str])
    """What the person was asked by a message; the first button is pressed."""
    events: list[Any] = field(default_factory=list[Any])
    pieces: list[str] = field(default_factory=list[str])
    result: lsp.InitializeResult | None = None

    def open(self, path: Path, text: str | None = None, language: str = "python") -> str:
        uri = path.as_uri()
        self.texts[uri] = path.read_text() if text is None else text
        self.versions[uri] = 1
        item = lsp.TextDocumentItem(uri=uri, language_id=language, version=1, text=self.texts[uri])
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item))
        return uri

    def type(self, uri: str, text: str) -> lsp.Position:
        """Write at the end of the document; the cursor stands after it."""
        at = end(self.texts[uri])
        self.texts[uri] += text
        self._changed(uri, lsp.TextDocumentContentChangePartial(range=lsp.Range(at, at), text=text))
        return end(self.texts[uri])

    def _changed(self, uri: str, change: lsp.TextDocumentContentChangeEvent) -> None:
        self.versions[uri] += 1
        document = lsp.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        params = lsp.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
        self.client.text_document_did_change(params)

    def applied(self, params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
        """Do what an editor does with a reviewed edit: open documents change, the rest goes to disk."""
        self.edits.append(params)
        for change in params.edit.document_changes or ():
            if isinstance(change, lsp.CreateFile):
                file_of(change.uri).touch()
            elif isinstance(change, lsp.DeleteFile):
                file_of(change.uri).unlink()
            elif isinstance(change, lsp.TextDocumentEdit):
                self._edited(change)
        return lsp.ApplyWorkspaceEditResult(applied=True)

    def _edited(self, change: lsp.TextDocumentEdit) -> None:
        uri = change.text_document.uri
        file = file_of(uri)
        text = self.texts[uri] if uri in self.texts else file.read_text()
        for edit in reversed(change.edits):
            assert not isinstance(edit, lsp.SnippetTextEdit)
            start, stop = (_offset(text, place) for place in (edit.range.start, edit.range.end))
            text = text[:start] + edit.new_text + text[stop:]
        if uri in self.texts:
            self.texts[uri] = text
            self._changed(uri, lsp.TextDocumentContentChangeWholeDocument(text=text))
        else:
            file.write_text(text)

    async def command(self, name: str, argument: Mapping[str, Any] | None = None, token: str = "") -> Any:
        if token:
            self.client.progress_reports[token] = []
        params = lsp.ExecuteCommandParams(
            command=name, arguments=[] if argument is None else [argument], work_done_token=token or None
        )
        async with asyncio.timeout(TIME):
            return await self.client.workspace_execute_command_async(params)

    async def status(self, holds: Callable[[Json], bool] = lambda status: True) -> Json:
        """The server's status once something holds; each look is a round trip."""
        async with asyncio.timeout(TIME):
            while True:
                status = cast("Json", await self.command("qwen.status"))
                if holds(status):
                    return status
                await asyncio.sleep(0.02)

    async def ghost(self, uri: str, at: lsp.Position) -> list[str]:
        params = lsp.InlineCompletionParams(
            text_document=lsp.TextDocumentIdentifier(uri=uri),
            position=at,
            context=lsp.InlineCompletionContext(trigger_kind=lsp.InlineCompletionTriggerKind.Automatic),
        )
        async with asyncio.timeout(TIME):
            found = await self.client.text_document_inline_completion_async(params)
        assert isinstance(found, lsp.InlineCompletionList)
        return [str(item.insert_text) for item in found.items]

    async def symbols(self, query: str) -> list[str]:
        async with asyncio.timeout(TIME):
            found = await self.client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query=query))
        return [symbol.name for symbol in found or ()]

    def configure(self, **values: Any) -> None:
        params = lsp.DidChangeConfigurationParams(settings={"qwen": values})
        self.client.workspace_did_change_configuration(params)


def indexed(status: Json) -> bool:
    return all(folder["index"]["complete"] for folder in status["folders"])


def learnt(status: Json) -> bool:
    return indexed(status) and not any(folder["learning"] for folder in status["folders"])


def end(text: str) -> lsp.Position:
    """The place after a text; the texts of these tests are ASCII, so that every encoding counts alike."""
    return lsp.Position(line=text.count("\n"), character=len(text) - (text.rfind("\n") + 1))


def file_of(uri: str) -> Path:
    return Path(uri.removeprefix("file://"))


def _offset(text: str, place: lsp.Position) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place.line]) + place.character


def capabilities(spec: str, *, inline: bool = True) -> lsp.ClientCapabilities:
    """What a real editor announces; `inline`: as its newer versions do."""
    found = client_capabilities(spec)
    assert found.text_document is not None
    if inline:
        found.text_document.inline_completion = lsp.InlineCompletionClientCapabilities()
    return found


@contextlib.asynccontextmanager
async def desk(
    *roots: Path,
    client: lsp.ClientCapabilities | None = None,
    options: Mapping[str, Any] | None = None,
    tcp: int = 0,
) -> AsyncGenerator[Desk]:
    """An editor whose workspace is indexed; it leaves in order, and the server must as well."""
    peer = make_test_lsp_client()
    one = Desk(peer)

    def apply(params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
        return one.applied(params)

    def hear(params: Any) -> None:
        one.pieces.append(params.text)

    def note(params: Any) -> None:
        one.events.append(params)

    def choose(params: lsp.ShowMessageRequestParams) -> lsp.MessageActionItem | None:
        one.questions.append(params.message)
        return params.actions[0] if params.actions else None

    peer.feature(lsp.WORKSPACE_APPLY_EDIT)(apply)
    peer.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)(choose)
    peer.feature("qwen/agentEvent")(note)
    peer.feature("qwen/stream")(hear)
    if tcp:
        await peer.start_tcp("127.0.0.1", tcp)
    else:
        await peer.start_io(*COMMAND, env=dict(os.environ))  # pyright: ignore[reportUnknownMemberType]
    params = lsp.InitializeParams(
        capabilities=client or capabilities("visual-studio-code"),
        workspace_folders=[lsp.WorkspaceFolder(uri=root.as_uri(), name=root.name) for root in roots],
        initialization_options=dict(options or {}),
    )
    process: asyncio.subprocess.Process | None = peer._server  # pyright: ignore[reportPrivateUsage]
    try:
        async with asyncio.timeout(TIME):
            one.result = await peer.initialize_session(params)
        await one.status(indexed)
        yield one
        async with asyncio.timeout(TIME):
            await peer.shutdown_session()
        assert process is None or process.returncode == 0
    finally:
        if process is not None and process.returncode is None:
            process.kill()
        if tcp:
            writer = cast("asyncio.StreamWriter", peer.protocol.writer)
            writer.close()
            await writer.wait_closed()
        await peer.stop()

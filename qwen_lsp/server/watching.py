"""Watching the folders through the client, where it can; each thing it saw is a hint, never a fact."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from qwen_lsp.server.host import ANSWER_TIME, Server
from qwen_lsp.workspace.hints import MOST_PATHS, told
from qwen_lsp.workspace.paths import from_uri

if TYPE_CHECKING:
    from qwen_lsp.session import Session


async def register_watching(ls: Server) -> bool:
    """Ask the client to watch the folders; False where it cannot, and we must."""
    if not ls.supports(lambda c: c.workspace.did_change_watched_files.dynamic_registration):  # pyright: ignore[reportOptionalMemberAccess]
        return False
    watchers = [lsp.FileSystemWatcher(glob_pattern="**/*")]
    registration = lsp.Registration(
        id="watch",
        method=lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        register_options=lsp.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
    )
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await ls.rpc.ask(lsp.CLIENT_REGISTER_CAPABILITY, lsp.RegistrationParams([registration]))
    except (JsonRpcException, TimeoutError):
        return False
    ls.client_watches = True
    return True


def did_change_watched_files(ls: Server, params: lsp.DidChangeWatchedFilesParams) -> None:
    """What the client saw change, in one hint for each folder; where it is much, everything may have."""
    if len(params.changes) > MOST_PATHS:
        for session in ls.folders.values():
            session.hint(None)
        return
    named: dict[Session, list[str]] = {}
    if all(session.sweeps_next for session in ls.folders.values()):
        # A storm comes in many messages; but the moment counts from which the folder is quiet.
        for session in ls.folders.values():
            session.hint(None)
        return
    for event in params.changes:
        if (path := from_uri(event.uri)) is not None and (found := ls.within_folder(path)) is not None:
            named.setdefault(found[0], []).append(found[1])
    for session, paths in named.items():
        session.hint(told(paths))

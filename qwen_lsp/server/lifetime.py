"""From `initialize` to `exit`: capabilities, folders, settings, watching, and the way out."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lsprotocol import types as lsp
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.exceptions import JsonRpcException

from qwen_lsp.errors import SettingsError
from qwen_lsp.server import convert
from qwen_lsp.server.commands import COMMANDS
from qwen_lsp.server.documents import rehome
from qwen_lsp.server.host import ANSWER_TIME, Server
from qwen_lsp.server.progress import progress
from qwen_lsp.server.status import standing
from qwen_lsp.server.watching import register_watching
from qwen_lsp.server.workspace_edit import EditSupport
from qwen_lsp.workspace.paths import from_uri

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

_PARENT_CHECK = 1.0
_HEAD_START = 3.0  # seconds that the first answers in a large workspace have for themselves


def initialize(ls: Server, params: lsp.InitializeParams) -> lsp.InitializeResult:
    """Say what is served. Nothing heavier than the protocol's own types is imported up to here."""
    ls.client = params.capabilities
    ls.encoding = convert.choose_encoding(params.capabilities)
    ls.edit_support = EditSupport.of(params.capabilities)
    if ls.announces("status"):
        ls.standing.begin(lambda: standing(ls))
    options = params.initialization_options
    ls.initial_options = options if isinstance(options, dict) else {}
    ls.roots = _roots(params)
    ls.process_id = params.process_id
    ls.rpc.state = "running"
    capabilities = ServerCapabilitiesBuilder(
        params.capabilities,
        set(ls.rpc.features),
        ls.rpc.options,
        list(COMMANDS),
        lsp.TextDocumentSyncKind.Incremental,
        None,
        ls.encoding,
    ).build()
    capabilities.workspace = lsp.WorkspaceOptions(
        workspace_folders=lsp.WorkspaceFoldersServerCapabilities(supported=True, change_notifications=True)
    )
    return lsp.InitializeResult(
        capabilities=capabilities, server_info=lsp.ServerInfo(name=ls.name, version=ls.version)
    )


def _roots(params: lsp.InitializeParams) -> list[Path]:
    if params.workspace_folders:
        found = [_folder(f.uri) for f in params.workspace_folders]
    elif params.root_uri:
        found = [_folder(params.root_uri)]
    else:
        found = [Path(os.path.normpath(params.root_path)) if params.root_path else None]
    return list(dict.fromkeys(root for root in found if root is not None and root.is_absolute()))


def _folder(uri: str) -> Path | None:
    path = from_uri(uri)
    return None if path is None else Path(os.path.normpath(path))


def initialized(ls: Server, params: lsp.InitializedParams) -> None:
    """Begin the work. What the client says meanwhile waits its turn."""
    del params
    if not ls.begun:
        ls.begun = True
        watch_parent(ls)
        ls.rpc.hold()
        ls.spawn(_begin(ls), "start")


async def _begin(ls: Server) -> None:
    try:
        # In a thread, so that the event loop is not held up by half a second of imports.
        await asyncio.to_thread(_load)
        change_folders(ls, added=ls.roots, removed=(), start=False)
    finally:
        ls.rpc.release()
    # Settings first, so that the index is built once and as they say.
    await pull_configuration(ls)
    watching = await register_watching(ls)
    for session in list(ls.folders.values()):
        start_session(ls, session.root, watch=not watching)


def _load() -> None:
    for module in ("session", "server.configuration", "features.complete.request"):
        importlib.import_module(f"qwen_lsp.{module}")


def start_session(ls: Server, root: Path, *, watch: bool) -> None:
    session = ls.folders.get(root)
    if session is not None:
        if watch:
            session.watch()
        ls.spawn(_index(ls, root), f"index {root.name}")


async def _index(ls: Server, root: Path) -> None:
    session = ls.folders[root]
    with progress(ls, f"Indexing {root.name}") as bar:
        await session.start(
            lambda done, total: bar.report(f"{done}/{total} files", 100 * done // max(total, 1)),
            head_start=_HEAD_START,
        )
    ls.standing.changed()


# -- folders -------------------------------------------------------------------------------------------


def did_change_folders(ls: Server, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    added = [root for f in params.event.added if (root := _folder(f.uri)) is not None]
    removed = [root for f in params.event.removed if (root := _folder(f.uri)) is not None]
    change_folders(ls, added, removed, start=True)


def change_folders(ls: Server, added: Sequence[Path], removed: Sequence[Path], *, start: bool) -> None:
    gone = [ls.folders.pop(root) for root in removed if root in ls.folders]
    new = [root for root in dict.fromkeys(added) if root not in ls.folders]
    for root in new:
        ls.folders[root] = ls.open_session(root)
    rehome(ls)
    ls.standing.changed()
    for session in gone:
        if (work := ls.at_work.get(session)) is not None:
            work.stop()
        ls.edited.pop(session, None)
        if (completions := ls.completing.pop(session, None)) is not None:
            ls.spawn(completions.aclose(), "end completions")
        ls.spawn(session.aclose(), f"close {session.root.name}")
    if start:
        for root in new:
            start_session(ls, root, watch=not ls.client_watches)


# -- settings ------------------------------------------------------------------------------------------


def did_change_configuration(ls: Server, params: lsp.DidChangeConfigurationParams) -> None:
    """Settings pushed in full, or only the news that there are new ones."""
    from qwen_lsp.server.configuration import SECTION

    pushed = cast("object", params.settings)
    inner = cast("dict[str, object]", pushed).get(SECTION) if isinstance(pushed, dict) else None
    if isinstance(inner, dict):
        apply_configuration(ls, cast("object", inner))
    elif ls.supports(lambda c: c.workspace and c.workspace.configuration):
        ls.spawn(pull_configuration(ls), "configuration")


async def pull_configuration(ls: Server) -> None:
    from qwen_lsp.server.configuration import SECTION

    if not ls.supports(lambda c: c.workspace and c.workspace.configuration):
        return
    asked = lsp.ConfigurationParams(items=[lsp.ConfigurationItem(section=SECTION)])
    try:
        async with asyncio.timeout(ANSWER_TIME):
            answer = await ls.rpc.ask(lsp.WORKSPACE_CONFIGURATION, asked)
    except (JsonRpcException, TimeoutError):
        log.warning("the client did not answer with its configuration")
    else:
        apply_configuration(ls, answer[0] if answer else {})


def apply_configuration(ls: Server, options: object) -> None:
    """Take new settings everywhere, or say why not and keep the old ones."""
    from qwen_lsp.server.configuration import section
    from qwen_lsp.workspace.user_config import with_editor

    # What somebody has taken out of the configuration since must not stay in force from there.
    initial = section({} if ls.announces("settings") else ls.initial_options)
    try:
        found = with_editor(initial, section(options))
    except SettingsError as error:
        return ls.say(f"{error}; the previous settings stay in force")
    for problem in found.dropped:
        ls.say(problem)
    settings = found.settings
    if settings == ls.current_settings():
        return None
    ls.settings = settings
    logging.getLogger("qwen_lsp").setLevel(settings.log_level.upper())
    for session in ls.sessions():
        ls.spawn(ls.reconfigure(session, settings), "settings")
    ls.standing.changed()
    return None


# -- the editor's process ------------------------------------------------------------------------------


def watch_parent(ls: Server) -> None:
    """End with the editor that started us, even when it died without closing our input."""
    if ls.watches_parent and ls.process_id is not None and os.name != "nt":
        ls.spawn(_until_gone(ls, ls.process_id), "parent")


async def _until_gone(ls: Server, pid: int) -> None:
    # On Windows, and for a process that cannot be seen from here (another namespace), the end of the
    # input has to do.
    if not _alive(pid):
        return
    while _alive(pid):  # noqa: ASYNC110 - there is nothing to wait for that works on every system
        await asyncio.sleep(_PARENT_CHECK)
    log.warning("the editor's process is gone")
    ls.stopping.set()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


# -- the way out ---------------------------------------------------------------------------------------


def shutdown(ls: Server, params: None) -> None:
    del params
    ls.rpc.state = "shutdown"
    ls.exit_code = 0
    ls.rpc.cancel_all()


def set_trace(ls: Server, params: lsp.SetTraceParams) -> None:
    """Nothing is traced to the client: what it would show is on the wire already, and in the log."""
    del ls, params


def exit_now(ls: Server, params: None) -> None:
    del params
    ls.stopping.set()


async def close(ls: Server) -> None:
    """Everything that was begun for this client ends here."""
    ls.standing.end()
    await ls.cancel_tasks()
    for completions in ls.completing.values():
        await completions.aclose()
    for session in list(ls.sessions()):
        await session.aclose()
